'use strict';

// Servers that outlive what their port was leased for: waits until they are gone, and says so of those that stay. Called
// while the ports are still leased. Who counts as a server, and what is said of it, is the core's. Knows no runner.

const { setTimeout: sleep } = require('node:timers/promises');
const { leaks } = require('../../js/runners.js');

/** A server that was told to end and not waited for is given so long before it counts as a leak. */
const GRACE_MS = 250;
const LOOK_EVERY_MS = 10;

const MODES = ['warn', 'error', 'off'];

/** What to do with leaks, checked. */
function leakMode(mode = 'warn') {
  if (!MODES.includes(mode)) {
    throw new TypeError(`leak is ${JSON.stringify(mode) ?? String(mode)}; give 'warn', 'error' or 'off'`);
  }
  return mode;
}

/** A sentence for each of the ports on which something listens. */
async function findLeaks(ports) {
  const deadline = performance.now() + GRACE_MS;
  for (;;) {
    const found = leaks(ports);
    if (found.length === 0 || performance.now() >= deadline) return found;
    await sleep(LOOK_EVERY_MS);
  }
}

/** Warns, or throws in the mode `error`. `what` is over. */
function tell(mode, what, leaks) {
  if (leaks.length === 0 || mode === 'off') return;
  const text = `${what} is over: ${leaks.join('; ')}`;
  if (mode === 'error') throw new PortLeakError(`portalloc: ${text}`);
  console.warn(`portalloc: ${text}`);
}

class PortLeakError extends Error {
  get name() {
    return 'PortLeakError';
  }
}

module.exports = { findLeaks, leakMode, tell };
