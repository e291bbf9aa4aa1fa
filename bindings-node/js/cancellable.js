'use strict';

// Calls that wait on another thread, and the AbortSignal that ends them. Knows no call.

const { lifted } = require('./errors.js');
const { native } = require('./native.js');

/** Longer than a healthy server takes to start. */
const USUAL_MS = 30_000;

/**
 * The result of `start`, which is given a wait. If `signal` is aborted first, its reason is thrown at once, and a result that
 * comes all the same goes to `giveBack`.
 */
async function cancellable(signal, start, giveBack = () => {}) {
  signal?.throwIfAborted();
  const wait = new native.Wait();
  let abort;
  try {
    const done = start(wait);
    if (!signal) return await done;
    const aborted = new Promise((_resolve, reject) => {
      abort = () => reject(signal.reason);
      signal.addEventListener('abort', abort, { once: true });
    });
    // In the same turn in which the race is decided.
    done.then((value) => signal.aborted && giveBack(value)).catch(() => {});
    return await Promise.race([done, aborted]);
  } catch (error) {
    throw lifted(error);
  } finally {
    signal?.removeEventListener('abort', abort);
    // Also keeps the wait alive until here: dropping it would end the call.
    wait.cancel();
  }
}

module.exports = { USUAL_MS, cancellable };
