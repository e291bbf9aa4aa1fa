import type { GlobalConfig, ProjectConfig } from './index.js';

/** `globalSetup: 'portalloc/jest/setup'`. */
declare function setUp(globalConfig: GlobalConfig, projectConfig: ProjectConfig): Promise<void>;
export = setUp;
