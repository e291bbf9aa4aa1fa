'use strict';

// The leases of a test, until the test is over. For runners that run hooks in the order in which they were added: ours were
// added first, so at the end of a test they would run before the hooks that stop its servers. So a test's leases last until
// the next test begins or its file ends; by then all of its own hooks have run. Knows no runner.

const { lease } = require('../../index.js');
const { leakMode, reportLeaks } = require('./leaks.js');

class Held {
  #test;
  #leases = [];
  #errors = [];
  #import;

  /** `imported` is the module's name, for the error of a call outside of a test. */
  constructor(imported) {
    this.#import = imported;
  }

  /** A test begins, so the previous one is over. */
  async begin(test) {
    await this.#endTest();
    this.#test = test;
  }

  /** The last test is over. Throws the leaks of all tests that were to fail by them. */
  async end() {
    await this.#endTest();
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new Error(errors.map(String).join('\n'));
  }

  lease(countOrOptions) {
    if (this.#test === undefined) {
      throw new Error(
        `leaseForTest() of ${this.#import}: no test is running; call it in a test or in a beforeEach hook; elsewhere, call ` +
          'lease() of portalloc, which is released at the end of the file',
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

/** A lease, and what to do with its leaks: our own option beside those of `lease`. */
function take(countOrOptions) {
  if (typeof countOrOptions !== 'object' || countOrOptions === null) return { leak: leakMode(), taken: lease(countOrOptions) };
  const { leak, ...wanted } = countOrOptions;
  return { leak: leakMode(leak), taken: lease(wanted) };
}

/** Reports the leaks of a lease, and releases it. */
async function giveBack(taken, leak, what) {
  if (taken.released) return;
  try {
    taken.dropGuard(); // its sockets are no leak
    await reportLeaks(leak, what, taken.ports);
  } finally {
    taken.release();
  }
}

module.exports = { Held, giveBack, take };
