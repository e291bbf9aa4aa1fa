'use strict';

// Runs the tests: node:test finds no files by pattern before Node 21, and some tests need the garbage collector. Arguments are
// names of test files to run instead of all, such as `lease`. The time limit is that of a whole file, for code that never
// returns to the event loop, which `limit.js` cannot end.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const directory = path.join(__dirname, '../tests');
const wanted = process.argv.slice(2);
const files = fs
  .readdirSync(directory, { recursive: true })
  .filter((name) => !name.includes('node_modules') && (name.endsWith('.test.js') || name.endsWith('.test.mjs')))
  .filter((name) => wanted.length === 0 || wanted.some((word) => path.basename(name).startsWith(`${word}.`)))
  .map((name) => path.join(directory, name));
const limit = path.join(directory, 'limit.js');
const options = ['--expose-gc', `--require=${limit}`, '--test-reporter=spec', '--test-timeout=1200000', '--test-concurrency=2'];
const run = spawnSync(process.execPath, [...options, '--test', ...files], { stdio: 'inherit' });
process.exitCode = run.status ?? 1;
