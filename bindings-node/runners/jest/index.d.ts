/**
 * Jest. With `setupFilesAfterEnv: ['portalloc/jest']`, what a test file takes by `lease()`, `port()` and `createEnvironment()` is
 * given back at its end, after its own hooks. (In a version of jest-circus that does not expose its events: before them.) A
 * single file can import this instead.
 *
 * @packageDocumentation
 */

import type { Lease } from '../../index.js';
import type { RunOptions, TestLeaseOptions } from '../shared/options.js';

export type { LeakMode, RunOptions, TestLeaseOptions } from '../shared/options.js';

/** The part of Jest's configuration that is used here. */
export interface GlobalConfig {
  readonly rootDir: string;
  readonly maxWorkers: number;
}

/** The part of a project's configuration that is used here. */
export interface ProjectConfig {
  readonly rootDir: string;
  readonly id: string;
}

/** Options, or a function that returns them. */
export type Setup = RunOptions | ((globalConfig: GlobalConfig, projectConfig: ProjectConfig) => RunOptions | Promise<RunOptions>);

/**
 * A `globalSetup`: makes the environment of the run in Jest's parent process, which holds it, and sets its variables for all
 * workers. Options that are not given come from `portalloc.toml` in the rootDir or above it.
 *
 * With `projects`, each project that names it has an environment of its own, which its tests get by
 * `setupFilesAfterEnv: ['portalloc/jest']`. Named beside `projects`, it makes one for the whole run.
 *
 * ```js
 * export default setup({ names: ['web', 'db'] });
 * ```
 */
export function setup(options?: Setup): (globalConfig: GlobalConfig, projectConfig: ProjectConfig) => Promise<void>;

/**
 * The `globalTeardown`: reports servers that outlive the run, and cleans up. With Jest's arguments it ends the environments of
 * the projects that name this globalTeardown or none, without them all.
 */
export function teardown(globalConfig?: GlobalConfig, projectConfig?: ProjectConfig): Promise<void>;

/**
 * As `lease()` of portalloc, in a test or a `beforeEach` hook: held until the test and its hooks are over, that is, until the
 * next test begins or the file ends. Not for `test.concurrent`, which has no hooks: use `using` or `release()` there.
 */
export function leaseForTest(countOrOptions?: number | TestLeaseOptions): Lease;
