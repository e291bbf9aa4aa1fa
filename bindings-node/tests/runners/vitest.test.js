'use strict';

// Vitest's real runs: what tests see of the environment in each pool, and what failures and leaks are told.

const assert = require('node:assert/strict');
const net = require('node:net');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const portalloc = require('portalloc');
const { world } = require('../world.js');
const collisions = require('./collisions.js');
const { Inner, unavailable, until } = require('./inner.js');

const here = world(120);

const config = (more = '') => `
import { defineConfig } from 'vitest/config';
export default defineConfig({ test: {
  globalSetup: ['portalloc/vitest'],
  reporters: ['default', 'portalloc/vitest/reporter'],
  testTimeout: 240000,
  ${more}
} });`;
const NAMES = 'names = ["web", "db"]\n[env]\nBASE_URL = "http://localhost:{web}/"\n';
const SEEN = `
import { expect, inject, test } from 'vitest';
import { attachEnvironment, lease } from 'portalloc';
import record from './record.js';
test('sees it', () => {
  const told = inject('portalloc');
  const { id, ports, names } = attachEnvironment();
  expect(told).toMatchObject({ id, ports: [...ports], names: [...names] });
  const { WEB_PORT, DB_PORT, BASE_URL } = process.env;
  record({ id, ports, names, variables: [WEB_PORT, DB_PORT], url: BASE_URL, told: [told.variables.WEB_PORT, told.variables.BASE_URL] });
});
test('using', () => {
  let port: number;
  {
    using own = lease();
    port = own.port;
    expect(own.released).toBe(false);
    expect(() => lease({ exact: [port] })).toThrow(expect.objectContaining({ portallocCode: 'port_in_use' }));
  }
  using again = lease({ exact: [port], waitMs: 60_000 }); // another file may have been given it for a moment
  expect(again.port).toBe(port);
});
`;

function suite(t, files) {
  t.after(() => portalloc.cleanupStale()); // of a test that failed
  return new Inner(t, here, { 'vitest.config.mjs': config(), 'portalloc.toml': NAMES, ...files });
}
const nothingIsLeft = () => {
  assert.deepEqual(portalloc.environments(), []);
  assert.deepEqual(portalloc.leases(), []);
};

for (const pool of ['threads', 'forks', 'vmThreads']) {
  describe(`pool ${pool}`, () => {
    test('sees the environment of the run, and `using` releases', async (t) => {
      const inner = suite(t, Object.fromEntries([0, 1, 2].map((i) => [`${i}.test.ts`, SEEN])));
      const { status, output } = await inner.run('vitest', ['run', `--pool=${pool}`, '--maxWorkers=2']);
      assert.equal(status, 0, output);
      const told = inner.told();
      assert.equal(told.length, 3);
      assert.equal(new Set(told.map(({ id }) => id)).size, 1);
      for (const { ports, names, variables, url, told: provided } of told) {
        assert.deepEqual(names, ['web', 'db']);
        assert.deepEqual(variables, ports.map(String));
        assert.equal(url, `http://localhost:${ports[0]}/`);
        assert.deepEqual(provided, [variables[0], url]);
      }
      nothingIsLeft();
    });

    const files = collisions.files('js', (file) => `
      import { test } from 'vitest';
      import { leaseForTest } from 'portalloc/vitest';
      import serve from './serve.js';
      test('serves', () => serve(${file}, leaseForTest));
    `);
    const args = ['run', `--pool=${pool}`, `--maxWorkers=${collisions.TOGETHER}`];

    test('40 files with 5 servers each do not collide', async (t) => {
      const inner = suite(t, files);
      const { status, output } = await inner.run('vitest', args);
      assert.equal(status, 0, output);
      const groups = collisions.groups(inner.told());
      assert.equal(groups.length, 5);
      for (const ports of groups) assert.equal(new Set(ports).size, 40);
      nothingIsLeft();
    });

    if (pool !== 'forks') return;
    test('the control: ports asked of the kernel do', async (t) => {
      const { prefix, reason } = collisions.narrowNetwork();
      if (reason) return unavailable(t, reason);
      const inner = suite(t, files);
      const { status, output } = await inner.run('vitest', args, { prefix, env: { ASK_THE_KERNEL: '1' } });
      assert.equal(status, 1, output);
      assert.match(output, /EADDRINUSE/);
      for (const ports of collisions.groups(inner.told())) assert.ok(new Set(ports).size < 40);
    });
  });
}

