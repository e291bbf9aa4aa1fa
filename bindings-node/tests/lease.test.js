'use strict';

// What a lease gives, holds and gives back.

const assert = require('node:assert/strict');
const dgram = require('node:dgram');
const { once } = require('node:events');
const fs = require('node:fs');
const net = require('node:net');
const { test } = require('node:test');
const { inspect } = require('node:util');

const { Inheritable, Lease, isFree, lease, leaseAsync, leases, who } = require('portalloc');
const { descriptors, node, until, world } = require('./world.js');

const here = world();

async function listening(options) {
  const server = net.createServer((socket) => socket.end('hello'));
  await once(server.listen(options), 'listening');
  return server;
}

async function answer(port, host = '127.0.0.1') {
  let text = '';
  for await (const chunk of net.connect({ port, host })) text += chunk;
  return text;
}

const close = (server) => new Promise((resolve) => server.close(resolve));

test('one port, which is held until it is released', () => {
  const held = lease();
  assert(held instanceof Lease);
  assert(here.ports.includes(held.port));
  assert.deepEqual([...held.ports], [held.port]);
  assert.equal(held.basePort, held.port);
  assert.equal(isFree(held.port), false);
  assert.deepEqual([held.held, held.released], [true, false]);
  held.release();
  held.release();
  assert.deepEqual([held.held, held.released], [false, true]);
  assert.equal(isFree(held.port), true);
});

test('the ports are known after a release that came before anybody asked', () => {
  const one = lease(3);
  one.release();
  assert.equal(one.ports.length, 3);
  assert.deepEqual([...one], [one.basePort, one.basePort + 1, one.basePort + 2]);
});

test('the shapes', () => {
  const [base] = here.ports;
  const held = [
    lease({ pool: `${base + 35}-${base + 36}`, exclude: String(base + 35) }),
    lease({ exact: new Set([base + 30, base + 25]) }),
    lease({ count: 4, scattered: true }),
    // The pool is for the base only: from the last ports of this one the other would be another test file's.
    lease({ offsets: [0, 2], pool: `${base}-${base + 22}` }),
    lease(3),
    lease({}),
  ];
  const [narrow, these, scattered, apart, run, one] = held.map((each) => [...each.ports]);
  assert.deepEqual(run, [run[0], run[0] + 1, run[0] + 2]);
  assert.deepEqual(these, [base + 30, base + 25]);
  assert.equal(new Set(scattered).size, 4);
  assert.deepEqual(apart, [apart[0], apart[0] + 2]);
  assert.deepEqual(narrow, [base + 36]);
  assert.equal(one.length, 1);
  assert.equal(new Set(held.flatMap((each) => [...each])).size, 13);
  for (const each of held) each.release();
});

test('a sticky key gets its ports again', () => {
  const first = lease({ count: 2, stickyKey: 'web' });
  first.release();
  for (let index = 0; index < 5; index += 1) lease(2).release();
  const again = lease({ count: 2, stickyKey: 'web' });
  again.release();
  assert.deepEqual(again.ports, first.ports);
});

test('using releases', () => {
  const held = lease();
  held[Symbol.dispose]();
  assert(held.released);
});

test('await using releases', async () => {
  const held = await leaseAsync(2);
  await held[Symbol.asyncDispose]();
  assert(held.released);
});

test('how it looks', () => {
  const [base] = here.ports;
  const held = lease({ exact: [base, base + 1] });
  assert.equal(inspect(held), `Lease { ${base}, ${base + 1} }`);
  assert.equal(String(held), `[Lease ports ${base}, ${base + 1}]`);
  assert.deepEqual(JSON.parse(JSON.stringify(held)), { ports: [base, base + 1], released: false, guardState: 'none' });
  assert.throws(() => (held.ports[0] = 5), TypeError);
  held.release();
  assert.equal(inspect(held), `Lease { ${base}, ${base + 1} (released) }`);
});

test('only lease() makes one', () => {
  assert.throws(() => new Lease(), { portallocCode: 'invalid_argument', message: /lease\(\)/ });
  assert.throws(() => new Inheritable(), { portallocCode: 'invalid_argument' });
});

test('several ports are not one', () => {
  const held = lease(2);
  assert.throws(() => held.port, { portallocCode: 'invalid_argument', message: /2 ports, not one/ });
  held.release();
  assert.throws(() => held.port, { portallocCode: 'invalid_argument', message: /was released/ });
});

test('a released lease does nothing any more', () => {
  const held = lease();
  held.release();
  for (const call of [() => held.guard(), () => held.shareGuard(), () => held.fd(), () => held.inheritable()]) {
    assert.throws(call, { name: 'InvalidArgumentError', message: /the lease was released/ });
  }
  held.dropGuard();
  assert.equal(held.guardState, 'none');
});

