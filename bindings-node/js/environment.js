'use strict';

// Environments: the object around the addon's. Those that this thread holds end with the thread, not with the object.

const { inspect } = require('node:util');
const given = require('./arguments.js');
const { callerInTest } = require('./caller.js');
const { USUAL_MS, cancellable } = require('./cancellable.js');
const { lifted, refused, wrongType } = require('./errors.js');
const { Exported } = require('./exported.js');
const { leaseOf, listed } = require('./lease.js');
const { native } = require('./native.js');
const { parsed } = require('./parsed.js');
const { asyncDispose, dispose } = require('./symbols.js');
const variables = require('./variables.js');

/** Only this package makes environments. */
const OURS = Symbol('portalloc');

const envFile = (value, what) => (typeof value === 'boolean' ? value : given.filePath(value, what));

const EVERY = {
  count: given.of('number'),
  names: given.listOf('text'),
  instanceId: given.of('text'),
  worktree: given.filePath,
  ...given.SOURCE,
  sticky: given.of('flag'),
  prefer: given.oneOrMoreOf('number'),
};
const CURRENT = { ...EVERY, envFile };
const CREATE = {
  ...CURRENT,
  ...given.WANTED,
  kept: given.of('flag'),
  ttlMs: given.of('number'),
  ownerPid: given.of('number'),
  guard: given.of('flag'),
};
const CREATE_ASYNC = { ...CREATE, signal: given.of('signal') };
const OF_WORKTREE = { ...EVERY, ...given.WANTED, create: given.of('flag'), repair: given.of('flag') };
const OF_WORKTREE_ASYNC = { ...OF_WORKTREE, signal: given.of('signal') };
const DOWN = { timeoutMs: given.of('number'), dryRun: given.of('flag'), signal: given.of('signal') };
const STOP = { ports: given.oneOrMoreOf('port'), ...DOWN };
const WAIT = {
  ports: given.oneOrMoreOf('port'),
  http: given.of('text'),
  status: given.of('number'),
  waitMs: given.of('number'),
  signal: given.of('signal'),
};

class Environment {
  #handle;
  #record;
  #exported;
  #lease;

  /** `isExported`: whether its variables are set in `process.env` until the cleanup. */
  constructor(ours, handle, isExported = false) {
    if (ours !== OURS) throw refused('new Environment() makes nothing', 'call createEnvironment()');
    this.#handle = handle;
    this.#record = parsed(handle.record());
    if (isExported) this.#exported = new Exported(this.variables);
  }

  get id() {
    return this.#record.isolationId;
  }

  get ports() {
    return this.#record.ports.ports;
  }

  get basePort() {
    return this.#record.ports.basePort;
  }

  get names() {
    return this.#record.names;
  }

