/**
 * Mocha, by `--require portalloc/mocha`. What the suites of a file take by `lease()`, `port()` and `createEnvironment()` is given
 * back after the last of them. What tests outside of suites take is given back at the end of the run. What a file takes while it
 * is loaded is given back at the end of the file with `--parallel`, and without it at the end of the process.
 *
 * @packageDocumentation
 */

import type { Lease } from '../../index.js';
import type { TestLeaseOptions } from '../shared/options.js';

export type { LeakMode, TestLeaseOptions } from '../shared/options.js';

/** Makes the environment of the run with the options of `portalloc.toml`. Mocha calls this and the following. */
export function mochaGlobalSetup(): Promise<void>;
export function mochaGlobalTeardown(): Promise<void>;
export const mochaHooks: {
  beforeAll(): void;
  beforeEach(): Promise<void>;
  afterEach(): void;
  afterAll(): Promise<void>;
};

/** As `lease()` of portalloc, in a test or a `beforeEach` hook: held until the test and its hooks are over. */
export function leaseForTest(countOrOptions?: number | TestLeaseOptions): Lease;
