'use strict';

// What a test has leased, until the test is over. For runners whose hooks run in the order in which they were written: ours
// were there first, so at the end of a test they would come before those that stop its servers. So a test's leases live
// until the next test begins or its file ends; by then all of its own hooks have run. Knows no runner.

const { lease } = require('../../index.js');
const { findLeaks, leakMode, tell } = require('./leaks.js');

class Held {
  #test;
  #leases = [];
  #errors = [];
  #import;

  /** `what` it was imported from, for the error of a call that comes too early. */
  constructor(what) {
    this.#import = what;
  }

  /** A test begins, so the one before is over. */
  async begin(test) {
    await this.#endTest();
    this.#test = test;
  }

  /** The last test is over. Throws what the leaks of its tests come to. */
  async end() {
    await this.#endTest();
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new Error(errors.map(String).join('\n'));
  }

  lease(countOrOptions) {
    if (this.#test === undefined) {
      throw new Error(
        `leaseForTest() of ${this.#import}: no test is running; call it in a test or a beforeEach hook; elsewhere ` +
          'call lease() of portalloc, which is given back at the end of the file',
      );
    }
    const one = take(countOrOptions);
    this.#leases.push(one);
    return one.taken;
  }

  async #endTest() {
    const test = this.#test;
    this.#test = undefined;
    for (const { taken, leak } of this.#leases.splice(0)) {
      await giveBack(taken, leak, `test "${test}"`).catch((error) => this.#errors.push(error));
    }
  }
}

/** A lease, and what to do with its leaks, which is our own option beside those of `lease`. */
function take(countOrOptions) {
  if (typeof countOrOptions !== 'object' || countOrOptions === null) return { leak: leakMode(), taken: lease(countOrOptions) };
  const { leak, ...wanted } = countOrOptions;
  return { leak: leakMode(leak), taken: lease(wanted) };
}

/** Releases a lease, after a look at who is still there. */
async function giveBack(taken, leak, what) {
  if (taken.released) return;
  try {
    if (leak === 'off') return;
    taken.dropGuard(); // its sockets are no leak
    tell(leak, what, await findLeaks(taken.ports));
  } finally {
    taken.release();
  }
}

module.exports = { Held, giveBack, take };