for (const pool of ['threads', 'forks', 'vmThreads']) {
  test(`projects have environments of their own, and see no variable of another, with ${pool}`, async (t) => {
    const project = (name, names) => ({
      [`${name}/portalloc.toml`]: `names = ${names}\n`,
      [`${name}/a.test.js`]: `
        import { inject, test } from 'vitest';
        import record from '../record.js';
        const { ISOLATION_ID, WEB_PORT, DB_PORT, API_PORT } = process.env;
        test('sees its own', () => record({ name: '${name}', told: inject('portalloc').variables, sees: { ISOLATION_ID, WEB_PORT, DB_PORT, API_PORT } }));`,
      [`${name}/vitest.config.mjs`]: `export default { test: { name: '${name}', globalSetup: ['portalloc/vitest'] } };`,
    });
    const inner = suite(t, {
      'vitest.config.mjs': `export default { test: { projects: ['one', 'two'] } };`,
      ...project('one', '["web", "db"]'),
      ...project('two', '["web", "api"]'),
    });
    const { status, output } = await inner.run('vitest', ['run', `--pool=${pool}`, '--maxWorkers=1', '--no-isolate']);
    assert.equal(status, 0, output);
    const told = Object.fromEntries(inner.told().map((one) => [one.name, one]));
    assert.notEqual(told.one.told.ISOLATION_ID, told.two.told.ISOLATION_ID);
    for (const { told: { ISOLATION_ID, WEB_PORT, DB_PORT, API_PORT }, sees } of Object.values(told)) {
      assert.deepEqual(sees, JSON.parse(JSON.stringify({ ISOLATION_ID, WEB_PORT, DB_PORT, API_PORT })));
    }
    assert.deepEqual([told.one.sees.API_PORT, told.two.sees.DB_PORT], [undefined, undefined]);
    assert.ok(told.one.sees.DB_PORT && told.two.sees.API_PORT);
    nothingIsLeft();
  });
}

test('a globalSetup beside the projects makes one environment for all', async (t) => {
  const inner = suite(t, {
    'vitest.config.mjs': config(`projects: ['one', 'two'],`),
    ...Object.fromEntries(['one', 'two'].flatMap((name) => [
      [`${name}/vitest.config.mjs`, `export default { test: { name: '${name}' } };`],
      [`${name}/a.test.ts`, SEEN.replace('./record.js', '../record.js')],
    ])),
  });
  const { status, output } = await inner.run('vitest', ['run']);
  assert.equal(status, 0, output);
  const told = inner.told();
  assert.equal(told.length, 2);
  assert.equal(new Set(told.map(({ id }) => id)).size, 1);
  for (const { names, ports, variables } of told) {
    assert.deepEqual(names, ['web', 'db']);
    assert.deepEqual(variables, ports.map(String));
  }
  nothingIsLeft();
});

test('a factory, which may look at the project', async (t) => {
  const inner = suite(t, {
    'vitest.config.mjs': config().replace('portalloc/vitest', './global-setup.mjs'),
    'global-setup.mjs': `
      import { setup } from 'portalloc/vitest';
      export default setup((project) => ({ names: ['web', 'db', 'api'], instanceId: project.name || 'root' }));`,
    'a.test.ts': SEEN,
  });
  const { status, output } = await inner.run('vitest', ['run']);
  assert.equal(status, 0, output);
  assert.deepEqual(inner.told().map(({ names }) => names), [['web', 'db', 'api']]);
  nothingIsLeft();
});

test('leaseForTest holds until the test and its hooks are over, and names leaks', async (t) => {
  const inner = suite(t, {
    'a.test.js': `
      import net from 'node:net';
      import { afterEach, test } from 'vitest';
      import { who } from 'portalloc';
      import { leaseForTest } from 'portalloc/vitest';
      import record from './record.js';
      const ports = [];
      const leased = () => record({ leased: ports.map((port) => who(port).leased) });
      afterEach(leased);
      test('one', () => { ports.push(...leaseForTest(2)); });
      // Asked before this one leases any, because it may be given those of the test before.
      test('two', () => { leased(); ports.splice(0, 2, leaseForTest().port); });
      test('forgets', () => new Promise((resolve) => { net.createServer().listen(leaseForTest({ leak: 'error' }).port, resolve).unref(); }));
      test('tidy', () => new Promise((resolve) => {
        const server = net.createServer().listen(leaseForTest({ leak: 'error' }).port, () => server.close(resolve));
      }));
    `,
  });
  const { status, output } = await inner.run('vitest', ['run']);
  assert.equal(status, 1, output);
  assert.deepEqual(inner.told().slice(0, 3).map(({ leased }) => leased), [[true, true], [false, false], [true]]);
  assert.match(output, /1 failed \| 3 passed/);
  assert.match(output, /test "forgets" is over: port \d+ is given back, but still listened on by this process/);
  nothingIsLeft();
});

