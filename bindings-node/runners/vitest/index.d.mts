/**
 * Vitest. With `setupFiles: ['portalloc/vitest']`, what a test file takes by `lease()`, `port()` and `createEnvironment()` is
 * given back at its end, after its own hooks.
 *
 * @packageDocumentation
 */

import type { TestProject } from 'vitest/node';
import type { Lease } from '../../index.js';
import type { RunOptions, TestLeaseOptions } from '../shared/options.js';

export type { LeakMode, RunOptions, TestLeaseOptions } from '../shared/options.js';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The environment of the run. */
    portalloc: {
      id: string;
      ports: number[];
      names: string[];
      tempDir: string;
      variables: Record<string, string>;
    };
  }
}

/** Options, or a function that returns them. */
export type Setup = RunOptions | ((project: TestProject) => RunOptions | Promise<RunOptions>);

/**
 * A `globalSetup`: makes the environment of the run in Vitest's main process, which holds it. Tests get it by
 * `inject('portalloc')` and by variables. Options that are not given come from `portalloc.toml` in the root or above it. Each
 * project that names it has an environment of its own; named beside `projects`, it makes one for all.
 *
 * ```js
 * export default setup({ names: ['web', 'db'] });
 * ```
 */
export function setup(options?: Setup): (project: TestProject) => Promise<() => Promise<void>>;

/** `globalSetup: ['portalloc/vitest']`. */
declare const setUp: ReturnType<typeof setup>;
export default setUp;

/**
 * As `lease()` of portalloc, in a test or a `beforeEach` hook: held until the test and its hooks are over. In `test.concurrent`,
 * use `using` or `release()` instead.
 */
export function leaseForTest(countOrOptions?: number | TestLeaseOptions): Lease;
