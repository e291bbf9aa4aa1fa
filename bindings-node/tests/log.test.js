'use strict';

// `PORTALLOC_LOG`: a log on standard error, and nothing without it.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { node, world } = require('./world.js');

world();

const CODE = `const { lease } = require(${JSON.stringify(require.resolve('portalloc'))}); lease().release(); lease().release();`;

async function logged(t, level) {
  const { err, status } = await node(t, CODE, { env: { PORTALLOC_LOG: level } }).ended;
  assert.equal(status, 0, err);
  return err.split('\n').filter((line) => line !== '');
}

test('it tells what is leased', async (t) => {
  const lines = await logged(t, 'debug');
  assert.equal(lines.filter((line) => line.includes('] debug: leased [')).length, 2, lines.join('\n'));
  assert(lines.every((line) => line.startsWith('portalloc[')), lines.join('\n'));
});

test('it is silent unless it is asked for', async (t) => {
  for (const level of ['', 'off', 'error']) assert.deepEqual(await logged(t, level), []);
});

test('a level that does not exist is a warning', async (t) => {
  const lines = await logged(t, 'loud');
  assert.equal(lines.filter((line) => line.includes('PORTALLOC_LOG="loud" is not a level')).length, 1, lines.join('\n'));
});
