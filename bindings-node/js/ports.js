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
const WAIT_OPEN = { ...WAIT, http: given.of('text'), status: given.of('number') };

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

async function waitUntilOpen(ports, options) {
  const numbers = given.oneOrMore('number', ports, 'ports');
  const { waitMs = USUAL_MS, signal, ...ready } = given.options(WAIT_OPEN, options, 'waitUntilOpen()');
  await cancellable(signal, (wait) => native.waitUntilOpen(wait, numbers, waitMs, ready, place()));
}

async function waitUntilFree(ports, options) {
  const numbers = given.oneOrMore('number', ports, 'ports');
  const { waitMs = USUAL_MS, signal } = given.options(WAIT, options, 'waitUntilFree()');
  await cancellable(signal, (wait) => native.waitUntilFree(wait, numbers, waitMs, place()));
}

module.exports = { PortReport, isFree, waitUntilFree, waitUntilOpen, who };
