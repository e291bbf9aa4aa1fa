'use strict';

// What is asked about ports without leasing them, and waiting for them.

const { inspect } = require('node:util');
const given = require('./arguments.js');
const { cancellable } = require('./cancellable.js');
const { lifted } = require('./errors.js');
const { native } = require('./native.js');
const { dated } = require('./dates.js');
const { place } = require('./variables.js');

/** As long as servers take at most, if nothing is wrong. */
const USUAL_MS = 30_000;

const WAIT = { timeoutMs: given.of('number'), signal: given.of('signal') };

function isFree(port) {
  try {
    return native.isFree(given.typed('number', port, 'port'), place());
  } catch (error) {
    throw lifted(error, isFree);
  }
}

class PortReport {
  constructor(report) {
    Object.assign(this, dated(report, 'leasedSince'));
    this.holders = Object.freeze(report.holders.map((holder) => Object.freeze(dated(holder, 'startedAt'))));
    this.sockets = Object.freeze(report.sockets.map((socket) => Object.freeze(socket)));
    Object.freeze(this);
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
    return new PortReport(native.who(given.typed('number', port, 'port'), place()));
  } catch (error) {
    throw lifted(error, who);
  }
}

/** Waits by `call` until `ports` are as it says. */
const waiting = (call, name) =>
  async function (ports, options) {
    const numbers = given.oneOrMore('number', ports, 'ports');
    const { timeoutMs = USUAL_MS, signal } = given.options(WAIT, options, name);
    await cancellable(signal, (wait) => call(wait, numbers, timeoutMs, place()));
  };

const waitFor = waiting(native.waitFor, 'waitFor()');
const waitFree = waiting(native.waitFree, 'waitFree()');

module.exports = { PortReport, isFree, waitFor, waitFree, who };
