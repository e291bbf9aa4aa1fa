'use strict';

// Child processes: whatever ends one, nothing stays held.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const { test } = require('node:test');

const { isFree, lease } = require('portalloc');
const { fixture, forked, node, until, world } = require('./world.js');

const here = world();

const free = (ports) => until(() => ports.every((port) => isFree(port)), `${ports} are free`);

async function holder(t) {
  const told = forked(t, fixture('holder.js'));
  const [{ ports }] = await once(told.child, 'message');
  return { ...told, ports };
}

for (const how of ['exit', 'throw', 'release']) {
  test(`a forked process ends: ${how}`, async (t) => {
    const { child, ended, ports } = await holder(t);
    assert(ports.every((port) => !isFree(port)));
    child.send(how);
    const { status } = await ended;
    assert.equal(status, how === 'throw' ? 1 : 0);
    await free(ports);
  });
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL', 'SIGHUP']) {
  test(`a forked process is killed: ${signal}`, async (t) => {
    const { child, ended, ports } = await holder(t);
    child.kill(signal);
    assert.equal((await ended).signal, signal);
    await free(ports);
  });
}

test('none of many share a port with another', async (t) => {
  const mine = lease(2);
  const holders = await Promise.all(Array.from({ length: 8 }, () => holder(t)));
  const ports = [...mine, ...holders.flatMap((each) => each.ports)];
  assert.equal(new Set(ports).size, 18);
  for (const { child } of holders) child.kill('SIGKILL');
  await Promise.all(holders.map(({ ended }) => ended));
  await free(holders.flatMap((each) => each.ports));
  assert(mine.ports.every((port) => !isFree(port)));
  mine.release();
});

test('workers of a cluster', async (t) => {
  const primary = node(t, `require(${JSON.stringify(fixture('cluster.js'))})`);
  const ports = (await primary.line()).flat();
  assert.equal(new Set(ports).size, 6);
  assert(ports.every((port) => here.ports.includes(port) && !isFree(port)));
  primary.child.stdin.end();
  await primary.ended;
  await free(ports);
});
