'use strict';

// Runtimes other than Node that load its addons: Bun and Deno, each the real one. `make node-runtimes` installs them.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');

const { isFree } = require('portalloc');
const { unavailable } = require('./runners/inner.js');
const { RUNTIMES } = require('./runtimes/programs.js');
const { fixture, run, world } = require('./world.js');

const here = world();
const PACKAGE = pathToFileURL(path.join(__dirname, '../index.mjs')).href;

for (const [name, [command, args]] of Object.entries(RUNTIMES)) {
  test(`${name}: the calls, by variables that are set at run time`, async (t) => {
    if (!command) return unavailable(t, `no ${name}: \`make node-runtimes\` installs it`);
    const env = {
      ...process.env,
      REGISTRY: process.env.PORTALLOC_DIR,
      PORTALLOC_DIR: path.join(here.scratch, 'inherited'),
      PORTALLOC_POOL: String(here.ports.at(-1)),
      DENO_DIR: path.join(here.scratch, 'deno'),
      DENO_NO_UPDATE_CHECK: '1',
    };
    const { status, out, err } = await run(command, [...args, fixture('calls.mjs'), PACKAGE, here.pool], { env, timeout: 120_000 });
    assert.equal(status, 0, err);
    const found = JSON.parse(out);
    assert.ok(found.runtime.includes(name), String(found.runtime));
    const { directory, pool, ports: allowed } = found.settings;
    assert.deepEqual([directory, pool, allowed], [process.env.PORTALLOC_DIR, here.pool, `${here.base}-${here.ports.at(-2)}`]);
    for (const port of [...found.lease, found.port, found.leaseAsync, ...found.ports]) assert.ok(here.ports.includes(port), String(port));
    assert.equal(found.lease[1], found.lease[0] + 1);
    assert.deepEqual([found.leased, found.released], [[true, false, false], true]);
    assert.deepEqual(found.errors, [
      ['ERR_PORTALLOC_PORT_IN_USE', true],
      ['ERR_PORTALLOC_INVALID_ARGUMENT', true],
      [23, false], // a TimeoutError, by the signal
      ['ERR_PORTALLOC_TIMEOUT', true],
    ]);
    assert.deepEqual(found.child, found.current);
    assert.equal(found.restored, null);
    assert.equal(found.changed, String(here.base + 1));
    assert.equal(fs.existsSync(found.tempDir), false);
    for (const port of [...found.lease, found.port, found.leaseAsync, ...found.ports]) assert.ok(isFree(port), String(port));
  });
}
