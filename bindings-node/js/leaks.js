'use strict';

// What is left to the garbage collector: it is given back, and the first time in a process somebody is told which line
// made it. Knows neither leases nor environments.

const { native } = require('./native.js');

/** Finding the line costs a fifth of a lease; who makes more than this many knows what they do, or has been told. */
const NAMED = 1000;
let made = 0;

/** Where the caller of `callee` is, as text that is only made if it is needed. */
function origin(callee) {
  if (made >= NAMED) return undefined;
  made += 1;
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  const here = {};
  Error.captureStackTrace(here, callee);
  Error.stackTraceLimit = limit;
  return here;
}

const registry = new FinalizationRegistry(({ end, origin: at }) => {
  const what = end();
  if (what === undefined || !native.isFirstLeak()) return;
  // "Error", a line break, and the one frame.
  const line = at?.stack?.split('\n    at ')[1];
  process.emitWarning(`${what}${line ? `; it was made at ${line}` : ''}`, {
    type: 'PortallocLeakWarning',
    code: 'PORTALLOC_LEAK',
    detail: 'The garbage collector found it and has given it back, which it may do late or never. Only the first is told.',
  });
});

/**
 * Calls `end` once `object` was collected, and warns if it says that something was left, and what. `end` must not have
 * the object.
 */
function whenCollected(object, end, at) {
  registry.register(object, { end, origin: at }, object);
}

/**
 * For an object of which nothing is left: nobody need be called any more. What is registered is called some time later,
 * which in a worker that is just ending some versions of Node do not survive.
 */
function forget(object) {
  registry.unregister(object);
}

module.exports = { forget, origin, whenCollected };