  port(name) {
    if (typeof name !== 'string' && typeof name !== 'number') throw wrongType('name', 'a name or an index', name);
    try {
      return this.ports[this.#handle.index(String(name))];
    } catch (error) {
      throw lifted(error, this.port);
    }
  }

  get tempDir() {
    return this.#record.tempDir;
  }

  get envFile() {
    return this.#record.envFile;
  }

  get worktreePath() {
    return this.#record.worktreePath;
  }

  get instanceId() {
    return this.#record.instanceId;
  }

  get lifetime() {
    return this.#record.lifetime;
  }

  get createdAt() {
    return this.#record.createdAt;
  }

  get expiresAt() {
    return this.#record.expiresAt;
  }

  get variables() {
    return Object.fromEntries(this.#handle.variables());
  }

  render(syntax = 'shell') {
    try {
      return native.render(this.#handle.variables(), given.typed('text', syntax, 'syntax'));
    } catch (error) {
      throw lifted(error, this.render);
    }
  }

  get lease() {
    const number = this.#handle.lease();
    if (number === null) return undefined;
    return (this.#lease ??= leaseOf(number, this.ports));
  }

  async stop(options) {
    const { signal, ports, ...how } = given.options(STOP, options, 'stop()');
    const numbers = ports && this.#numbers(ports);
    return stopReport(await cancellable(signal, (wait) => this.#handle.stop(wait, { ...how, ports: numbers })));
  }

  async down(options) {
    const { signal, ...how } = given.options(DOWN, options, 'down()');
    const report = stopReport(await cancellable(signal, (wait) => this.#handle.down(wait, how)));
    if (report.removed) this.#restore();
    return report;
  }

  async waitUntilOurs(options) {
    const { signal, ports = [], waitMs = USUAL_MS, ...ready } = given.options(WAIT, options, 'waitUntilOurs()');
    const numbers = this.#numbers(ports);
    await cancellable(signal, (wait) => this.#handle.waitUntilOurs(wait, numbers, waitMs, ready));
  }

  #numbers(ports) {
    return ports.map((port) => (typeof port === 'string' ? this.port(port) : port));
  }

  hold() {
    try {
      return require('./hold.js').holdOf(this.#handle.hold());
    } catch (error) {
      throw lifted(error, this.hold);
    }
  }

  writeBlock(path) {
    try {
      this.#handle.writeBlock(given.filePath(path, 'path'));
    } catch (error) {
      throw lifted(error, this.writeBlock);
    }
  }

  cleanup() {
    this.#restore();
    try {
      this.#handle.cleanup();
    } catch (error) {
      throw lifted(error, this.cleanup);
    }
  }

  [dispose]() {
    if (!this.#handle.attached) this.cleanup();
  }

  async [asyncDispose]() {
    if (this.#handle.attached) return;
    this.#restore();
    try {
      await this.#handle.cleanupAsync();
    } catch (error) {
      throw lifted(error);
    }
  }

  #restore() {
    this.#exported?.restore();
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

function createEnvironment(countOrOptions) {
  try {
    const options = given.countOrOptions(CREATE, countOrOptions, 'createEnvironment()');
    return new Environment(OURS, native.createEnvironment(asked(options, createEnvironment)));
  } catch (error) {
    throw lifted(error, createEnvironment);
  }
}

async function createEnvironmentAsync(countOrOptions) {
  const { signal, ...options } = given.countOrOptions(CREATE_ASYNC, countOrOptions, 'createEnvironmentAsync()');
  const wanted = asked(options, createEnvironmentAsync);
  const make = (wait) => native.createEnvironmentAsync(wait, wanted);
  const giveBack = (handle) => handle.cleanupAsync().catch(() => {});
  return new Environment(OURS, await cancellable(signal, make, giveBack));
}

function attachEnvironment(id) {
  try {
    const named = id === undefined ? variables.isolationId() : given.typed('text', id, 'id');
    return new Environment(OURS, native.attachEnvironment(named, variables.place()));
  } catch (error) {
    throw lifted(error, attachEnvironment);
  }
}

function currentEnvironment(countOrOptions) {
  try {
    const options = given.countOrOptions(CURRENT, countOrOptions, 'currentEnvironment()');
    const handle = native.currentEnvironment(variables.isolationId(), asked(options, currentEnvironment));
    return new Environment(OURS, handle, !handle.attached);
  } catch (error) {
    throw lifted(error, currentEnvironment);
  }
}

function worktreeEnvironment(countOrOptions) {
  try {
    const options = given.countOrOptions(OF_WORKTREE, countOrOptions, 'worktreeEnvironment()');
    const { create = true, repair = false, ...rest } = options;
    const handle = native.worktreeEnvironment(create, repair, asked(rest, worktreeEnvironment));
    return handle && new Environment(OURS, handle);
  } catch (error) {
    throw lifted(error, worktreeEnvironment);
  }
}

async function worktreeEnvironmentAsync(countOrOptions) {
  const options = given.countOrOptions(OF_WORKTREE_ASYNC, countOrOptions, 'worktreeEnvironmentAsync()');
  const { signal, create = true, repair = false, ...rest } = options;
  const wanted = asked(rest, worktreeEnvironmentAsync);
  const handle = await cancellable(signal, (wait) => native.worktreeEnvironmentAsync(wait, create, repair, wanted));
  return handle && new Environment(OURS, handle);
}

/** What came of ending servers, and whether anything is left on the ports. */
function stopReport(json) {
  const report = parsed(json);
  const { processes, foreign, unknown, supervisors } = report;
  const left = [...foreign, ...unknown, ...supervisors, ...processes.filter(({ outcome }) => outcome === 'remains')];
  return Object.freeze({ clear: left.length === 0, ...report });
}

/** The addon's options. */
function asked({ count, exact, offsets, scattered, pool, exclude, ...rest }, callee) {
  return { ...rest, at: callerInTest(callee), wanted: { count, exact, offsets, scattered }, place: variables.place(pool, exclude) };
}

module.exports = {
  CREATE,
  Environment,
  attachEnvironment,
  createEnvironment,
  createEnvironmentAsync,
  currentEnvironment,
  worktreeEnvironment,
  worktreeEnvironmentAsync,
};
