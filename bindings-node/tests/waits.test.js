'use strict';

// Waiting for ports, cancelled or not, while JavaScript goes on.

const assert = require('node:assert/strict');
const { once, setMaxListeners } = require('node:events');
const fs = require('node:fs/promises');
const net = require('node:net');
const { test } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const { isFree, lease, leaseAsync, waitUntilFree, waitUntilOpen } = require('portalloc');
const { until, world } = require('./world.js');

const here = world();

async function listening(t, port) {
  const server = net.createServer().listen(port, '127.0.0.1');
  // Connections included: some tests want all ports.
  t.after(() => new Promise((resolve) => server.close(resolve)));
  await once(server, 'listening');
  return server;
}

test('for a server', async (t) => {
  const held = lease(2);
  const waiting = waitUntilOpen(held.ports);
  for (const port of held) await listening(t, port);
  assert.equal(await waiting, undefined);
  held.release();
});

test('for a server that does not come', async () => {
  await assert.rejects(waitUntilOpen(here.base, { waitMs: 30 }), { name: 'WaitTimeoutError', portallocCode: 'timeout', message: new RegExp(here.base) });
});

test('until nothing is there', async (t) => {
  const server = await listening(t, here.base);
  await assert.rejects(waitUntilFree([here.base], { waitMs: 0 }), { portallocCode: 'timeout', message: /still bound/ });
  const waiting = waitUntilFree(here.base);
  server.close();
  await waiting;
});

test('for ports', async () => {
  const all = lease({ exact: here.ports });
  const waiting = leaseAsync({ count: 3, waitMs: 30_000 });
  all.release();
  const held = await waiting;
  assert.equal(held.ports.length, 3);
  held.release();
});

test('for ports on this thread', async () => {
  const all = lease({ exact: here.ports });
  assert.throws(() => lease({ waitMs: 20 }), { name: 'WaitTimeoutError', message: /^waited 20ms: no free port/ });
  all.release();
});

test('JavaScript and files go on meanwhile, however many wait', async () => {
  const aborter = new AbortController();
  setMaxListeners(20, aborter.signal);
  // More than libuv has threads.
  const waits = Array.from({ length: 12 }, () => waitUntilOpen(here.base, { waitMs: Infinity, signal: aborter.signal }));
  for (let turn = 0; turn < 20; turn += 1) {
    await sleep(1);
    await fs.readFile(__filename);
  }
  aborter.abort();
  for (const { status, reason } of await Promise.allSettled(waits)) assert.deepEqual([status, reason.name], ['rejected', 'AbortError']);
});

test('a signal that was aborted before', async () => {
  const reason = new Error('mine');
  await assert.rejects(waitUntilOpen(here.base, { signal: AbortSignal.abort(reason) }), reason);
  await assert.rejects(leaseAsync({ signal: AbortSignal.abort(reason) }), reason);
  assert(here.ports.every((port) => isFree(port)));
});

test('a signal that is aborted later, at once', async () => {
  const all = lease({ exact: here.ports });
  const aborter = new AbortController();
  const reason = new Error('mine');
  const waiting = leaseAsync({ waitMs: Infinity, signal: aborter.signal });
  aborter.abort(reason);
  await assert.rejects(waiting, reason);
  all.release();
  // What the wait may still have got is given back.
  await until(() => here.ports.every((port) => isFree(port)), 'all ports free');
});

test('no matter when it is aborted, nothing stays', async () => {
  for (let round = 0; round < 60; round += 1) {
    const aborter = new AbortController();
    const waiting = leaseAsync({ count: 2, waitMs: 1000, signal: aborter.signal });
    const stop = setTimeout(() => aborter.abort(), round % 3);
    const held = await waiting.catch((error) => assert.equal(error.name, 'AbortError'));
    clearTimeout(stop);
    held?.release();
  }
  await until(() => here.ports.every((port) => isFree(port)), 'all ports free');
});

test('a signal that is none', async () => {
  await assert.rejects(waitUntilOpen(here.base, { signal: 5 }), { name: 'ArgumentTypeError', message: /signal is the number 5; give an AbortSignal/ });
});

test('a signal that outlives many waits keeps nothing of them', async (t) => {
  await listening(t, here.base);
  const { signal } = new AbortController();
  let listeners = 0;
  const counted = {
    get aborted() {
      return signal.aborted;
    },
    throwIfAborted: () => signal.throwIfAborted(),
    addEventListener: () => (listeners += 1),
    removeEventListener: () => (listeners -= 1),
  };
  for (let round = 0; round < 20; round += 1) await waitUntilOpen(here.base, { signal: counted });
  assert.equal(listeners, 0);
});

// The last one: the server closes its connections first, so that they keep the port for a minute.
test('for a server that answers', async (t) => {
  const http = require('node:http');
  const server = http.createServer((asked, answer) => answer.writeHead(asked.url === '/' ? 204 : 404).end());
  server.listen(here.base, '127.0.0.1');
  t.after(() => new Promise((resolve) => server.close(resolve)));
  await once(server, 'listening');
  await waitUntilOpen(here.base, { http: '/' });
  await waitUntilOpen([here.base], { http: '/nowhere', status: 404, waitMs: 5000 });
  await assert.rejects(waitUntilOpen(here.base, { http: '/nowhere', waitMs: 0 }), { name: 'WaitTimeoutError', message: /404/ });
  await assert.rejects(waitUntilOpen(here.base, { http: 'nowhere' }), { portallocCode: 'invalid_argument' });
  await assert.rejects(waitUntilOpen(here.base, { http: 5 }), { name: 'ArgumentTypeError' });
  await assert.rejects(waitUntilFree(here.base, { http: '/' }), { name: 'ArgumentTypeError' });
});
