'use strict';

// Loaded before a test file: gives each of its tests a time limit. The runner's own is one for a whole file, and names no
// test. A test that goes beyond it has failed by its name, and its children are ended.

const nodeTest = require('node:test');

// No test waits for anything for more than two minutes.
const LIMIT_MS = 300_000;

const { test } = nodeTest;
const limited = (name, ...rest) => test(name, { timeout: LIMIT_MS, ...(rest.length > 1 ? rest[0] : {}) }, rest.at(-1));
nodeTest.test = Object.assign(limited, test);
