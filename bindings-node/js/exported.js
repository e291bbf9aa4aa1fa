'use strict';

// Variables that are set in `process.env`, so that the processes that are started from then on have them. What to restore is
// the core's decision.

const { native } = require('./native.js');

const now = (name) => process.env[name];

class Exported {
  #before;

  /** Sets the variables. */
  constructor(variables) {
    this.#before = new native.Exported(Object.entries(variables), now);
    Object.assign(process.env, variables);
  }

  /** What gives them their former values, unless somebody has changed them since: names, each with a value, or null. */
  toRestore() {
    return this.#before.toRestore(now);
  }

  /** Does so. */
  restore() {
    for (const [name, value] of this.toRestore()) {
      if (typeof value === 'string') process.env[name] = value;
      else delete process.env[name];
    }
  }
}

module.exports = { Exported };
