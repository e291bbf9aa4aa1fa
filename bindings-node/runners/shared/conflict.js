'use strict';

// Collects what a failed test knows of a port conflict: errors with their causes, which may be plain objects of another
// process, and texts. Which ports that means and what is said of them is the core's decision. Loads the addon at the first
// failure, not before. Knows no runner.

// A cause may lead to a large object graph.
const MAX_CAUSES = 100;

/** A sentence for each port in question; none if this was no port conflict. `failures` are the errors and texts of one test. */
function explain(failures) {
  const failure = { named: [], conflicts: [], texts: [] };
  for (const one of withCauses(failures)) collect(one, failure);
  try {
    const told = require('../../js/runners.js').explainConflict(failure) ?? [];
    return told.map(({ message, port, isOurs }) => (isOurs ? message + owners(port) : message));
  } catch (error) {
    // A report must not fail because of us.
    return [`this failure cannot be explained: ${error.message.split('\n')[0]}`];
  }
}

/** Which objects of this very process have the port, such as a server that an earlier test left open; Node does not tell where. */
function owners(port) {
  // Node has no public call that returns them.
  const handles = process._getActiveHandles?.() ?? [];
  const onPort = handles.filter((handle) => {
    try {
      return typeof handle.address === 'function' && handle.address()?.port === port;
    } catch {
      return false; // a closed socket
    }
  });
  return onPort.map((handle) => `; it is open in this process as a ${handle.constructor.name}`).join('');
}

/** The errors and texts, with causes and members, each once. */
function* withCauses(failures) {
  const waiting = [...failures];
  const seen = new Set();
  while (waiting.length > 0 && seen.size < MAX_CAUSES) {
    const one = waiting.shift();
    if (one === undefined || one === null || seen.has(one)) continue;
    seen.add(one);
    yield one;
    if (typeof one !== 'object') continue;
    waiting.push(one.cause, ...(Array.isArray(one.errors) ? one.errors : []));
  }
}

/** Node's own error knows its port, and so do ours. The output of a child process may be Buffers. */
function collect(one, { named, conflicts, texts }) {
  const { code, port, ports, message, stderr, stdout } = one;
  if (code === 'EADDRINUSE' && isPort(port)) named.push(port);
  else if (code === 'ERR_PORTALLOC_PORT_IN_USE' && Array.isArray(ports)) named.push(...ports.filter(isPort));
  else if (code === 'EADDRINUSE') conflicts.push(String(message ?? ''));
  const told = typeof one === 'string' ? [one] : [message, stderr, stdout];
  texts.push(...told.filter((text) => text !== undefined && text !== null).map(String));
}

const isPort = (port) => Number.isInteger(port) && port > 0 && port < 65_536;

module.exports = { explain };
