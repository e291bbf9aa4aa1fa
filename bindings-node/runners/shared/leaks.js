'use strict';

// Servers that outlive what their port was leased for. Called while the ports are still leased. Which process counts as a
// server, how long it may take to end, and the sentence are the core's. Knows no runner.

const { leaks } = require('../../js/runners.js');

const MODES = ['warn', 'error', 'off'];

/** What to do with leaks, checked. */
function leakMode(mode = 'warn') {
  if (!MODES.includes(mode)) {
    throw new TypeError(`leak is ${JSON.stringify(mode) ?? String(mode)}; give 'warn', 'error' or 'off'`);
  }
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
