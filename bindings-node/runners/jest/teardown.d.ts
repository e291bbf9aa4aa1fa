import type { GlobalConfig, ProjectConfig } from './index.js';

/** `globalTeardown: 'portalloc/jest/teardown'`. */
declare function tearDown(globalConfig?: GlobalConfig, projectConfig?: ProjectConfig): Promise<void>;
export = tearDown;
