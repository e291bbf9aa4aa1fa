'use strict';

// Finds the line that called us, for errors that say which lines have taken the most ports. Knows no call.

/** Where `callee` was called, such as `/app/web.test.js:14`; empty if the stack does not say. */
function callerOf(callee) {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 1;
  const here = {};
  Error.captureStackTrace(here, callee);
  Error.stackTraceLimit = limit;
  // A program may format its stacks in its own way. By default it is "Error", a line break, and the one frame.
  const frame = typeof here.stack === 'string' ? here.stack.slice(here.stack.lastIndexOf('\n    at ') + 8) : '';
  return /^(?:.*? \()?(?:async )?(?:file:\/\/)?(.*:\d+):\d+\)?$/.exec(frame)?.[1] ?? '';
}

module.exports = { callerOf };
