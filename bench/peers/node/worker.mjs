// The worker of `make bench-peers` in Node: `node worker.mjs CONTESTANT PORTS JOURNAL`. What it does is told in
// ../README.md, and is the same in every language. It knows no contestant; those are in `allocators`.

import fs from 'node:fs';
import net from 'node:net';
import { performance } from 'node:perf_hooks';
import process from 'node:process';
import readline from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';

import { named } from './allocators.mjs';

// The workload's own pauses, in milliseconds: a user's server binds some time after its port was chosen, and runs.
const BEFORE_BIND = [10, 30];
const SERVING = 5;

const [name, count, path] = process.argv.slice(2);
const journal = fs.openSync(path, 'a');
const contestant = await named(name);
const say = (line) => fs.writeSync(1, `${line}\n`);
const note = (line) => fs.writeSync(journal, `${line}\n`);
const nanoseconds = () => process.hrtime.bigint();

/** A server on this port, or null. Node sets SO_REUSEADDR, as servers do. */
function serve(port) {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(null));
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

const ended = (server) => new Promise((resolve) => server.close(resolve));

/** As users have it: a port is chosen, some time passes, the server binds it, serves and ends. */
async function round() {
  const gap = BEFORE_BIND[0] + Math.random() * (BEFORE_BIND[1] - BEFORE_BIND[0]);
  const start = nanoseconds();
  let ports;
  try {
    ports = contestant.allocate(Number(count));
    if (ports instanceof Promise) ports = await ports;
  } catch {
    note(`none ${process.pid} ${nanoseconds() - start}`);
    await pause(gap);
    return;
  }
  const took = nanoseconds() - start;
  note(`took ${process.pid} ${took} ${ports.join(',')}`);
  await pause(gap);
  // One after the other, as in every language.
  const servers = [];
  for (const port of ports) servers.push(await serve(port));
  const bound = servers.filter(Boolean);
  note(`bound ${process.pid} ${servers.length - bound.length}`);
  await pause(SERVING);
  await Promise.all(bound.map(ended));
  note(`gave ${process.pid} ${ports.join(',')}`);
  contestant.release?.(ports);
}

async function paced(seconds) {
  const start = performance.now();
  while (performance.now() - start < seconds * 1000) await round();
  say('paced');
}

async function flat(seconds) {
  const start = nanoseconds();
  const end = start + BigInt(Math.round(seconds * 1e9));
  let allocated = 0;
  let gaveUp = 0;
  while (nanoseconds() < end) {
    try {
      let ports = contestant.allocate(Number(count));
      if (ports instanceof Promise) ports = await ports;
      contestant.release?.(ports);
      allocated += 1;
    } catch {
      gaveUp += 1;
    }
  }
  say(`flat ${allocated} ${gaveUp} ${nanoseconds() - start}`);
}

/** The most memory that this process ever had, in KiB; it has no children. */
function memory() {
  const [, own] = /^VmHWM:\s+(\d+) kB$/m.exec(fs.readFileSync('/proc/self/status', 'utf8'));
  say(`memory ${own} 0`);
}

say('ready');
for await (const command of readline.createInterface({ input: process.stdin })) {
  const [what, seconds] = command.split(' ');
  if (what === 'paced') await paced(Number(seconds));
  else if (what === 'flat') await flat(Number(seconds));
  else memory();
}
// Some contestants have timers that would keep the process.
process.exit();
