'use strict';

// The package `portalloc`, which index.d.ts documents. What a lease does not need is loaded when it is used: each file takes
// a third of a millisecond.

const { BY_CODE, classes } = require('./js/errors.js');
const { Inheritable, Lease, lease, leaseAsync } = require('./js/lease.js');
const { version } = require('./js/native.js');

module.exports = {
  ...classes,
  Inheritable,
  Lease,
  errorCodes: Object.freeze(Object.keys(BY_CODE)),
  lease,
  leaseAsync,
  version,
};

function later(load, ...names) {
  for (const name of names) {
    const define = (descriptor) => Object.defineProperty(module.exports, name, { enumerable: true, configurable: true, ...descriptor });
    define({
      get() {
        const value = load()[name];
        define({ value, writable: true });
        return value;
      },
    });
  }
}

later(
  () => require('./js/environment.js'),
  ...['Environment', 'attachEnvironment', 'createEnvironment', 'createEnvironmentAsync', 'currentEnvironment'],
  ...['worktreeEnvironment', 'worktreeEnvironmentAsync'],
);
later(() => require('./js/hold.js'), 'Hold');
later(() => require('./js/port.js'), 'giveBack', 'port');
later(() => require('./js/ports.js'), 'PortReport', 'isFree', 'waitUntilFree', 'waitUntilOpen', 'who');
later(
  () => require('./js/registry.js'),
  ...['cleanup', 'cleanupStale', 'doctor', 'environments', 'leases', 'parseId', 'render', 'settings', 'validate'],
);
