'use strict';

// node:test: leases for single tests. It runs hooks in the order in which they were added, so ours would look for leaks before
// the hooks that stop the servers. So it does not look.

const { refused, shown } = require('../../js/errors.js');
const { lease } = require('../../js/lease.js');

/** As `lease()`, released after the test: `t` is its context. */
function leaseForTest(t, countOrOptions) {
  if (typeof t?.after !== 'function') {
    throw refused(
      `leaseForTest() of portalloc/node-test was given ${shown(t)} in place of the context of a test`,
      'give it the argument `t` of the test or of its beforeEach hook; for a whole file, call lease() or port() of portalloc, ' +
        'which end with the process of the file',
    );
  }
  const taken = lease(countOrOptions);
  t.after(() => taken.release());
  return taken;
}

module.exports = { leaseForTest };
