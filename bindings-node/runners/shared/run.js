'use strict';

// The environment of a whole run: made by the process that starts the workers, which inherit its variables and outlive
// neither it nor its ports. Knows no runner.

const { Environment } = require('../../index.js');
const { findLeaks, leakMode, tell } = require('./leaks.js');

class Run {
  #environment;
  #before = new Map();
  #leak;

  /** `leak` is ours; all else is for `Environment.create`. No env file, unless it is asked for. */
  constructor({ leak, ...options }) {
    this.#leak = leakMode(leak);
    this.#environment = Environment.create({ envFile: false, ...options });
    for (const [name, value] of Object.entries(this.#environment.variables)) {
      this.#before.set(name, { value, was: process.env[name] });
      process.env[name] = value;
    }
  }

  get environment() {
    return this.#environment;
  }

  /** Names its leaks and ends it. Again does nothing. */
  async end() {
    const environment = this.#environment;
    this.#environment = undefined;
    if (!environment) return;
    try {
      if (this.#leak !== 'off') {
        environment.lease?.dropGuard();
        tell(this.#leak, 'The run', await findLeaks(environment.ports));
      }
    } finally {
      this.#restoreVariables();
      environment.cleanup();
    }
  }

  /** Only what still is as it was set here. */
  #restoreVariables() {
    for (const [name, { value, was }] of this.#before) {
      if (process.env[name] !== value) continue;
      if (was === undefined) delete process.env[name];
      else process.env[name] = was;
    }
  }
}

module.exports = { Run };
