'use strict';

// Playwright's configuration, node:test and Mocha, in their real runs. No browser is needed: Playwright's requests go
// without one.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const { execFileSync } = require('node:child_process');
const portalloc = require('portalloc');
const { world } = require('../world.js');
const { Inner, until } = require('./inner.js');

const here = world(40);

function suite(t, files) {
  t.after(() => portalloc.cleanupStale()); // of a test that failed
  return new Inner(t, here, files);
}
const nothingIsLeft = () => {
  assert.deepEqual(portalloc.environments(), []);
  assert.deepEqual(portalloc.leases(), []);
};

const SERVER = `
const http = require('node:http');
http.createServer((_, answer) => answer.end(process.env.API_PORT)).listen(Number(process.env.WEB_PORT), '127.0.0.1');
`;
const PLAYWRIGHT = `
import { defineConfig } from '@playwright/test';
import { ports } from 'portalloc/playwright';
import record from './record.js';

const { web, api } = ports('web', 'api');
record({ config: true, web, api });
export default defineConfig({
  workers: 2,
  fullyParallel: true,
  timeout: 240000,
  webServer: { command: 'node server.js', port: web, timeout: 200000 },
  use: { baseURL: \`http://127.0.0.1:\${web}\` },
});
`;
const REQUESTS = `
import { expect, test } from '@playwright/test';
import record from './record.js';
for (const number of [1, 2, 3, 4]) test('asks ' + number, async ({ request, baseURL }) => {
  record({ baseURL, web: Number(process.env.WEB_PORT) });
  expect(await (await request.get('/')).text()).toBe(process.env.API_PORT);
  if (number === 2 && process.env.FAIL) throw new Error('so that its worker is replaced');
});
`;

for (const [name, extension] of [['TypeScript', 'ts'], ['ES module', 'mjs']]) {
  test(`Playwright: the configuration has the same ports wherever it is read (${name})`, async (t) => {
    const inner = suite(t, { [`playwright.config.${extension}`]: PLAYWRIGHT, 'server.js': SERVER, [`a.spec.${extension}`]: REQUESTS });
    const { status, output } = await inner.run('playwright', ['test'], { env: { FAIL: '1', ISOLATION_ID: '0123456789ab' } });
    assert.equal(status, 1, output);
    assert.match(output, /1 failed\n(.*\n)*\s+3 passed/);
    const configs = inner.told().filter(({ config }) => config);
    const asked = inner.told().filter(({ baseURL }) => baseURL);
    assert.ok(new Set(configs.map(({ pid }) => pid)).size >= 3, 'the workers did not read it again');
    assert.equal(new Set(configs.map(({ web, api }) => `${web} ${api}`)).size, 1);
    const [{ web }] = configs;
    for (const one of asked) assert.deepEqual([one.baseURL, one.web], [`http://127.0.0.1:${web}`, web]);
    assert.equal(asked.length, 4);
    nothingIsLeft();
  });
}

test('Playwright: the environment as portalloc.toml says; SIGKILL frees it', async (t) => {
  const inner = suite(t, {
    'portalloc.toml': 'names = ["web"]\n[env]\nBASE_URL = "http://localhost:{web}/"\n',
    'playwright.config.mjs': `
      import { environment } from 'portalloc/playwright';
      import record from './record.js';
      record({ config: true, id: environment().id, port: environment().port('web') });
      export default { timeout: 60000 };`,
    'a.spec.mjs': `
      import { test } from '@playwright/test';
      import record from './record.js';
      test('waits', async () => {
        record({ waits: true, url: process.env.BASE_URL });
        await new Promise((resolve) => setTimeout(resolve, 50000));
      });`,
  });
  const running = inner.start('playwright', ['test']);
  await until(() => inner.told().some(({ waits }) => waits), () => running.output);
  const configs = inner.told().filter(({ config }) => config);
  assert.equal(new Set(configs.map(({ id }) => id)).size, 1);
  const [{ port }] = configs;
  assert.equal(inner.told().find(({ waits }) => waits).url, `http://localhost:${port}/`);
  assert.ok(!portalloc.isFree(port));
  process.kill(running.pid, 'SIGKILL');
  await until(() => portalloc.isFree(port), () => String(port), 30_000); // the workers end after 50 s
});