test('a guard keeps others off until it is opened or dropped', async () => {
  const held = lease({ guard: true });
  assert.equal(held.guardState, 'exclusive');
  await assert.rejects(listening({ port: held.port }), { code: 'EADDRINUSE' });
  held.shareGuard();
  assert.equal(held.guardState, 'shared');
  const server = await listening({ port: held.port, host: '127.0.0.1' });
  assert.equal(await answer(held.port), 'hello');
  await close(server);
  held.guard();
  assert.equal(held.guardState, 'exclusive');
  held.dropGuard();
  assert.equal(held.guardState, 'none');
  held.release();
});

test('a socket is handed to the server, over the guard', async () => {
  const held = lease({ guard: true });
  const fd = held.fd();
  const server = await listening({ fd });
  assert.equal(server.address().port, held.port);
  assert.equal(held.guardState, 'shared');
  assert.equal(await answer(held.port), 'hello');
  await close(server);
  // It was the server's to close.
  assert.throws(() => fs.fstatSync(fd), { code: 'EBADF' });
  held.release();
});

test('a socket for UDP, on an address of choice', async () => {
  const held = lease(2);
  const socket = dgram.createSocket('udp4');
  const bound = once(socket, 'listening');
  socket.bind({ fd: held.fd(1, { type: 'udp', host: 'localhost' }) });
  await bound;
  assert.deepEqual([socket.address().address, socket.address().port], ['127.0.0.1', held.ports[1]]);
  socket.close();
  const all = held.fd(0, { host: '0.0.0.0', listen: false });
  assert(who(held.ports[0]).sockets.some((each) => each.local === `0.0.0.0:${held.ports[0]}`));
  fs.closeSync(all);
  assert.throws(() => held.fd(2), { portallocCode: 'invalid_argument', message: /no port at index 2/ });
  assert.throws(() => held.fd(0, { host: 'example.org' }), { portallocCode: 'invalid_argument', message: /example\.org/ });
  assert.throws(() => held.fd(0, { type: 'sctp' }), { name: 'ArgumentTypeError' });
  held.release();
});

test('a lease is inherited by a child, which keeps it', async (t) => {
  const held = lease();
  const passed = held.inheritable();
  const told = node(t, 'console.log(JSON.stringify(process.pid)); process.stdin.resume()', { inherited: [passed.fd] });
  assert.match(inspect(passed), /fd: \d+/);
  passed.close();
  passed.close();
  assert.equal(passed.fd, undefined);
  await told.line();
  held.release();
  assert.equal(held.released, true);
  assert.equal(isFree(held.port), false);
  told.child.stdin.end();
  await told.ended;
  await until(() => isFree(held.port), 'the port is free');
});

test('a child has nothing that it did not inherit', async (t) => {
  const held = lease();
  const told = node(t, 'console.log(JSON.stringify(process.pid)); process.stdin.resume()');
  await told.line();
  held.release();
  assert.equal(isFree(held.port), true);
  told.child.kill('SIGKILL');
  await told.ended;
});

// Needs the core that looks whether the descriptor is still its own: until then `held` is true here.
test('a lease whose descriptor was closed by somebody else is not held', async (t) => {
  const script = `
    const fs = require('node:fs');
    const lost = require(${JSON.stringify(require.resolve('portalloc'))}).lease(2);
    const before = lost.held;
    for (const fd of fs.readdirSync('/proc/self/fd').map(Number).filter((number) => number > 2)) {
      try {
        if (fs.readlinkSync('/proc/self/fd/' + fd).endsWith('/ports')) fs.closeSync(fd);
      } catch (error) {
        if (error.code !== 'ENOENT') throw error; // that of the list itself
      }
    }
    console.log(JSON.stringify([before, lost.held, [...lost]]));
    process.stdin.resume();`;
  const child = node(t, script);
  const [before, after, ports] = await child.line();
  assert(ports.every((port) => isFree(port)), 'others may be given them');
  assert.deepEqual([before, after], [true, false]);
  child.child.stdin.end();
  await child.ended;
});

test('leases are listed', () => {
  const held = lease(2);
  const [found] = leases().filter((each) => each.ports.includes(held.basePort));
  assert.deepEqual(found.ports, [...held.ports]);
  assert.equal(found.holder.pid, process.pid);
  assert(Math.abs(Date.now() - found.since.getTime()) < 60_000);
  held.release();
});

test('each costs a descriptor, and gives it back', () => {
  const before = descriptors();
  const held = Array.from({ length: 5 }, () => lease());
  assert.equal(descriptors(), before + 5);
  for (const each of held) each.release();
  assert.equal(descriptors(), before);
});
