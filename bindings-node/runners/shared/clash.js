'use strict';

// Says of failures that come from an address in use who is on the port. Loads the addon at the first of them, not before.
// Knows no runner: it is given errors, which may be those of another process as plain objects, and texts.

const { isClash, portsOfClash } = require('./clash_ports.js');

// What a run may cost: a look at a port takes about a millisecond.
const MOST_LOOKS = 64;
const MOST_CAUSES = 100;

class Clashes {
  #looks = 0;

  /** A sentence for each port in question; none if this was no clash. `failures` are the errors and texts of one test. */
  explain(failures) {
    const all = [...chain(failures)];
    const named = all.flatMap(portsNamed);
    if (named.length > 0) {
      const gone = (port) => [`port ${port} was in use; nobody is on it any more`];
      return unique(named).flatMap((port) => this.#look(port, gone));
    }
    return unique(all.flatMap(portsGuessed)).flatMap((port) => this.#look(port, () => []));
  }

  #look(port, otherwise) {
    if (this.#looks >= MOST_LOOKS) return [];
    this.#looks += 1;
    try {
      const report = require('../../index.js').who(port);
      return report.inUse || report.leased ? [report.message] : otherwise(port);
    } catch (error) {
      return [`port ${port}: nothing can be said of it: ${error.message}`]; // a report must not fail by us
    }
  }
}

const unique = (ports) => [...new Set(ports)];

/** The errors and texts, with causes and members, each once. */
function* chain(failures) {
  const waiting = [...failures];
  const seen = new Set();
  while (waiting.length > 0 && seen.size < MOST_CAUSES) {
    const one = waiting.shift();
    if (one === undefined || one === null || seen.has(one)) continue;
    seen.add(one);
    yield one;
    if (typeof one !== 'object') continue;
    waiting.push(one.cause, ...(Array.isArray(one.errors) ? one.errors : []));
  }
}

/** Node's own error knows its port, and so do ours. */
function portsNamed({ code, port, ports }) {
  if (code === 'EADDRINUSE' && Number.isInteger(port) && port > 0) return [port];
  return code === 'port_in_use' && Array.isArray(ports) ? ports.filter(Number.isInteger) : [];
}

function portsGuessed(failure) {
  const texts = typeof failure === 'string' ? [failure] : [failure.message, failure.stderr, failure.stdout];
  return texts.flatMap((text) => {
    // Of a child process it may be a Buffer.
    const shown = text === undefined || text === null ? '' : String(text);
    return isClash(shown) ? portsOfClash(shown) : [];
  });
}

module.exports = { Clashes };
