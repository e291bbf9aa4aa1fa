// Options of the helpers for all runners.

import type { EnvironmentOptions, LeaseOptions } from '../../index.js';

/**
 * What to do with a server that still listens when its test or run is over: warn (the default), fail, or nothing. A server
 * has 250 ms to end.
 */
export type LeakMode = 'warn' | 'error' | 'off';

/** Options for the environment of a run: those of `createEnvironment`. */
export interface RunOptions extends EnvironmentOptions {
  leak?: LeakMode | undefined;
}

/** Options for the lease of a test: those of `lease`. */
export interface TestLeaseOptions extends LeaseOptions {
  leak?: LeakMode | undefined;
}
