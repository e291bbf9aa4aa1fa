'use strict';

// Worker threads: leases of their own, which end with them; variables of their own, which count.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { Worker } = require('node:worker_threads');

const { isFree, lease, settings } = require('portalloc');
const { descriptors, fixture, until, world } = require('./world.js');

const here = world();

async function holder(env = {}) {
  const worker = new Worker(fixture('holder.js'), { env: { ...process.env, ...env } });
  worker.on('error', () => {});
  const [message] = await once(worker, 'message');
  return { worker, ...message };
}

test('what the first one opens for all that follow stays open', async () => {
  lease().release();
  const { worker } = await holder();
  await worker.terminate();
});

for (const how of ['terminate', 'exit', 'throw', 'release']) {
  test(`leases end with the worker: ${how}`, async () => {
    const before = descriptors();
    const { worker, ports } = await holder();
    assert(ports.every((port) => !isFree(port)));
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    if (how === 'terminate') await worker.terminate();
    else worker.postMessage(how);
    await ended;
    assert(ports.every((port) => isFree(port)), 'the ports are free once the worker is gone');
    await until(() => descriptors() <= before, 'as many descriptors as before');
  });
}

test('a worker that waits for ports is terminated', async () => {
  const { worker, ports } = await holder({ WAITS: '1' });
  await worker.terminate();
  await until(() => ports.every((port) => isFree(port)), 'free ports');
});

test('loaded and unloaded 100 times', async () => {
  const before = descriptors();
  for (let round = 0; round < 25; round += 1) {
    const holders = await Promise.all([0, 1, 2, 3].map(() => holder()));
    assert.equal(new Set(holders.flatMap(({ ports }) => ports)).size, 8);
    await Promise.all(holders.map(({ worker }) => worker.terminate()));
  }
  assert(here.ports.every((port) => isFree(port)));
  await until(() => descriptors() <= before + 2, 'about as many descriptors as before');
});

test('the variables of a worker count', async () => {
  const directory = path.join(here.scratch, 'other');
  const pool = `${here.base}-${here.base + 2}`;
  const { worker, ports } = await holder({ PORTALLOC_DIR: directory, PORTALLOC_POOL: pool });
  assert(ports.every((port) => port <= here.base + 2));
  // In its registry they are held, and not in this one.
  assert(ports.every((port) => isFree(port)));
  assert.equal(process.env.PORTALLOC_POOL, here.pool);
  await worker.terminate();
});

test('so does a process.env that was replaced', () => {
  const real = process.env;
  const directory = path.join(here.scratch, 'replaced');
  process.env = { ...real, PORTALLOC_DIR: directory, PORTALLOC_POOL: String(here.base) };
  try {
    assert.equal(settings().directory, directory);
    assert.equal(settings().pool, String(here.base));
    const held = lease(1);
    assert.equal(held.port, here.base);
    assert.equal(isFree(held.port), false);
    held.release();
  } finally {
    process.env = real;
  }
  assert.equal(settings().pool, here.pool);
});

test('variables that are set later count from then on', () => {
  const before = process.env.PORTALLOC_POOL;
  process.env.PORTALLOC_POOL = String(here.base + 1);
  assert.equal(settings().pool, String(here.base + 1));
  process.env.PORTALLOC_POOL = before;
  assert.equal(settings().pool, here.pool);
});
