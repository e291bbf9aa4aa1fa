'use strict';

// Environments: the object around the addon's. Those that this thread holds end when it does, not with the object.

const { inspect } = require('node:util');
const given = require('./arguments.js');
const { cancellable } = require('./cancellable.js');
const { date } = require('./dates.js');
const { lifted, wrongType } = require('./errors.js');
const { leaseOf, listed } = require('./lease.js');
const { native } = require('./native.js');
const { asyncDispose, dispose } = require('./symbols.js');
const variables = require('./variables.js');

/** Only this package makes environments. */
const OURS = Symbol('portalloc');

const envFile = (value, what) => (typeof value === 'boolean' ? value : given.filePath(value, what));

const CURRENT = {
  count: given.of('number'),
  names: given.listOf('text'),
  instanceId: given.of('text'),
  worktree: given.filePath,
  envFile,
  ...given.SOURCE,
  sticky: given.of('flag'),
};
const CREATE = {
  ...CURRENT,
  ...given.WANTED,
  kept: given.of('flag'),
  ttlMs: given.of('number'),
  ownerPid: given.of('number'),
  guard: given.of('flag'),
};
const CREATE_ASYNC = { ...CREATE, signal: given.of('signal') };

class Environment {
  #handle;
  #facts;
  #exported;
  #lease;

  constructor(ours, handle) {
    if (ours !== OURS) throw wrongType('new Environment()', 'what you want to Environment.create()', undefined);
    this.#handle = handle;
    this.#facts = handle.facts();
  }

  static create(countOrOptions) {
    try {
      const options = given.countOrOptions(CREATE, countOrOptions, 'Environment.create()');
      return new Environment(OURS, native.createEnvironment(asked(options)));
    } catch (error) {
      throw lifted(error, Environment.create);
    }
  }

  static async createAsync(countOrOptions) {
    const { signal, ...options } = given.countOrOptions(CREATE_ASYNC, countOrOptions, 'Environment.createAsync()');
    const make = (wait) => native.createEnvironmentAsync(wait, asked(options));
    const giveBack = (handle) => handle.cleanupAsync(variables.place()).catch(() => {});
    return new Environment(OURS, await cancellable(signal, make, giveBack));
  }

  static attach(id) {
    try {
      const named = id === undefined ? variables.isolationId() : given.typed('text', id, 'id');
      return new Environment(OURS, native.attachEnvironment(named, variables.place()));
    } catch (error) {
      throw lifted(error, Environment.attach);
    }
  }

  static current(countOrOptions) {
    try {
      const options = given.countOrOptions(CURRENT, countOrOptions, 'Environment.current()');
      const handle = native.currentEnvironment(variables.isolationId(), asked(options));
      const environment = new Environment(OURS, handle);
      if (!handle.attached) environment.#export();
      return environment;
    } catch (error) {
      throw lifted(error, Environment.current);
    }
  }

  get id() {
    return this.#facts.id;
  }

  get ports() {
    return Object.freeze(this.#facts.ports);
  }

  get basePort() {
    return this.#facts.ports[0];
  }

  get names() {
    return Object.freeze(this.#facts.names);
  }

  port(name) {
    if (typeof name !== 'string' && typeof name !== 'number') throw wrongType('name', 'a name or an index', name);
    try {
      return this.#facts.ports[this.#handle.index(String(name))];
    } catch (error) {
      throw lifted(error, this.port);
    }
  }

  get tempDir() {
    return this.#facts.tempDir;
  }

  get envFile() {
    return this.#facts.envFile ?? undefined;
  }

  get worktreePath() {
    return this.#facts.worktreePath;
  }

  get instanceId() {
    return this.#facts.instanceId;
  }

  get lifetime() {
    return this.#facts.lifetime;
  }

  get createdAt() {
    return date(this.#facts.createdAt);
  }

  get expiresAt() {
    return date(this.#facts.expiresAt);
  }

  get variables() {
    return Object.fromEntries(this.#facts.variables);
  }

  render(syntax = 'shell') {
    try {
      return this.#handle.render(given.typed('text', syntax, 'syntax'));
    } catch (error) {
      throw lifted(error, this.render);
    }
  }

  get lease() {
    const number = this.#handle.lease();
    if (number === null) return undefined;
    return (this.#lease ??= leaseOf(number, this));
  }

  cleanup() {
    this.#unexport();
    try {
      this.#handle.cleanup(variables.place());
    } catch (error) {
      throw lifted(error, this.cleanup);
    }
  }

  [dispose]() {
    if (!this.#handle.attached) this.cleanup();
  }

  async [asyncDispose]() {
    if (this.#handle.attached) return;
    this.#unexport();
    try {
      await this.#handle.cleanupAsync(variables.place());
    } catch (error) {
      throw lifted(error);
    }
  }

  /** Into `process.env`, for the processes that are started from here on. */
  #export() {
    this.#exported = this.variables;
    Object.assign(process.env, this.#exported);
  }

  /** Only what still is as it was exported. */
  #unexport() {
    for (const [name, value] of Object.entries(this.#exported ?? {})) {
      if (process.env[name] === value) delete process.env[name];
    }
    this.#exported = undefined;
  }

  toJSON() {
    const { id, ports, names, tempDir, envFile, worktreePath, instanceId, lifetime, createdAt, expiresAt } = this;
    return { id, ports, names, tempDir, envFile, worktreePath, instanceId, lifetime, createdAt, expiresAt };
  }

  toString() {
    return `[Environment ${this.id} ${listed(this.ports)}]`;
  }

  get [Symbol.toStringTag]() {
    return 'Environment';
  }

  [inspect.custom](_depth, options) {
    const named = this.ports.map((port, index) => {
      const name = this.names[index];
      return `${name === undefined ? '' : `${name}: `}${options.stylize(String(port), 'number')}`;
    });
    return `Environment ${this.id} { ${named.join(', ')} }`;
  }
}

/** What the addon is asked for. */
function asked({ count, ports, offsets, scattered, pool, exclude, envFile: file, ...rest }) {
  return {
    ...rest,
    wanted: { count, ports, offsets, scattered },
    place: variables.place(pool, exclude),
    envFile: typeof file === 'string' ? file : undefined,
    noEnvFile: file === false,
  };
}

module.exports = { Environment };
