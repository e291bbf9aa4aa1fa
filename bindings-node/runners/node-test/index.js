'use strict';

// node:test: leases for single tests. It runs hooks in the order in which they were added, so ours would look for leaks before
// the hooks that stop the servers. So it does not look.

const { lease } = require('../../index.js');

/** As `lease()`, released after the test: `t` is its context. */
function leaseForTest(t, countOrOptions) {
  const taken = lease(countOrOptions);
  t.after(() => taken.release());
  return taken;
}

module.exports = { leaseForTest };
