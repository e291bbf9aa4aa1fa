'use strict';

// The line of a program that calls us, for errors that say who has taken so many ports. Knows no call.

/** Where the caller of `callee` is, such as `/app/web.test.js:14`; empty if its stack does not say. */
function callerOf(callee) {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  const here = {};
  Error.captureStackTrace(here, callee);
  Error.stackTraceLimit = limit;
  // A program may format its stacks as it likes. Else it is "Error", a line break, and the one frame.
  const frame = typeof here.stack === 'string' ? here.stack.slice(here.stack.lastIndexOf('\n    at ') + 8) : '';
  return /^(?:.*? \()?(?:async )?(?:file:\/\/)?(.*:\d+):\d+\)?$/.exec(frame)?.[1] ?? '';
}

module.exports = { callerOf };
