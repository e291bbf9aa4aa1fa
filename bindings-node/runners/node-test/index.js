'use strict';

// node:test: leases for single tests. Its hooks run in the order in which they were written, and ours is there before those
// that stop the servers; so there is no look for leaks here.

const { lease } = require('../../index.js');

/** As `lease()`, released after the test: `t` is its context. */
function leaseForTest(t, countOrOptions) {
  const taken = lease(countOrOptions);
  t.after(() => taken.release());
  return taken;
}

module.exports = { leaseForTest };
