// What the helpers for all runners are told.

import type { EnvironmentOptions, LeaseOptions } from '../../index.js';

/** If a server still listens when what its port was leased for is over: warn (the default), fail, or say nothing. */
export type LeakMode = 'warn' | 'error' | 'off';

/** What the environment of a run is asked for: as `Environment.create`, but without an env file unless it is asked for. */
export interface RunOptions extends EnvironmentOptions {
  leak?: LeakMode | undefined;
}

/** As for `lease`. */
export interface TestLeaseOptions extends LeaseOptions {
  leak?: LeakMode | undefined;
}
