'use strict';

// The environment of a whole run: made by the process that starts the workers, which inherit its variables. Knows no runner.

const { options } = require('../../js/arguments.js');
const { CREATE, createEnvironment } = require('../../js/environment.js');
const { Exported } = require('../../js/exported.js');
const { leakMode, reportLeaks } = require('./leaks.js');

const OPTIONS = { ...CREATE, leak: leakMode };

class Run {
  #environment;
  #exported;
  #leak;

  /** `given` are the options that a user gave to `caller`, `usual` those that hold where he gave none. */
  constructor(caller, given, usual = {}) {
    const { leak = 'warn', ...wanted } = { ...usual, ...options(OPTIONS, given, caller) };
    this.#leak = leak;
    this.#environment = createEnvironment(wanted);
    this.#exported = new Exported(this.#environment.variables);
  }

  get environment() {
    return this.#environment;
  }

  /** Names, with values or null, that give the variables that it has set their former values. */
  toRestore() {
    return this.#exported.toRestore();
  }

  /** Gives the variables that it has set their former values. */
  restoreVariables() {
    this.#exported.restore();
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
