import type { Environment, EnvironmentOptions } from '../../index.js';

/**
 * A port for each name, the same wherever the configuration is read: held by the process that runs the tests, which puts
 * the environment's variables where `webServer` and the workers find them.
 */
export function ports<Name extends string>(...names: Name[]): Record<Name, number>;

/**
 * The environment that {@link ports} takes them from: as `options` of the first call, or `portalloc.toml`, say. Workers
 * attach to it.
 */
export function environment(options?: EnvironmentOptions): Environment;
