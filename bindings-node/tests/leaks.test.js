'use strict';

// What is left to the garbage collector, and what many leases leave in memory.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');

const { Environment, isFree, lease } = require('portalloc');
const { collected, descriptors, node, world } = require('./world.js');

world();

const PACKAGE = JSON.stringify(require.resolve('portalloc'));
const GC = ['--expose-gc'];

/** Collects until the port is free, then a while longer, for warnings that should not come. */
const COLLECT = `async function collect(port) {
  const p = require(${PACKAGE});
  const deadline = Date.now() + 60000;
  while (!p.isFree(port) && Date.now() < deadline) { gc(); await new Promise((resolve) => setTimeout(resolve, 2)); }
  for (let n = 0; n < 5; n += 1) { gc(); await new Promise(setImmediate); }
  console.log(JSON.stringify(p.isFree(port)));
}`;

test('a lease that nobody has is released', async () => {
  const port = (() => lease().port)();
  await collected(() => isFree(port), 'the port is free');
});

test('an environment that nobody has is removed', async () => {
  const tempDir = (() => Environment.create({ envFile: false }).tempDir)();
  await collected(() => !fs.existsSync(tempDir), 'the temp dir is gone');
});

test('an environment lives as long as its lease is used', async () => {
  const held = (() => Environment.create({ envFile: false }).lease)();
  for (let round = 0; round < 10; round += 1) {
    globalThis.gc();
    await turn();
  }
  assert.equal(held.released, false);
  assert.equal(isFree(held.basePort), false);
});

test('the first one is told, with its line, and no other', async (t) => {
  const code = `${COLLECT}
    function careless() { return require(${PACKAGE}).lease().port; }
    const ports = [careless(), careless(), careless()];
    (async () => { for (const port of ports) await collect(port); })();`;
  const { status, err, out } = await node(t, code, { args: GC }).ended;
  assert.equal(status, 0, err);
  assert.deepEqual(out.trim().split('\n'), ['true', 'true', 'true']);
  assert.equal(err.match(/PortallocLeakWarning: the lease of port \d+ was not released; it was made at careless /g)?.length, 1, err);
  assert.equal(err.match(/PORTALLOC_LEAK/g).length, 1, err);
});

test('an environment, too', async (t) => {
  const code = `${COLLECT}
    const port = (() => require(${PACKAGE}).Environment.create({ envFile: false }).basePort)();
    collect(port);`;
  const { err, out } = await node(t, code, { args: GC }).ended;
  assert.equal(out.trim(), 'true', err);
  assert.match(err, /PortallocLeakWarning: the environment [0-9a-f]{12} was not cleaned up; it was made at /);
});

test('who releases is told nothing', async (t) => {
  const code = `${COLLECT}
    function careful() { const p = require(${PACKAGE}); const held = p.lease(); held.release(); p.Environment.create({ envFile: false }).cleanup();
      p.Environment.create({ envFile: false, kept: true, ttlMs: 1 }); return held.port; }
    collect(careful());`;
  const { err, out } = await node(t, code, { args: GC }).ended;
  assert.deepEqual([out.trim(), err], ['true', '']);
});

test('100,000 leases leave nothing', async () => {
  const memory = async () => {
    for (let round = 0; round < 5; round += 1) {
      globalThis.gc();
      await turn();
    }
    return process.memoryUsage.rss();
  };
  const leases = async (count) => {
    for (let index = 0; index < count; index += 1) {
      lease().release();
      if (index % 1000 === 0) await turn();
    }
  };
  await leases(20_000);
  const open = descriptors();
  // The heap takes a while to be as large as it gets; what leaks grows each time, by some 300 bytes a lease.
  const grown = [];
  let before = await memory();
  do {
    await leases(100_000);
    const after = await memory();
    grown.push(after - before);
    before = after;
  } while (grown.at(-1) > 4 << 20 && grown.length < 8);
  assert(grown.at(-1) <= 4 << 20, `${grown} bytes more`);
  assert(descriptors() <= open);
});
