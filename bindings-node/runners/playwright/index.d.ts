import type { Environment, EnvironmentOptions } from '../../index.js';

/**
 * A port for each name, the same in every process that reads the configuration. The process that runs the tests holds them,
 * and sets the environment's variables for `webServer` and the workers.
 */
export function ports<Name extends string>(...names: Name[]): Record<Name, number>;

/**
 * The environment that {@link ports} takes them from, with the options of the first call, else of `portalloc.toml`. Workers
 * attach to it.
 */
export function environment(options?: EnvironmentOptions): Environment;
