'use strict';

// What JavaScript has lost sight of stays, until its thread or its process ends; and what many leases leave in memory.

const assert = require('node:assert/strict');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');

const { createEnvironment, environments, isFree, lease, who } = require('portalloc');
const addon = require('../js/native.js');
const { descriptors, fixture, node, world } = require('./world.js');

const here = world();

const ROOT = path.join(__dirname, '../..');
const PACKAGE = JSON.stringify(require.resolve('portalloc'));

/** Collects garbage in many turns, in which finalizers would run, and makes a lot of it besides. */
async function collect() {
  for (let round = 0; round < 20; round += 1) {
    globalThis.gc();
    await turn();
  }
  // By itself, too: 200 MB.
  for (let round = 0; round < 200; round += 1) {
    Array.from({ length: 2 ** 17 }, (_, index) => index + 0.5);
    if (round % 20 === 0) await turn();
  }
}

test('a lease of which only the number is left', async () => {
  const port = (() => lease().port)();
  await collect();
  assert(who(port).leased);
});

test('an environment of which only the temp dir is left, with the files in it', async () => {
  const file = (() => path.join(createEnvironment().tempDir, 'data'))();
  fs.writeFileSync(file, 'of the program');
  await collect();
  assert.equal(fs.readFileSync(file, 'utf8'), 'of the program');
  assert(environments().some(({ tempDir, status }) => status === 'active' && file.startsWith(tempDir)));
});

test('an environment of which only the lease is left', async () => {
  const held = (() => createEnvironment().lease)();
  await collect();
  assert.deepEqual([held.released, held.held, isFree(held.basePort)], [false, true, false]);
});

test('a lease of a realm that is gone', async () => {
  const port = (() => {
    const realm = vm.createContext({ process, URL });
    const load = (file) => {
      const module = { exports: {} };
      const wrapped = vm.runInContext(`(function (module, exports, require, __dirname) {${fs.readFileSync(file)}\n})`, realm);
      const required = (name) => {
        if (name.endsWith('/native.js')) return addon;
        return name.startsWith('.') ? load(path.join(path.dirname(file), name)) : require(name);
      };
      wrapped(module, module.exports, required, path.dirname(file));
      return module.exports;
    };
    const theirs = load(require.resolve('portalloc'));
    const taken = theirs.lease();
    assert(!(taken instanceof vm.runInThisContext('Object')), 'it is of the other realm');
    return taken.port;
  })();
  await collect();
  assert(who(port).leased);
});

for (const page of ['README.md', 'bindings-node/README.md', 'docs/node.md']) {
  test(`the ports of the first snippet of ${page}`, async (t) => {
    const text = fs.readFileSync(path.join(ROOT, page), 'utf8');
    const [, snippet] = /```js[^\n]*\n((?:(?!```)[^])*from 'portalloc'[^]*?)```/.exec(text);
    // The page's own snippet may end the process by itself: not before this is done.
    const code = `${snippet.replace('process.exit()', '0')}
      const { leases: listed, environments: made, who: on } = await import('portalloc');
      const held = () => [...listed(), ...made()].flatMap(({ ports }) => ports).filter((port) => on(port).leased).sort();
      const before = held();
      await (${collect.toString().replace('turn()', 'new Promise(setImmediate)').replace('turn()', 'new Promise(setImmediate)')})();
      process.stderr.write(JSON.stringify([before, held()]));
      process.exit();`;
    const directory = path.join(here.scratch, `registry-of-${path.basename(path.dirname(page))}`);
    const child = node(t, code, { args: ['--expose-gc', '--input-type=module'], cwd: path.join(ROOT, 'bindings-node'), env: { PORTALLOC_DIR: directory } });
    const { err, status } = await child.ended;
    assert.equal(status, 0, err);
    const [before, after] = JSON.parse(err);
    assert(before.length > 0);
    assert.deepEqual(after, before);
  });
}

for (const [how, code] of Object.entries({
  'the end of the script': '',
  'process.exit()': 'process.exit(3)',
  'process.exit() in a handler of the same event': 'process.on("exit", () => process.exit(3));',
  'an uncaught exception': 'throw new Error("on purpose")',
  'a rejection that nobody handles': 'Promise.reject(new Error("on purpose"))',
})) {
  test(`a lost environment, and one of a worker, are removed by ${how}`, async (t) => {
    const script = `
      const { Worker } = require('node:worker_threads');
      const make = () => { const e = require(${PACKAGE}).createEnvironment(); return [e.ports, e.tempDir]; };
      const worker = new Worker(${JSON.stringify(fixture('loser.js'))});
      worker.once('message', (theirs) => {
        console.log(JSON.stringify([make(), make(), theirs]));
        gc();
        setImmediate(() => { gc(); worker.unref(); ${code} });
      });`;
    const child = node(t, script, { args: ['--expose-gc'] });
    const made = await child.line();
    await child.ended;
    for (const [ports, tempDir] of made) {
      assert(ports.every((port) => isFree(port)));
      assert.equal(fs.existsSync(tempDir), false, tempDir);
    }
  });
}

// Its end is that of the thread's values: glibc destroys them in `exit()`.
test('an environment that is made while the process ends', async (t) => {
  const script = `
    const make = () => require(${PACKAGE}).createEnvironment().tempDir;
    make();
    process.on('exit', () => console.log(JSON.stringify(make())));
    process.exit();`;
  const child = node(t, script);
  const tempDir = await child.line();
  await child.ended;
  assert.equal(fs.existsSync(tempDir), false);
});

for (const how of ['terminate', 'exit', 'throw', 'end']) {
  test(`what a worker has lost ends with it: ${how}`, async () => {
    const worker = new Worker(fixture('loser.js'));
    worker.on('error', () => {});
    const [[ports, tempDir]] = await once(worker, 'message');
    assert(fs.existsSync(tempDir));
    assert(ports.every((port) => who(port).leased));
    const ended = new Promise((resolve) => worker.once('exit', resolve));
    if (how === 'terminate') await worker.terminate();
    else worker.postMessage(how);
    await ended;
    assert(ports.every((port) => isFree(port)));
    assert.equal(fs.existsSync(tempDir), false);
  });
}

test('100,000 leases leave nothing', async () => {
  const memory = async () => {
    for (let round = 0; round < 5; round += 1) {
      globalThis.gc();
      await turn();
    }
    return process.memoryUsage.rss();
  };
  const take = async (count) => {
    for (let index = 0; index < count; index += 1) {
      lease().release();
      if (index % 1000 === 0) await turn();
    }
  };
  await take(20_000);
  const open = descriptors();
  // The heap takes a while to be as large as it gets; what leaks grows each time, by some 300 bytes a lease.
  const grown = [];
  let before = await memory();
  do {
    await take(100_000);
    const after = await memory();
    grown.push(after - before);
    before = after;
  } while (grown.at(-1) > 4 << 20 && grown.length < 8);
  assert(grown.at(-1) <= 4 << 20, `${grown} bytes more`);
  assert(descriptors() <= open);
});

test('2,000 environments leave nothing', async () => {
  const known = environments().length;
  const make = async (count) => {
    for (let index = 0; index < count; index += 1) {
      const environment = createEnvironment();
      const { lease: its } = environment;
      environment.cleanup();
      assert(its.released);
      if (index % 100 === 0) await turn();
    }
    await collect();
  };
  await make(10); // what the first one opens stays open
  const before = descriptors();
  await make(2000);
  assert.equal(environments().length, known);
  assert(descriptors() <= before);
});
