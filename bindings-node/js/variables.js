'use strict';

// Which variables a call goes by: those that its own code sees in `process.env`. The core reads the process's, which is
// the same in the main thread; but a worker thread has a copy, a test file in Jest another one, and `process.env` may have
// been replaced by an object. Those that differ are told with the call.

const { native } = require('./native.js');

/** The object that writes through to the process's variables, if this realm has it. */
const real = native.isFirstThread() && writesThrough(process.env) ? process.env : undefined;

function writesThrough(variables) {
  // It takes no symbols, and a copy does. Nothing is changed to find out.
  const probe = Symbol('portalloc');
  try {
    variables[probe] = '';
  } catch {
    return true;
  }
  delete variables[probe];
  return false;
}

const isProcess = () => process.env === real;

const set = (name) => process.env[name] || undefined;

/** Registry and pool of a call, from its arguments and the variables that the core does not see. */
function place(pool, exclude) {
  if (isProcess()) return pool === undefined && exclude === undefined ? undefined : { pool, exclude };
  return {
    directory: set('PORTALLOC_DIR'),
    pool: pool ?? set('PORTALLOC_POOL'),
    exclude: exclude ?? set('PORTALLOC_EXCLUDE'),
  };
}

/** The ID that names the environment of this run. */
const isolationId = () => set('ISOLATION_ID');

module.exports = { isProcess, isolationId, place };
