'use strict';

// A world of its own for each test file: registry, pool, temp directory and worktree. Sockets are machine-wide, so pools of
// tests that run at once must not overlap: they are leased from portalloc itself, in a registry for all test runs, the one
// that testkit/src/world.rs has.

const { execFile, fork, spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { after } = require('node:test');
const { setTimeout: sleep } = require('node:timers/promises');

const portalloc = require('portalloc');

const fixture = (name) => path.join(__dirname, 'fixtures', name);

/** Takes the slice of the pool, and makes this process's variables say so. Ends with the test file. */
function world(count = 40) {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'portalloc-node-test-'));
  const temp = path.join(scratch, 'temp');
  const work = path.join(scratch, 'work');
  fs.mkdirSync(temp);
  fs.mkdirSync(work);
  process.env.PORTALLOC_DIR = path.join(os.tmpdir(), 'portalloc-test-ports');
  const slice = portalloc.lease({ count, pool: '20001-29999', exclude: '', waitMs: 120_000 });
  Object.assign(process.env, {
    PORTALLOC_DIR: path.join(scratch, 'registry'),
    PORTALLOC_POOL: `${slice.basePort}-${slice.ports.at(-1)}`,
    TMPDIR: temp,
  });
  delete process.env.PORTALLOC_EXCLUDE;
  delete process.env.PORTALLOC_LOG;
  delete process.env.ISOLATION_ID;
  const before = process.cwd();
  process.chdir(work);
  after(async () => {
    process.chdir(before);
    slice.release();
    await until(() => isRemoved(scratch), `what a test left running no longer writes to ${scratch}`);
  });
  return { base: slice.basePort, ports: slice.ports, pool: process.env.PORTALLOC_POOL, scratch, temp, work };
}

/** Removes a directory, and says whether it is gone. What a killed process was just creating in there can be in the way. */
function isRemoved(directory) {
  try {
    fs.rmSync(directory, { recursive: true, force: true });
    return true;
  } catch (error) {
    if (error.code !== 'ENOTEMPTY') throw error;
    return false;
  }
}

/** Until `holds` does; a failure after a minute, which only what is broken takes. */
async function until(holds, what) {
  const deadline = Date.now() + 60_000;
  for (;;) {
    const held = await holds();
    if (held) return held;
    if (Date.now() > deadline) throw new Error(`not in time: ${what ?? holds}`);
    await sleep(5);
  }
}

/** A process of Node that runs `code`, with the lines that it writes. It is killed with the test. */
function node(t, code, options = {}) {
  const child = spawn(process.execPath, [...(options.args ?? []), '-e', code], {
    stdio: ['pipe', 'pipe', 'pipe', ...(options.inherited ?? [])],
    env: { ...process.env, ...options.env },
    cwd: options.cwd,
  });
  return watched(t, child);
}

/** A process made by `fork()`, with the messages that it sends. */
function forked(t, file, args = []) {
  return watched(t, fork(file, args, { stdio: ['pipe', 'pipe', 'pipe', 'ipc'] }));
}

function watched(t, child) {
  t.after(() => {
    child.kill('SIGKILL');
    return ended;
  });
  const told = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (told.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (told.err += text));
  const ended = once(child, 'close').then(([status, signal]) => ({ status, signal, ...told }));
  return {
    child,
    told,
    ended,
    /** The first line, as JSON; a failure if it ends before. */
    async line() {
      await Promise.race([
        until(() => told.out.includes('\n'), 'a line of the child'),
        ended.then((end) => {
          if (!end.out.includes('\n')) throw new Error(`it ended without a line: ${JSON.stringify(end)}`);
        }),
      ]);
      return JSON.parse(told.out.slice(0, told.out.indexOf('\n')));
    },
  };
}

/** What a program writes, and how it ends. */
const run = (program, args, options = {}) =>
  new Promise((resolve) => {
    execFile(program, args, { encoding: 'utf8', maxBuffer: 1 << 26, ...options }, (error, out, err) =>
      resolve({ status: error ? (error.code ?? error.signal) : 0, out, err }),
    );
  });

/** How many descriptors this process has open. */
const descriptors = () => fs.readdirSync('/proc/self/fd').length;

module.exports = { descriptors, fixture, forked, node, run, until, world };