test('node:test: a lease ends with its test', async (t) => {
  const inner = suite(t, {
    'a.test.mjs': `
      import assert from 'node:assert';
      import test from 'node:test';
      import { who } from 'portalloc';
      import { leaseForTest } from 'portalloc/node-test';
      let ports;
      test('one', async (t) => {
        ports = leaseForTest(t, 2).ports;
        await t.test('inner', (t) => { ports = [...ports, leaseForTest(t, { count: 1 }).port]; });
        assert.deepEqual(ports.map((port) => who(port).leased), [true, true, false]);
      });
      test('two', () => assert.ok(ports.every((port) => !who(port).leased)));
    `,
  });
  const output = execFileSync(process.execPath, ['--test', '--test-reporter=tap', 'a.test.mjs'], {
    cwd: inner.directory,
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  assert.match(output, /^ok 1 - one\n(.*\n)*ok 2 - two\n(.*\n)*# fail 0/m);
  nothingIsLeft();
});

test('node:test: leaseForTest without the context of a test says what it needs', async (t) => {
  const inner = suite(t, {
    'a.test.mjs': `
      import assert from 'node:assert';
      import { before, beforeEach, describe, test } from 'node:test';
      import { leases, who } from 'portalloc';
      import { leaseForTest } from 'portalloc/node-test';
      const refused = (...args) => assert.throws(() => leaseForTest(...args), {
        name: 'ArgumentTypeError',
        message: /^leaseForTest\\(\\) of portalloc\\/node-test was given .* in place of the context of a test; .*call lease\\(\\) or port\\(\\)/,
      });
      refused();
      refused(2);
      describe('a suite', () => {
        let early;
        before((suite) => { refused(suite); assert.deepEqual(leases(), []); });
        beforeEach((t) => { early = leaseForTest(t); });
        test('has one of its hook', () => assert.ok(who(early.port).leased));
      });
    `,
  });
  const output = execFileSync(process.execPath, ['--test', '--test-reporter=tap', 'a.test.mjs'], {
    cwd: inner.directory,
    encoding: 'utf8',
    env: { ...process.env, NODE_TEST_CONTEXT: undefined },
  });
  assert.match(output, /# pass [1-9](.*\n)*# fail 0/);
  nothingIsLeft();
});

for (const args of [[], ['--parallel', '--jobs=2']]) {
  test(`Mocha: leaseForTest outside of a test says what to call, ${args.length ? 'in parallel' : 'one by one'}`, async (t) => {
    const inner = suite(t, {
      'a.spec.js': `
        const { leaseForTest } = require('portalloc/mocha');
        const record = require('./record.js');
        function refused(where) {
          try {
            leaseForTest();
            record({ where });
          } catch ({ message }) {
            record({ where, message });
          }
        }
        refused('at the top');
        describe('first', () => {
          before(() => refused('in before'));
          it('leases', () => { leaseForTest(); });
        });
        describe('second', () => {
          before(() => refused('in before, behind a test'));
          it('leases', () => { leaseForTest(); });
          after(() => refused('in after'));
        });`,
    });
    const { status, output } = await inner.run('mocha', ['--require', 'portalloc/mocha', ...args, 'a.spec.js']);
    assert.equal(status, 0, output);
    assert.deepEqual(inner.told().map(({ where }) => where), ['at the top', 'in before', 'in before, behind a test', 'in after']);
    for (const { message } of inner.told()) {
      assert.match(String(message), /^leaseForTest\(\) of portalloc\/mocha.* was called while no test is running; .*call lease\(\) or port\(\) of portalloc/);
    }
    nothingIsLeft();
  });

  test(`Mocha: root hooks, ${args.length ? 'in parallel' : 'one by one'}`, async (t) => {
    const middle = here.base + here.ports.length / 2;
    const halves = [`${here.base}-${middle - 1}`, `${middle}-${here.ports.at(-1)}`];
    // In parallel each file has a pool of its own: else one may be given what the other has just given back.
    const body = (pool) => `
      process.env.PORTALLOC_POOL = '${pool}';
      const assert = require('node:assert');
      const net = require('node:net');
      const { who } = require('portalloc');
      const { leaseForTest } = require('portalloc/mocha');
      const record = require('./record.js');
      const ports = [];
      let server;
      afterEach((done) => { if (server) server.close(done); else done(); server = undefined; });
      describe('leases', () => {
        it('one', (done) => {
          ports.push(...leaseForTest(2));
          server = net.createServer().listen(leaseForTest({ leak: 'error' }).port, done);
        });
        it('two', () => {
          assert.ok(ports.every((port) => !who(port).leased));
          leaseForTest();
          record({ id: process.env.ISOLATION_ID, web: process.env.WEB_PORT });
        });
      });
    `;
    const inner = suite(t, { 'portalloc.toml': 'names = ["web"]\n', 'a.spec.js': body(halves[0]), 'b.spec.js': body(halves[1]) });
    const { status, output } = await inner.run('mocha', ['--require', 'portalloc/mocha', '--timeout=240000', ...args, 'a.spec.js', 'b.spec.js']);
    assert.equal(status, 0, output);
    const told = inner.told();
    assert.equal(told.length, 2);
    assert.equal(new Set(told.map(({ id, web }) => `${id} ${web}`)).size, 1);
    assert.ok(told[0].web);
    nothingIsLeft();
  });
}
