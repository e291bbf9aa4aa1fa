'use strict';

// Which variables a call uses: those that its own code sees in `process.env`. The core reads the process's variables, which
// are the same in the main thread. But a worker thread has a copy, a test file in Jest another one, a program may have replaced
// `process.env` by an object, and Bun writes none of its changes to the process. Then the variables are passed with the call.

const { isLoaded, native } = require('./native.js');

/** The object that writes through to the process's variables, if this realm has it. Without an addon no call gets this far. */
const real =
  isLoaded && !process.versions.bun && native.isFirstThread() && writesThrough(process.env) ? process.env : undefined;

function writesThrough(variables) {
  // The real one refuses symbols, as Bun's does, a copy accepts them. This changes nothing.
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
