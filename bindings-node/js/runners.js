'use strict';

// What our helpers for test runners ask when a test is over. Not exported: nobody else has a use for it.

const { lifted } = require('./errors.js');
const { native } = require('./native.js');
const { place } = require('./variables.js');

/** Groups of ports that a text about an address in use may mean, the surest first; none if it tells of no such thing. */
const clashIn = (text) => native.clashIn(text);

/** Reports of those of the ports that can be what a clash was about. */
function culprits(ports) {
  try {
    return native.culprits(ports, place());
  } catch (error) {
    throw lifted(error, culprits);
  }
}

/** A sentence for each port with a server, of those that are still leased, but about to be given back. */
function leaks(ports) {
  try {
    return native.leaks(ports, place());
  } catch (error) {
    throw lifted(error, leaks);
  }
}

/** A point in what this thread takes. */
const mark = () => native.mark();

/** Gives back what this thread has taken since then: leases, environments and ports. */
const giveBackSince = (since) => native.giveBackSince(since);

module.exports = { clashIn, culprits, giveBackSince, leaks, mark };
