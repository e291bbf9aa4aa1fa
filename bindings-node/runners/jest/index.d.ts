/**
 * Jest. A test file that loads this, or all with `setupFilesAfterEnv: ['portalloc/jest']`, gives back at its end what it has
 * taken by `lease()`, `port()` and `Environment.create()`: after its own hooks; before them where
 * jest-circus does not show its events.
 *
 * @packageDocumentation
 */

import type { Lease } from '../../index.js';
import type { RunOptions, TestLeaseOptions } from '../shared/options.js';

export type { LeakMode, RunOptions, TestLeaseOptions } from '../shared/options.js';

/** What is used of Jest's configuration; there is more in it. */
export interface GlobalConfig {
  readonly rootDir: string;
  readonly maxWorkers: number;
}

/** What is used of a project's; there is more in it. */
export interface ProjectConfig {
  readonly rootDir: string;
  readonly id: string;
}

/** `options`, or a function that makes them. */
export type Setup = RunOptions | ((globalConfig: GlobalConfig, projectConfig: ProjectConfig) => RunOptions | Promise<RunOptions>);

/**
 * A `globalSetup`: makes the environment of the run in Jest's parent, which holds it, and puts its variables where all
 * workers find them. What is not given here `portalloc.toml` in the rootDir or above it may say.
 *
 * ```js
 * export default setup({ names: ['web', 'db'] });
 * ```
 */
export function setup(options?: Setup): (globalConfig: GlobalConfig, projectConfig: ProjectConfig) => Promise<void>;

/** The `globalTeardown`: names servers that outlive the run, and cleans up. */
export function teardown(): Promise<void>;

/**
 * As `lease()` of portalloc, in a test or a `beforeEach` hook: held until the test and its hooks are over, that is, until
 * the next test begins or the file ends. Not for `test.concurrent`, which has no hooks: `using` or `release()` there.
 */
export function leaseForTest(countOrOptions?: number | TestLeaseOptions): Lease;
