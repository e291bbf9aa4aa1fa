/**
 * node:test runs each test file in a process of its own, whose end releases what the file took. With `--test-isolation=none`
 * that is the end of the run.
 *
 * @packageDocumentation
 */

import type { Lease, LeaseOptions } from '../../index.js';

/** As `lease()` of portalloc, released after the test whose context `t` is. */
export function leaseForTest(t: { after(hook: () => void): void }, countOrOptions?: number | LeaseOptions): Lease;
