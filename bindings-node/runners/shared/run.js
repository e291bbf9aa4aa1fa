'use strict';

// The environment of a whole run: made by the process that starts the workers, which inherit its variables. Knows no runner.

const { createEnvironment } = require('../../index.js');
const { Exported } = require('../../js/exported.js');
const { leakMode, reportLeaks } = require('./leaks.js');

class Run {
  #environment;
  #exported;
  #leak;

  /** `leak` is ours; all other options are for `createEnvironment`. */
  constructor({ leak, ...options }) {
    this.#leak = leakMode(leak);
    this.#environment = createEnvironment(options);
    this.#exported = new Exported(this.#environment.variables);
  }

  get environment() {
    return this.#environment;
  }

  /** Reports its leaks and ends it. Safe to call twice. */
  async end() {
    const environment = this.#environment;
    this.#environment = undefined;
    if (!environment) return;
    try {
      environment.lease?.dropGuard();
      await reportLeaks(this.#leak, 'The run', environment.ports);
    } finally {
      this.#exported.restore();
      environment.cleanup();
    }
  }
}

module.exports = { Run };
