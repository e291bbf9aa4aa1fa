'use strict';

// Servers that outlive what their port was leased for: finds them, and says so. Called while the ports are still leased, so
// whoever is on one of them got the number from there. Knows sockets and processes, not runners.

const { setTimeout: sleep } = require('node:timers/promises');
const { who } = require('../../index.js');

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
    const found = ports.map((port) => leakOf(who(port))).filter(Boolean);
    if (found.length === 0 || performance.now() >= deadline) return found;
    await sleep(LOOK_EVERY_MS);
  }
}

function leakOf({ port, holders, sockets }) {
  const names = holders.filter((holder) => holder.listening).map(nameOf);
  if (names.length === 0 && sockets.some(({ state }) => state === 'listen' || state === 'unconnected')) {
    names.push('a process that cannot be seen from here');
  }
  return names.length > 0 ? `port ${port} is given back, but still listened on by ${names.join(', ')}` : undefined;
}

function nameOf({ pid, command, name, startedAt }) {
  if (pid === process.pid) return `this very process, PID ${pid}: a server or socket that was not closed`;
  return `PID ${pid} (${command || name || 'unknown command'})${startedAt ? `, since ${startedAt.toISOString()}` : ''}`;
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
