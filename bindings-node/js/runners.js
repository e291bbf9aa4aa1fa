'use strict';

// What our helpers for test runners ask when a test is over. Not exported: nobody else has a use for it.

const { lifted } = require('./errors.js');
const { native } = require('./native.js');
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

/** A point in what this thread takes. */
const mark = () => native.mark();

/** Gives back what this thread has taken since then: leases, environments and ports. */
const giveBackSince = (since) => native.giveBackSince(since);

/** The process object of this thread, of which a test file in Jest has a copy. */
const threadProcess = () => native.threadProcess();

module.exports = { explainConflict, giveBackSince, leaks, mark, threadProcess };
