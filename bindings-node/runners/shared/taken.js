'use strict';

// What a test file takes by lease(), port() and createEnvironment() and does not give back. A runner may use one thread for
// many files, and nothing is given back by garbage collection. Knows no runner.

const { giveBackSince, mark } = require('../../js/runners.js');

/** What this thread takes from here on. */
class Taken {
  #since = mark();

  /** Gives it back, and begins anew. */
  giveBack() {
    giveBackSince(this.#since);
    this.#since = mark();
  }

  /** Lets it stay, and begins anew. */
  leave() {
    this.#since = mark();
  }
}

module.exports = { Taken };
