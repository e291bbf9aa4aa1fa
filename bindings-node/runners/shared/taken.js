'use strict';

// What a test file takes by lease(), port() and Environment.create() and does not give back: runners use one thread for many
// files, and what their code loses sight of stays. Knows no runner.

const { giveBackSince, mark } = require('../../js/runners.js');

/** What this thread takes from here on. */
class Taken {
  #since = mark();

  /** Gives it back, and begins anew. */
  giveBack() {
    giveBackSince(this.#since);
    this.#since = mark();
  }

  /** Leaves it to whoever has it, and begins anew. */
  leave() {
    this.#since = mark();
  }
}

module.exports = { Taken };
