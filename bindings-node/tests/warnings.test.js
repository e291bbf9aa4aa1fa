'use strict';

// What is to be known though nothing failed: as warnings of the process, each once, on whichever thread it came up.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const { test } = require('node:test');

const { node, world } = require('./world.js');

world();

const PACKAGE = JSON.stringify(require.resolve('portalloc'));
const [FIRST, LAST] = fs.readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').trim().split(/\s+/).map(Number);

/** What a process warns of when it runs `code`, in which `pool` is one that nobody should use. */
async function warned(t, code) {
  const script = `
    const { Worker } = require('node:worker_threads');
    const { isFree, lease, leaseAsync, port, waitUntilFree, createEnvironment } = require(${PACKAGE});
    const pool = '${FIRST + 100}-${LAST}';
    const warnings = [];
    process.on('warning', ({ name, code, message }) => warnings.push({ name, code, message }));
    process.on('exit', () => console.log(JSON.stringify(warnings)));
    (async () => { ${code} })();`;
  const { out, err, status } = await node(t, script).ended;
  assert.equal(status, 0, err);
  return JSON.parse(out);
}

for (const [name, code] of Object.entries({
  'a lease': 'for (let n = 0; n < 5; n += 1) lease({ pool }).release();',
  'a port': 'for (let n = 0; n < 5; n += 1) port({ pool });',
  'a lease of another thread': 'for (let n = 0; n < 5; n += 1) (await leaseAsync({ pool })).release();',
  'the pool of the variables': 'process.env.PORTALLOC_POOL = pool; isFree(80); lease().release(); await waitUntilFree(1);',
})) {
  test(`a pool that others are given ports of: ${name}`, async (t) => {
    const [warning, ...more] = await warned(t, code);
    assert.deepEqual([warning.name, warning.code], ['PortallocWarning', 'PORTALLOC_POOL']);
    assert(warning.message.includes('the ephemeral range'), warning.message);
    assert.deepEqual(more, []);
  });
}

test('once in a process, however many threads and realms', async (t) => {
  const warnings = await warned(t, `
    lease({ pool });
    const code = 'require(${PACKAGE.replaceAll('"', '\\"')}).lease({ pool: "' + pool + '" })';
    const ended = (worker) => new Promise((resolve) => worker.on('exit', resolve));
    await Promise.all([1, 2].map(() => ended(new Worker(code, { eval: true, stderr: true }))));`);
  assert.equal(warnings.length, 1);
});

test('nothing, where there is nothing to say', async (t) => {
  assert.deepEqual(await warned(t, 'lease(); port(); createEnvironment();'), []);
});

test('a warning that cannot be told fails no call', async (t) => {
  const code = `process.emitWarning = () => { throw new Error('on purpose'); }; if (!lease({ pool }).held) process.exit(5);`;
  assert.deepEqual(await warned(t, code), []);
});
