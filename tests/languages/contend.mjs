// The contender in Node: see README.md.

import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import process from 'node:process';
import { createInterface } from 'node:readline';

const { PoolExhaustedError, WaitTimeoutError, lease, leaseAsync } = await import(process.env.PORTALLOC_NODE ?? '../../bindings-node/index.mjs');

const PATIENCE_MS = 60_000;
const MIXED_PATIENCE_MS = 250;
const OFFSETS = [0, 2, 3, 5, 9, 10, 14, 20];
const [times, count, most = 1, every = 1, user] = process.argv.slice(3).map(Number);
const below = (limit) => Math.floor(Math.random() * limit);

const notes = openSync(process.argv[2], 'a');
function note(what, ports) {
  const runs = [];
  for (const port of ports) {
    const run = runs.at(-1);
    if (run && port === run.base + run.count) run.count++;
    else runs.push({ base: port, count: 1 });
  }
  writeSync(notes, runs.map(({ base, count }) => `${what} ${process.pid} ${base} ${count}\n`).join(''));
}

const family = Object.values(networkInterfaces()).flat().some(({ family }) => family === 'IPv6') ? 'udp6' : 'udp4';

/** On all addresses, of both families where the machine has both. */
async function serve(port) {
  const server = createServer().listen(port);
  await once(server, 'listening');
  const datagrams = createSocket(family).bind(port);
  await once(datagrams, 'listening');
  return [server, datagrams];
}

const held = [];
async function giveOne() {
  const [given] = held.splice(below(held.length), 1);
  await Promise.all(given.servers.map((server) => new Promise((closed) => server.close(closed))));
  note('gave', given.lease.ports);
  given.lease.release();
}

/** By both ways that there are. */
function take() {
  const waitMs = held.length > 0 ? undefined : count ? PATIENCE_MS : MIXED_PATIENCE_MS;
  const some = count || 1 + below(8);
  const shape = count ? 16 : below(16);
  const wanted =
    shape >= 1 && shape <= 4 ? { offsets: OFFSETS.slice(0, some) } : { count: some, scattered: shape === 0 };
  return (below(8) === 0 ? leaseAsync : lease)({ ...wanted, waitMs });
}

/** Whether it got one. */
async function takeOne(bound) {
  try {
    const taken = await take();
    const servers = bound ? (await Promise.all(taken.ports.map(serve))).flat() : [];
    note('took', taken.ports);
    held.push({ lease: taken, servers });
    return true;
  } catch (error) {
    const full = error instanceof PoolExhaustedError || error instanceof WaitTimeoutError;
    if (!full || (count && held.length === 0)) throw error;
    return false;
  }
}

if (user !== undefined) {
  process.setgroups([]);
  process.setgid(user);
  process.setuid(user);
}
for await (const _ of createInterface({ input: process.stdin })) {
  let refused = 0;
  for (let served = 0; served < times; ) {
    if (held.length === most) await giveOne();
    if (await takeOne(served % every === 0)) {
      served++;
      continue;
    }
    refused++;
    if (held.length > 0) await giveOne();
  }
  while (held.length > 0) await giveOne();
  writeSync(1, `${times} ${refused}\n`);
}
