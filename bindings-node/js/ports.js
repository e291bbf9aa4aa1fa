'use strict';

// Questions about ports that lease nothing, and waiting for ports.

const { inspect } = require('node:util');
const given = require('./arguments.js');
const { USUAL_MS, cancellable } = require('./cancellable.js');
const { lifted } = require('./errors.js');
const { native } = require('./native.js');
const { parsed } = require('./parsed.js');
const { place } = require('./variables.js');

const WAIT = { waitMs: given.of('number'), signal: given.of('signal') };

function isFree(port) {
  try {
    return native.isFree(given.typed('number', port, 'port'), place());
  } catch (error) {
    throw lifted(error, isFree);
  }
}

class PortReport {
  constructor(report) {
    Object.freeze(Object.assign(this, report));
  }

  get leased() {
    return this.lease !== undefined;
  }

  toString() {
    return this.message;
  }

  [Symbol.iterator]() {
    return this.holders[Symbol.iterator]();
  }

  get [Symbol.toStringTag]() {
    return 'PortReport';
  }

  [inspect.custom]() {
    return `PortReport { ${this.message} }`;
  }
}

function who(port) {
  try {
    return new PortReport(parsed(native.who(given.typed('number', port, 'port'), place())));
  } catch (error) {
    throw lifted(error, who);
  }
}

/** A function that waits for ports by the addon's one of that name. */
const waiting = (name) =>
  async function (ports, options) {
    const numbers = given.oneOrMore('number', ports, 'ports');
    const { waitMs = USUAL_MS, signal } = given.options(WAIT, options, `${name}()`);
    await cancellable(signal, (wait) => native[name](wait, numbers, waitMs, place()));
  };

const waitUntilOpen = waiting('waitUntilOpen');
const waitUntilFree = waiting('waitUntilFree');

module.exports = { PortReport, isFree, waitUntilFree, waitUntilOpen, who };