test('a server that outlives the run is named', async (t) => {
  const inner = suite(t, {
    'vitest.config.mjs': config().replace('portalloc/vitest', './global-setup.mjs'),
    'global-setup.mjs': `
      import { setup } from 'portalloc/vitest';
      export default setup({ names: ['web'], leak: 'error' });`,
    'a.test.js': `
      import { spawn } from 'node:child_process';
      import { test } from 'vitest';
      import { waitUntilOpen } from 'portalloc';
      import record from './record.js';
      test('forgets', async () => {
        const port = Number(process.env.WEB_PORT);
        const child = spawn(process.execPath, ['-e', 'require("net").createServer().listen(' + port + ')'], { stdio: 'ignore' });
        child.unref();
        record({ server: child.pid, port });
        await waitUntilOpen(port, { waitMs: 200000 });
      });`,
  });
  const { status, output } = await inner.run('vitest', ['run']);
  const [{ server, port }] = inner.told();
  assert.equal(status, 1, output);
  assert.match(output, new RegExp(`The run is over: port ${port} is given back, but still listened on by PID ${server} \\(.*createServer`));
  process.kill(server, 'SIGKILL');
  nothingIsLeft();
});

test('SIGKILL of Vitest frees the ports at once', async (t) => {
  for (const pool of ['forks', 'threads']) {
    const inner = suite(t, {
      'a.test.js': `
        import { test } from 'vitest';
        import record from './record.js';
        test('waits', async () => {
          record({ ports: [Number(process.env.WEB_PORT), Number(process.env.DB_PORT)] });
          await new Promise((resolve) => setTimeout(resolve, 50000));
        });`,
    });
    const running = inner.start('vitest', ['run', `--pool=${pool}`]);
    await until(() => inner.told().length === 1, () => running.output);
    const [{ ports }] = inner.told();
    assert.ok(ports.every((port) => !portalloc.isFree(port)));
    process.kill(running.pid, 'SIGKILL');
    await until(() => ports.every(portalloc.isFree), () => String(ports), 30_000); // the workers end after 50 s
    running.killAll();
    portalloc.cleanupStale();
  }
  nothingIsLeft();
});

test('SIGKILL of a worker frees its ports; the run and its environment go on', async (t) => {
  const inner = suite(t, {
    'killed.test.js': `
      import { test } from 'vitest';
      import { lease } from 'portalloc';
      import record from './record.js';
      const own = lease(2);
      test('is killed', () => {
        record({ own: [...own] });
        process.kill(process.pid, 'SIGKILL');
      });`,
    ...Object.fromEntries([0, 1, 2, 3].map((i) => [`${i}.test.ts`, SEEN])),
  });
  const { status, output } = await inner.run('vitest', ['run', '--pool=forks', '--maxWorkers=2']);
  assert.equal(status, 1, output);
  const seen = inner.told().filter(({ id }) => id);
  assert.equal(seen.length, 4, output);
  assert.equal(new Set(seen.map(({ id }) => id)).size, 1);
  const [{ own }] = inner.told().filter((one) => one.own);
  assert.ok(own.every(portalloc.isFree));
  nothingIsLeft();
});

test('leaseForTest outside of a test says what to call, and leaves nothing', async (t) => {
  const inner = suite(t, {
    'vitest.config.mjs': config('disableConsoleIntercept: true').replace("globalSetup: ['portalloc/vitest'],", ''),
    'a.test.js': `
      import { afterAll, beforeAll, describe, expect, test } from 'vitest';
      import { PortallocError, leases } from 'portalloc';
      import { leaseForTest } from 'portalloc/vitest';
      import record from './record.js';
      function refused(where) {
        try {
          leaseForTest();
          record({ where });
        } catch (error) {
          record({ where, message: error.message, isOurs: error instanceof PortallocError, leases: leases() });
        }
      }
      refused('at the top');
      beforeAll(() => refused('in beforeAll'));
      test('leases', () => { leaseForTest(); });
      describe('a suite behind a test', () => {
        beforeAll(() => refused('in its beforeAll'));
        test('leases', () => { expect(leaseForTest().port).toBeGreaterThan(0); });
        afterAll(() => refused('in its afterAll'));
      });
      afterAll(() => refused('in afterAll'));`,
  });
  const { status, output } = await inner.run('vitest', ['run']);
  assert.equal(status, 0, output);
  const told = inner.told();
  assert.deepEqual(told.map(({ where }) => where).sort(), ['at the top', 'in afterAll', 'in beforeAll', 'in its afterAll', 'in its beforeAll']);
  for (const { message, isOurs, leases } of told) {
    assert.match(String(message), /^leaseForTest\(\) of portalloc\/vitest was called while no test is running; .*call lease\(\) or port\(\) of portalloc/);
    assert.deepEqual([isOurs, leases], [true, []]);
  }
});

