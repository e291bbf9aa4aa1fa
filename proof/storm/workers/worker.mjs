// The worker in Node: see ../README.md. It works in its main thread and in others, each a holder of its own, and ends
// those at random: a thread's end releases what it had.

import { once } from 'node:events';
import { openSync, writeSync } from 'node:fs';
import { createServer } from 'node:net';
import process from 'node:process';
import { setImmediate } from 'node:timers/promises';
import { URL } from 'node:url';
import { Worker as Thread, isMainThread, workerData } from 'node:worker_threads';

const { cleanupStale, createEnvironment, environments, lease } = await import(process.env.PORTALLOC_NODE);

const [serial, seed] = isMainThread ? [process.argv[2], Number(process.argv[3])] : [workerData.serial, workerData.seed];
const holder = isMainThread ? serial : workerData.holder;
const journal = openSync(process.env.STORM_JOURNAL, 'a');
const tolerated = ['pool_exhausted', ...process.env.STORM_TOLERATED.split(' ')];
const bindErrno = Number(process.env.STORM_BIND_ERRNO ?? 0);

const note = (line) => writeSync(journal, `${line.padEnd(63)}\n`);
const did = (what) => note(`did ${serial} ${what}`);
const took = (by, ports) => note(`took ${by} ${ports[0]} ${ports.length}`);
const gave = (by, ports) => note(`gave ${by} ${ports[0]} ${ports.length}`);
const keptHolder = (environment) => `${serial}+${environment.id}`;
const holderWithUs = (environment) => (environment.lifetime === 'held' ? holder : `${serial}=${environment.id}`);

let state = BigInt(seed) * 2n + 1n;
function below(limit) {
  state = BigInt.asUintN(64, state * 6364136223846793005n + 1442695040888963407n);
  return Number((state >> 33n) % BigInt(limit));
}
const drawn = (several) => several.splice(below(several.length), 1)[0];

// So many leases, and so many environments, at most, or the pool would soon be full.
const MAX_HELD = 2;

const served = [];
const held = [];
const kept = [];

/** A server, or none if it failed with what it may fail with. */
async function serve(port) {
  const server = createServer().listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
    return [server];
  } catch (error) {
    if (-error.errno !== bindErrno) throw error;
    return [];
  }
}

async function take(count, guard) {
  if (served.length >= MAX_HELD) return release();
  const taken = lease({ count, guard });
  taken.shareGuard();
  const servers = (await Promise.all(taken.ports.map(serve))).flat();
  took(holder, taken.ports);
  served.push({ taken, servers });
  did(guard ? 'guarded' : 'lease');
}

async function release() {
  if (served.length === 0) return;
  const { taken, servers } = drawn(served);
  gave(holder, taken.ports);
  await Promise.all(servers.map((server) => new Promise((closed) => server.close(closed))));
  taken.release();
  did('release');
}

function make(count, what, options) {
  if (held.length + kept.length >= MAX_HELD) {
    end(held, holderWithUs);
    return end(kept, keptHolder);
  }
  const environment = createEnvironment({ count, instanceId: serial, envFile: true, ...options });
  const endsWithUs = what === 'held' || what === 'owned';
  took((endsWithUs ? holderWithUs : keptHolder)(environment), environment.ports);
  (endsWithUs ? held : kept).push(environment);
  did(what);
}

function end(several, by) {
  if (several.length === 0) return;
  const environment = drawn(several);
  gave(by(environment), environment.ports);
  environment.cleanup();
  did('cleanup');
}

function cleanStale() {
  if (cleanupStale().length > 0) did('removed');
  did('stale');
}

function makeShortLived(count) {
  createEnvironment({ count, instanceId: serial, envFile: true, kept: true, ttlMs: 1 + below(20) });
  did('ttl');
}

const threads = [];

function startThread() {
  const name = `${serial}-thread${threads.started}`;
  const thread = new Thread(new URL(import.meta.url), {
    workerData: { serial, seed: seed + threads.started, holder: name },
  });
  threads.started += 1;
  thread.on('error', (error) => {
    throw error;
  });
  threads.push({ name, thread });
}
threads.started = 0;

async function replaceThread() {
  const { name, thread } = drawn(threads);
  note(`gone ${name}`);
  await thread.terminate();
  did('thread');
  startThread();
}

const operations = [
  ...Array(6).fill((count) => take(count, false)),
  ...Array(2).fill((count) => take(count, true)),
  ...Array(9).fill(release),
  ...Array(3).fill((count) => make(count, 'held', {})),
  ...Array(5).fill(() => end(held, holderWithUs)),
  ...Array(2).fill((count) => make(count, 'owned', { kept: true, ownerPid: process.pid })),
  ...Array(2).fill((count) => make(count, 'kept', { kept: true })),
  (count) => make(count, 'sticky', { kept: true, sticky: true, ttlMs: 24 * 3600 * 1000 }),
  makeShortLived,
  ...Array(4).fill(() => end(kept, keptHolder)),
  cleanStale,
  () => {
    environments();
    did('list');
  },
];
if (isMainThread) {
  startThread();
  startThread();
  operations.push(replaceThread);
}

/** Does something, and says whether that was possible. */
async function attempt(operation) {
  try {
    await operation(1 + below(5));
    return true;
  } catch (error) {
    if (!tolerated.includes(error.portallocCode)) throw error;
    did(error.portallocCode);
    return false;
  }
}

// Whoever ends the storm ends its workers.
const isOver = () => String(process.ppid) !== process.env.STORM_PID;

for (;;) {
  if (isOver()) process.exit();
  await setImmediate();
  if (await attempt(operations[below(operations.length)])) continue;
  // Room for others.
  while (served.length > 0) await release();
  while (kept.length > 0) await attempt(() => end(kept, keptHolder));
}
