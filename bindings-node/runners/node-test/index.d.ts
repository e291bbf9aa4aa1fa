import type { Lease, LeaseOptions } from '../../index.js';

/** As `lease()` of portalloc, released after the test whose context `t` is. */
export function leaseForTest(t: { after(hook: () => void): void }, countOrOptions?: number | LeaseOptions): Lease;
