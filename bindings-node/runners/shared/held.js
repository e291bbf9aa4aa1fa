'use strict';

// The leases of a test, until the test is over. For runners that run hooks in the order in which they were added: ours were
// added first, so at the end of a test they would run before the hooks that stop its servers. So a test's leases last until
// the next test begins or its file ends; by then all of its own hooks have run. Knows no runner.

const { countOrOptions } = require('../../js/arguments.js');
const { refused } = require('../../js/errors.js');
const { LEASE, lease } = require('../../js/lease.js');
const { leakMode, reportLeaks } = require('./leaks.js');

const OPTIONS = { ...LEASE, leak: leakMode };

class Held {
  #test;
  #leases = [];
  #errors = [];
  #import;

  /** `imported` is the module's name, for the error of a call outside of a test. */
  constructor(imported) {
    this.#import = imported;
  }

  /** A test begins, so the previous one is over, and all of its hooks. */
  async begin(test) {
    await this.#giveBack();
    this.#test = test;
  }

  /** A test is over. Hooks of its own may still be to run, and the next hook may be one for all tests, which gets no leases. */
  over() {
    this.#test = undefined;
  }

  /** The last test is over. Throws the leaks of all tests that were to fail by them. */
  async end() {
    this.over();
    await this.#giveBack();
    const errors = this.#errors.splice(0);
    if (errors.length > 0) throw errors.length === 1 ? errors[0] : new Error(errors.map(String).join('\n'));
  }

  lease(given) {
    const test = this.#test;
    if (test === undefined) throw noTest(this.#import);
    const one = { test, ...take(given) };
    this.#leases.push(one);
    return one.taken;
  }

  async #giveBack() {
    for (const { test, taken, leak } of this.#leases.splice(0)) {
      await giveBack(taken, leak, `test "${test}"`).catch((error) => this.#errors.push(error));
    }
  }
}

/** The error of a call outside of a test, of the helper that is imported as `imported`. */
const noTest = (imported) =>
  refused(
    `leaseForTest() of ${imported} was called while no test is running`,
    'call it in a test or in a beforeEach hook; for a whole file, as in a hook for all of its tests or at its top, and in tests ' +
      'that run concurrently, call lease() or port() of portalloc, which the file gives back at its end',
  );

/** A lease, and what to do with its leaks: our own option beside those of `lease`. */
function take(given) {
  const { leak = 'warn', ...wanted } = countOrOptions(OPTIONS, given, 'leaseForTest()');
  return { leak, taken: lease(wanted) };
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

module.exports = { Held, giveBack, noTest, take };
