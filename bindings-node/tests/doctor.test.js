'use strict';

// doctor(): the fields of `portalloc doctor --json`, as a value.

const assert = require('node:assert/strict');
const { writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { test } = require('node:test');

const { doctor, version } = require('portalloc');
const { world } = require('./world.js');

const here = world(4);

test('it reports each check, and what a bug report needs', () => {
  const { ok, checks, explanation, machine } = doctor();
  assert.equal(checks[0].code, 'registry');
  assert.equal(checks[0].status, 'ok');
  assert.equal(checks[0].facts.directory, process.env.PORTALLOC_DIR);
  assert.equal(ok, checks.every(({ status }) => status !== 'broken'));
  assert.equal(explanation, undefined);
  assert.equal(machine.version, version);
  assert.ok(machine.variables.some(({ name, value }) => name === 'PORTALLOC_POOL' && value === here.pool));
});

test('it explains whether a lease would be granted', () => {
  const { granted, count, census } = doctor({ explain: 1, pool: String(here.base) }).explanation;
  assert.deepEqual({ granted, count, longestRun: census.longestRun }, { granted: true, count: 1, longestRun: 1 });
  const refused = doctor({ explain: 2, pool: String(here.base) }).explanation;
  assert.equal(refused.granted, false);
  assert.match(refused.message, /the pool has only 1$/);
  assert.ok(refused.remedy);
});

test('a broken registry is a line, and a wrong argument an error', () => {
  const file = join(here.scratch, 'file');
  writeFileSync(file, '');
  process.env.PORTALLOC_DIR = file;
  const { ok, checks } = doctor();
  assert.equal(ok, false);
  assert.equal(checks[0].status, 'broken');
  assert.ok(checks[0].remedy);
  assert.throws(() => doctor({ explain: -1 }), { portallocCode: 'invalid_argument' });
  assert.throws(() => doctor({ count: 1 }), { portallocCode: 'invalid_argument' });
});