describe('a conflict', () => {
  test('is followed by who holds the port', async (t) => {
    const server = net.createServer().listen(here.ports.at(-1), '127.0.0.1');
    t.after(() => server.close());
    await once(server, 'listening');
    const { port } = server.address();
    const inner = suite(t, {
      'plain.test.js': `
        import { test } from 'vitest';
        import net from 'node:net';
        test('listens', () => new Promise((resolve, reject) => net.createServer().on('error', reject).listen(${port}, '127.0.0.1', resolve)));`,
      'unhandled.test.js': `
        import { test } from 'vitest';
        import net from 'node:net';
        test('listens', () => new Promise((resolve) => net.createServer().listen(${port}, '127.0.0.1', resolve)), 1000);`,
      'printed.test.js': `
        import { expect, test } from 'vitest';
        test('waits and fails', () => {
          console.error('Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}');
          expect('up').toBe('down');
        });`,
      'file.test.js': `throw new Error('listen EADDRINUSE: address already in use 127.0.0.1:${port}');`,
      'other.test.js': `
        import { expect, test } from 'vitest';
        test('fails otherwise', () => { console.log('port ${port}'); expect(${port}).toBe(1); });`,
      'fine.test.js': `
        import { test } from 'vitest';
        test('passes', () => { console.error('EADDRINUSE 127.0.0.1:${port}, tried the next one'); });`,
    });
    const { status, output } = await inner.run('vitest', ['run', '--maxWorkers=2']);
    assert.equal(status, 1);
    const sections = [...output.matchAll(/^ portalloc: (.+)\n {3}(.*)\n/gm)];
    const files = sections.map(([, where]) => where).sort();
    assert.deepEqual(files, ['file.test.js', 'plain.test.js', 'printed.test.js', 'unhandled errors'], output);
    for (const [, , sentence] of sections) assert.match(sentence, new RegExp(`^port ${port} is in use by PID ${process.pid} `));
  });

  test('nothing is printed where there is no conflict, and nothing loaded where nothing fails', async (t) => {
    const inner = suite(t, {
      'vitest.config.mjs': `export default { test: { reporters: ['default', 'portalloc/vitest/reporter', './loaded.mjs'] } };`,
      'loaded.mjs': `
        import fs from 'node:fs';
        import record from './record.js';
        export default class { onTestRunEnd() { record({ loaded: fs.readFileSync('/proc/self/maps', 'utf8').includes('portalloc.node') }); } }`,
      'fails.test.js': `import { expect, test } from 'vitest'; test('fails', () => { expect(1).toBe(2); });`,
      'passes.test.js': `import { test } from 'vitest'; test('passes', () => { console.error('EADDRINUSE'); });`,
    });
    for (const [files, expected] of [['passes', 0], ['test', 1]]) {
      const { status, output } = await inner.run('vitest', ['run', files]);
      assert.equal(status, expected, output);
      assert.ok(!output.includes('portalloc:'), output);
    }
    assert.deepEqual(inner.told().map(({ loaded }) => loaded), [false, true]);
  });
});

test('watch mode keeps one environment for all reruns', async (t) => {
  const inner = suite(t, { 'a.test.ts': SEEN });
  const running = inner.start('vitest', ['watch']);
  for (let run = 1; run <= 3; run += 1) {
    await until(() => inner.told().length >= run, () => running.output);
    await until(() => running.output.split('Waiting for file changes').length > run, () => running.output);
    assert.equal(portalloc.environments().length, 1);
    inner.write({ 'a.test.ts': `${SEEN}// ${run}` });
  }
  assert.equal(new Set(inner.told().map(({ id }) => id)).size, 1);
  running.killAll();
  await running.ended();
  portalloc.cleanupStale();
  nothingIsLeft();
});
