'use strict';

// Says of failures that come from an address in use who is on the port. Loads the addon at the first failure, not before.
// Knows no runner: it is given errors, which may be those of another process as plain objects, and texts.

// What a run may cost: a look at a port takes about a millisecond.
const MOST_LOOKS = 64;
const MOST_CAUSES = 100;

class Clashes {
  #looks = 0;

  /** A sentence for each port in question; none if this was no clash. `failures` are the errors and texts of one test. */
  explain(failures) {
    const all = [...chain(failures)];
    const named = unique(all.flatMap(portsNamed));
    try {
      return named.length > 0 ? this.#sure(named) : this.#guessed(groupsIn(all.flatMap(textsOf)));
    } catch (error) {
      // A report must not fail by us.
      return [`of this failure nothing can be said: ${error.message.split('\n')[0]}`];
    }
  }

  #sure(ports) {
    const { who } = require('../../index.js');
    return this.#some(ports).map((port) => {
      const report = who(port);
      return report.inUse || report.leased ? report.message : `port ${port} was in use; nobody is on it any more`;
    });
  }

  #guessed(groups) {
    const { culprits } = require('../../js/runners.js');
    const known = new Set();
    for (const group of groups) {
      const ports = this.#some(unique(group).filter((port) => !known.has(port)));
      ports.forEach((port) => known.add(port));
      const found = ports.length > 0 ? culprits(ports) : [];
      if (found.length > 0) return found.map(({ message }) => message);
    }
    return [];
  }

  /** As many as may still be looked at. */
  #some(ports) {
    const some = ports.slice(0, MOST_LOOKS - this.#looks);
    this.#looks += some.length;
    return some;
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

/** Of a child process they may be Buffers. */
function textsOf(failure) {
  const texts = typeof failure === 'string' ? [failure] : [failure.message, failure.stderr, failure.stdout];
  return texts.filter((text) => text !== undefined && text !== null).map(String);
}

/** Groups of ports that the texts may mean, the surest first. */
function groupsIn(texts) {
  const { clashIn } = require('../../js/runners.js');
  const clashes = texts.map((text) => clashIn(text)).filter(Boolean);
  const places = Math.max(0, ...clashes.map((groups) => groups.length));
  return Array.from({ length: places }, (_, place) => clashes.flatMap((groups) => groups[place]));
}

module.exports = { Clashes };
