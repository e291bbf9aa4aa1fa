'use strict';

// What our helpers for test runners ask when a test is over. Not exported: nobody else has a use for it.

const { lifted } = require('./errors.js');
const { isLoaded, native } = require('./native.js');
const { place } = require('./variables.js');

/** A sentence for each port that a failure was about, as the addon says of it; undefined if it was no port conflict. */
function explainConflict({ named, conflicts, texts }) {
  try {
    return native.explainConflict(named, conflicts, texts, place()) ?? undefined;
  } catch (error) {
    throw lifted(error, explainConflict);
  }
}

/** A promise of a sentence for each port with a server that outlives the grace period, of ports that are still leased. */
async function leaks(ports) {
  try {
    return await native.leaks(ports, place());
  } catch (error) {
    throw lifted(error);
  }
}

// Helpers call these when they are loaded. Without an addon nothing can be taken, and loading throws nothing.

/** A point in what this thread takes. */
const mark = () => (isLoaded ? native.mark() : undefined);

/** Gives back what this thread has taken since then: leases, environments and ports. */
const giveBackSince = (since) => {
  if (isLoaded) native.giveBackSince(since);
};

/** The process object of this thread, of which a test file in Jest has a copy. */
const threadProcess = () => (isLoaded ? native.threadProcess() : process);

module.exports = { explainConflict, giveBackSince, leaks, mark, threadProcess };
