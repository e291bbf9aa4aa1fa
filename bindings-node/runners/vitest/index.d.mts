/**
 * Vitest. With `setupFiles: ['portalloc/vitest']` a test file gives back at its end, after its own hooks, what it has taken by
 * `lease()`, `port()` and `Environment.create()`.
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

/** `options`, or a function that makes them. */
export type Setup = RunOptions | ((project: TestProject) => RunOptions | Promise<RunOptions>);

/**
 * A `globalSetup`: makes the environment of the run in Vitest's main process, which holds it. Tests have it as
 * `inject('portalloc')` and in their variables. What is not given here `portalloc.toml` in the root or above it may say.
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
 * As `lease()` of portalloc, in a test or a `beforeEach` hook: held until the test and its hooks are over. In
 * `test.concurrent` use `using` or `release()` instead.
 */
export function leaseForTest(countOrOptions?: number | TestLeaseOptions): Lease;
