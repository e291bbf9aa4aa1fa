'use strict';

// Finds the line that called us, for errors that say where ports were taken. Knows no call.

const path = require('node:path');

// A helper for a runner that calls us stands for the test that called it. In a bundle it cannot be told apart.
const OWN =
  typeof __dirname === 'string' ? ['js', 'runners'].map((directory) => path.join(__dirname, '..', directory) + path.sep) : [];

/** Deep enough to leave a helper, also through its async functions. */
const DEPTH = 10;

/** Where `callee` was called, such as `/app/web.test.js:14`; empty if the stack does not say. */
function callerOf(callee) {
  const [direct = ''] = frames(callee, 1);
  if (!OWN.some((directory) => direct.startsWith(directory))) return direct;
  return frames(callee, DEPTH).find((frame) => !OWN.some((directory) => frame.startsWith(directory))) ?? '';
}

function frames(callee, count) {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = count;
  const here = {};
  Error.captureStackTrace(here, callee);
  Error.stackTraceLimit = limit;
  // A program may format its stacks in its own way. By default it is "Error", and a line for each frame.
  const lines = typeof here.stack === 'string' ? here.stack.split('\n    at ').slice(1) : [];
  return lines.map((line) => /^(?:.*? \()?(?:async )?(?:file:\/\/)?(.*:\d+):\d+\)?$/.exec(line)?.[1] ?? '');
}

// A stack takes as long as the rest of a lease, and mostly tests are asked where they took theirs.
const isTest = ['JEST_WORKER_ID', 'VITEST', 'NODE_TEST_CONTEXT', 'TEST_WORKER_INDEX'].some((name) => name in process.env);

/** As `callerOf`, in a process that a test runner has started; else empty. */
const callerInTest = (callee) => (isTest ? callerOf(callee) : '');

module.exports = { callerInTest, callerOf };
