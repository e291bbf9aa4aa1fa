'use strict';

// Runs the tests with what they need: node:test finds no files by pattern before Node 21, and some look at the garbage
// collector. Arguments are names of test files to run instead of all, such as `lease`. The time limit is for a whole file
// with all of its tests: some take a minute on an idle machine.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const folder = path.join(__dirname, '../tests');
const wanted = process.argv.slice(2);
const files = fs
  .readdirSync(folder, { recursive: true })
  .filter((name) => !name.includes('node_modules') && (name.endsWith('.test.js') || name.endsWith('.test.mjs')))
  .filter((name) => wanted.length === 0 || wanted.some((word) => path.basename(name).startsWith(`${word}.`)))
  .map((name) => path.join(folder, name));
const run = spawnSync(process.execPath, ['--expose-gc', '--test', '--test-reporter=spec', '--test-timeout=1200000', '--test-concurrency=2', ...files], { stdio: 'inherit' });
process.exitCode = run.status ?? 1;
