/**
 * Mocha, by `--require portalloc/mocha`. What the suites of a file take by `lease()`, `port()` and `Environment.create()` is
 * given back after the last of them. What files take outside of suites is given back at the end of the run, but for what
 * they take while they are loaded: with `--parallel` at the end of the file, without it at that of the process.
 *
 * @packageDocumentation
 */

import type { Lease } from '../../index.js';
import type { TestLeaseOptions } from '../shared/options.js';

export type { LeakMode, TestLeaseOptions } from '../shared/options.js';

/** Makes the environment of the run, as `portalloc.toml` says. Called by Mocha, as are the following. */
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
