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
