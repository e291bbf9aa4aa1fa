'use strict';

// Servers that outlive what their port was leased for. Called while the ports are still leased. Which process counts as a
// server, how long it may take to end, and the sentence are the core's. Knows no runner.

const { refused, shown } = require('../../js/errors.js');
const { leaks } = require('../../js/runners.js');

const MODES = ['warn', 'error', 'off'];

/** The option `leak`, checked. */
function leakMode(mode) {
  if (!MODES.includes(mode)) throw refused(`leak is ${shown(mode)}`, "give 'warn', 'error' or 'off'");
  return mode;
}

/** Warns of servers on the ports, or throws in the mode `error`. `what` is over. */
async function reportLeaks(mode, what, ports) {
  if (mode === 'off') return;
  const found = await leaks(ports);
  if (found.length === 0) return;
  const text = `portalloc: ${what} is over: ${found.join('; ')}`;
  if (mode === 'error') throw new PortLeakError(text);
  console.warn(text);
}

class PortLeakError extends Error {
  get name() {
    return 'PortLeakError';
  }
}

module.exports = { leakMode, reportLeaks };
