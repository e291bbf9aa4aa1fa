'use strict';

// Jest's real runs: who holds the environment, what tests see of it, and what is left when somebody is killed.

const assert = require('node:assert/strict');
const net = require('node:net');
const { once } = require('node:events');
const { describe, test } = require('node:test');
const portalloc = require('portalloc');
const { world } = require('../world.js');
const collisions = require('./collisions.js');
const { Inner, isAlive, unavailable, until } = require('./inner.js');

const here = world(120);

const CONFIG = `module.exports = {
  globalSetup: 'portalloc/jest/setup',
  globalTeardown: 'portalloc/jest/teardown',
  reporters: ['default', 'portalloc/jest/reporter'],
  testTimeout: 240000,
};`;
const NAMES = 'names = ["web", "db"]\n[env]\nBASE_URL = "http://localhost:{web}/"\n';
const SEEN = `
const record = require('./record.js');
const { attachEnvironment } = require('portalloc');
const { ISOLATION_ID: id, WEB_PORT, DB_PORT, JEST_WORKER_ID: worker } = process.env;
const { isMainThread } = require('node:worker_threads');
test('sees it', () => {
  const { ports, names } = attachEnvironment();
  record({ id, worker, isMainThread, ports, names, variables: [WEB_PORT, DB_PORT], url: process.env.BASE_URL });
});
`;

function suite(t, files) {
  t.after(() => portalloc.cleanupStale()); // of a test that failed
  return new Inner(t, here, { 'jest.config.js': CONFIG, 'portalloc.toml': NAMES, ...files });
}
const many = (count, text) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`${i}.test.js`, text]));
const nothingIsLeft = () => {
  assert.deepEqual(portalloc.environments(), []);
  assert.deepEqual(portalloc.leases(), []);
};

async function listening(t) {
  const server = net.createServer().listen(here.ports.at(-1), '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  return server.address().port;
}

describe('the environment of the run', () => {
  for (const [name, args] of [
    ['with workers', ['--maxWorkers=3']],
    ['with --runInBand', ['--runInBand']],
    ['with worker threads', ['--maxWorkers=2', '--workerThreads']],
  ]) {
    test(`is the same in all files, ${name}`, async (t) => {
      const inner = suite(t, many(4, SEEN));
      const { status, output } = await inner.run('jest', args);
      assert.equal(status, 0, output);
      const told = inner.told();
      assert.equal(told.length, 4);
      assert.equal(new Set(told.map(({ id }) => id)).size, 1);
      for (const { ports, names, variables, url } of told) {
        assert.deepEqual(names, ['web', 'db']);
        assert.deepEqual(variables, ports.map(String));
        assert.equal(url, `http://localhost:${ports[0]}/`);
      }
      assert.ok(told.every(({ isMainThread }) => isMainThread !== args.includes('--workerThreads')));
      if (args.includes('--maxWorkers=3')) assert.ok(new Set(told.map(({ pid }) => pid)).size > 1, 'no workers');
      nothingIsLeft();
    });
  }

  test('comes from a factory, too, which may look at the configuration', async (t) => {
    const inner = suite(t, {
      'jest.config.js': CONFIG.replace('portalloc/jest/setup', './global-setup.mjs'),
      'global-setup.mjs': `
        import { setup } from 'portalloc/jest';
        export default setup((config) => ({ count: config.maxWorkers, names: ['web', 'db', 'api'] }));
      `,
      'a.test.js': SEEN,
      'b.test.js': SEEN,
    });
    const { status, output } = await inner.run('jest', ['--maxWorkers=7']);
    assert.equal(status, 0, output);
    for (const { ports, names } of inner.told()) {
      assert.equal(ports.length, 7);
      assert.deepEqual(names, ['web', 'db', 'api']);
    }
    nothingIsLeft();
  });

  test('is renewed in watch mode, with and without a teardown, and nothing piles up', async (t) => {
    for (const config of [CONFIG, CONFIG.replace(/globalTeardown.*/, '')]) {
      const inner = suite(t, { 'jest.config.js': config, 'a.test.js': SEEN });
      const running = inner.start('jest', ['--watchAll', '--watchman=false']);
      for (let run = 1; run <= 3; run += 1) {
        await until(() => inner.told().length >= run, () => running.output);
        // With the empty line, which comes when the teardown is over: Jest loses changes of files that it sees before.
        await until(() => running.output.split('Ran all test suites.\n\n').length > run, () => running.output);
        assert.ok(portalloc.environments().length <= 1);
        inner.write({ 'a.test.js': `${SEEN}// ${run}` });
      }
      assert.ok(new Set(inner.told().map(({ id }) => id)).size >= 3);
      running.killAll();
      await running.ended();
      portalloc.cleanupStale();
      nothingIsLeft();
    }
  });

  test('names a server that outlives the run', async (t) => {
    const inner = suite(t, {
      'jest.config.js': CONFIG.replace('portalloc/jest/setup', './global-setup.js'),
      'global-setup.js': `module.exports = require('portalloc/jest').setup({ names: ['web'], leak: 'error' });`,
      'a.test.js': `
        const { spawn } = require('node:child_process');
        const { waitUntilOpen } = require('portalloc');
        const record = require('./record.js');
        test('forgets', async () => {
          const port = Number(process.env.WEB_PORT);
          const child = spawn(process.execPath, ['-e', 'require("net").createServer().listen(' + port + ')'], { stdio: 'ignore' });
          child.unref();
          await waitUntilOpen(port, { waitMs: 200000 });
          record({ server: child.pid, port });
        });
      `,
    });
    const { status, output } = await inner.run('jest', []);
    const [{ server, port }] = inner.told();
    assert.notEqual(status, 0);
    assert.match(output, new RegExp(`The run is over: port ${port} is given back, but still listened on by PID ${server} \\(.*createServer`));
    process.kill(server, 'SIGKILL');
    nothingIsLeft();
  });
});

describe('who is killed', () => {
  const WAITS = `
    const record = require('./record.js');
    const { lease } = require('portalloc');
    const own = lease(2);
    test('waits', async () => {
      record({ ports: [Number(process.env.WEB_PORT), Number(process.env.DB_PORT)], own: [...own] });
      while (!require('node:fs').existsSync(__dirname + '/go')) await new Promise((resolve) => setTimeout(resolve, 20));
    }, 700000);
  `;

  test('SIGKILL of the parent frees the ports at once; the workers end with their test, and so do their leases', async (t) => {
    const inner = suite(t, many(2, WAITS));
    const running = inner.start('jest', ['--maxWorkers=2']);
    await until(() => inner.told().length === 2, () => running.output);
    const [{ ports }] = inner.told();
    assert.ok(ports.every((port) => !portalloc.isFree(port)));
    process.kill(running.pid, 'SIGKILL');
    await until(() => ports.every(portalloc.isFree), () => String(ports));
    const [first, second] = inner.told();
    assert.ok([...first.own, ...second.own].every((port) => portalloc.who(port).leased), 'what is a worker\'s own');
    process.kill(first.pid, 'SIGKILL');
    await until(() => first.own.every(portalloc.isFree), () => String(first.own));
    inner.write({ go: '' });
    await until(() => !isAlive(second.pid), () => 'a worker goes on');
    // Its main thread may be gone an instant before the others, and with the last of them the lease.
    await until(() => second.own.every(portalloc.isFree), () => String(second.own));
    assert.deepEqual(portalloc.environments().map(({ status }) => status), ['stale']);
    portalloc.cleanupStale();
    nothingIsLeft();
  });

  test('SIGKILL of a worker frees its ports; the run and its environment go on', async (t) => {
    const inner = suite(t, {
      ...many(6, SEEN),
      'killed.test.js': `
        const record = require('./record.js');
        const { lease } = require('portalloc');
        const own = lease(2);
        test('is killed', () => {
          record({ own: [...own] });
          process.kill(process.pid, 'SIGKILL');
        });
      `,
    });
    const { status, output } = await inner.run('jest', ['--maxWorkers=2']);
    assert.equal(status, 1, output);
    const seen = inner.told().filter(({ id }) => id);
    const killed = inner.told().filter(({ own }) => own);
    assert.equal(seen.length, 6, output);
    assert.ok(killed.length >= 1);
    assert.equal(new Set(seen.map(({ id }) => id)).size, 1);
    for (const { own } of killed) assert.ok(own.every(portalloc.isFree));
    nothingIsLeft();
  });
});

describe('leaseForTest', () => {
  const test_ = (body, config = {}) => ({ 'a.test.js': body, ...config });

  test('holds until the test and its hooks are over', async (t) => {
    const inner = suite(t, test_(`
      const record = require('./record.js');
      const { who } = require('portalloc');
      const { leaseForTest } = require('portalloc/jest');
      const ports = [];
      const leased = () => ports.map((port) => who(port).leased);
      let before, early;
      // Asked before this one leases any, because it may be given those of the test before.
      beforeEach(() => { before = leased(); early = leaseForTest().port; });
      afterEach(() => record({ before, after: leased(), early: who(early).leased }));
      for (const name of ['one', 'two', 'three']) test(name, () => {
        ports.push(...leaseForTest(2));
        jest.resetModules();
        ports.push(require('portalloc/jest').leaseForTest({ count: 1 }).port);
      });
    `));
    const { status, output } = await inner.run('jest', []);
    assert.equal(status, 0, output);
    const [one, two, three] = inner.told();
    assert.deepEqual(one.after, [true, true, true]);
    assert.deepEqual(two.before, [false, false, false]);
    assert.deepEqual(two.after.slice(-3), [true, true, true]);
    assert.deepEqual(three.before, Array(6).fill(false));
    assert.deepEqual(three.after.slice(-3), [true, true, true]);
    assert.ok([one, two, three].every(({ early }) => early));
    nothingIsLeft();
  });

  test('says where it may be called, and what to call elsewhere', async (t) => {
    const inner = suite(t, test_(`
      const { PortallocError, leases } = require('portalloc');
      const { leaseForTest } = require('portalloc/jest');
      const record = require('./record.js');
      function refused(where) {
        try {
          leaseForTest();
          record({ where });
        } catch (error) {
          record({ where, message: error.message, isOurs: error instanceof PortallocError, leases: leases().filter(({ isolationId }) => !isolationId).length });
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
      test.concurrent('at once with others', async () => refused('in a concurrent test'));
      afterAll(() => refused('in afterAll'));
    `));
    const { status, output } = await inner.run('jest', []);
    assert.equal(status, 0, output);
    const told = inner.told();
    const places = ['at the top', 'in a concurrent test', 'in afterAll', 'in beforeAll', 'in its afterAll', 'in its beforeAll'];
    assert.deepEqual(told.map(({ where }) => where).sort(), places);
    for (const { message, isOurs } of told) {
      assert.match(String(message), /^leaseForTest\(\) of portalloc\/jest was called while no test is running; .*call lease\(\) or port\(\) of portalloc/);
      assert.ok(isOurs);
    }
    // None has taken any: what is there is that of the test before.
    assert.deepEqual(told.filter(({ where }) => where === 'at the top' || where === 'in beforeAll').map(({ leases }) => leases), [0, 0]);
  });

  test('options that it does not have, and those of the environment', async (t) => {
    const inner = suite(t, {
      ...test_(`
        const { leaseForTest } = require('portalloc/jest');
        test.each([
          [{ leek: 'off' }, 'there is no option "leek"; leaseForTest() has count, '],
          [{ leak: 'loud' }, "leak is the string \\"loud\\"; give 'warn', 'error' or 'off'"],
          [null, 'leaseForTest() was given null; give it a number of ports, or an object of options'],
        ])('%j', (options, message) => { expect(() => leaseForTest(options)).toThrow(message); });
        test('leak is one of them', () => { expect(() => leaseForTest({ leek: 1 })).toThrow(/has .*, leak$/); });
      `),
    });
    const { status, output } = await inner.run('jest', []);
    assert.equal(status, 0, output);
    for (const [options, message] of [['{ leek: "off" }', 'there is no option "leek"; setup() has '], ['5', 'setup() was given the number 5;']]) {
      inner.write({
        'jest.config.js': CONFIG.replace('portalloc/jest/setup', './global-setup.js'),
        'global-setup.js': `module.exports = require('portalloc/jest').setup(${options});`,
      });
      const refused = await inner.run('jest', []);
      assert.equal(refused.status, 1);
      assert.ok(refused.output.includes(message), refused.output);
    }
    nothingIsLeft();
  });

  test('is there without globals, and in ES modules', async (t) => {
    const inner = suite(t, {
      'jest.config.js': CONFIG.replace('{', '{ injectGlobals: false, testMatch: ["**/*.test.mjs"], transform: {},'),
      'a.test.mjs': `
        import { expect, test } from '@jest/globals';
        import { lease, PortallocError } from 'portalloc';
        import { leaseForTest } from 'portalloc/jest';
        test('has a port', () => {
          expect(leaseForTest().port).toBeGreaterThan(0);
          expect(() => lease({ exact: leaseForTest().ports })).toThrow(PortallocError);
        });
      `,
    });
    const { status, output } = await inner.run('jest', [], { env: { NODE_OPTIONS: '--experimental-vm-modules' } });
    assert.equal(status, 0, output);
  });

  const FORGETS = (leak) => `
    const net = require('node:net');
    const { leaseForTest } = require('portalloc/jest');
    let tidy;
    afterEach((done) => { if (tidy) tidy.close(done); else done(); });
    test('forgets its server', (done) => {
      const server = net.createServer().listen(leaseForTest({ leak: '${leak}' }).port, done);
      server.unref();
    });
    test('closes its server in a hook', (done) => { tidy = net.createServer().listen(leaseForTest({ leak: 'error' }).port, done); });
  `;

  for (const [leak, wanted] of [['warn', 0], ['error', 1], ['off', 0]]) {
    test(`leaks are named: ${leak}`, async (t) => {
      const inner = suite(t, test_(FORGETS(leak)));
      const { status, output } = await inner.run('jest', []);
      assert.equal(status, wanted, output);
      const found = output.match(/test "[^"]+" is over: port \d+ is given back, but still listened on by this process, PID \d+/g);
      if (leak === 'off') assert.equal(found, null);
      else assert.ok(found?.every((line) => line.includes('forgets its server')), output);
    });
  }
});

describe('a conflict', () => {
  const conflicts = (port) => ({
    'plain.test.js': `test('listens', (done) => { require('net').createServer().listen(${port}, '127.0.0.1', done); }, 2000);`,
    'promise.test.js': `
      const { once } = require('node:events');
      test('listens', async () => {
        const server = require('net').createServer().listen({ port: ${port}, host: '127.0.0.1' });
        await once(server, 'listening').catch((cause) => { throw new Error('no server', { cause }); });
      });`,
    'child.test.js': `
      const { spawnSync } = require('node:child_process');
      test('starts a server', () => {
        const { stderr } = spawnSync(process.execPath, ['-e', 'require("net").createServer().listen(${port}, "127.0.0.1")']);
        expect(String(stderr)).toBe('');
      });`,
    'file.test.js': `
      const error = new Error('listen EADDRINUSE: address already in use 127.0.0.1:${port}');
      throw error;`,
    'printed.test.js': `
      test('waits and fails', () => {
        console.error('Error: listen EADDRINUSE: address already in use 127.0.0.1:${port}');
        expect('up').toBe('down');
      });`,
    'other.test.js': `test('fails otherwise', () => { console.log('port ${port}'); expect(${port}).toBe(1); });`,
    'fine.test.js': `test('passes', () => { console.error('EADDRINUSE 127.0.0.1:${port}, tried the next one'); });`,
  });

  test('is followed by who holds the port', async (t) => {
    const port = await listening(t);
    const inner = suite(t, conflicts(port));
    const { status, output } = await inner.run('jest', ['--maxWorkers=2']);
    assert.equal(status, 1);
    const sections = [...output.matchAll(/^ {2}portalloc: (\S+)\n\n {4}(.*)\n/gm)];
    assert.deepEqual(sections.map(([, file]) => file).sort(), ['child', 'file', 'plain', 'printed', 'promise'].map((name) => `${name}.test.js`), output);
    for (const [, , sentence] of sections) assert.match(sentence, new RegExp(`^port ${port} is in use by PID ${process.pid} `));
  });

  test('says so if nobody is there any more', async (t) => {
    const port = here.ports.at(-2);
    const inner = suite(t, {
      'a.test.js': `
        test('fails', () => { throw Object.assign(new Error('listen EADDRINUSE'), { code: 'EADDRINUSE', port: ${port} }); });`,
    });
    // The environment of the run must not get that very port.
    const { output } = await inner.run('jest', [], { env: { PORTALLOC_EXCLUDE: String(port) } });
    assert.match(output, new RegExp(`portalloc: a.test.js\\n\\n {4}port ${port} was in use, but is not any more`));
  });

  test('nothing is printed where there is no conflict, and nothing loaded where nothing fails', async (t) => {
    const inner = suite(t, {
      'jest.config.js': `module.exports = { reporters: ['default', 'portalloc/jest/reporter', './loaded.js'] };`,
      'loaded.js': `module.exports = class { onRunComplete() {
        require('./record.js')({ loaded: require('node:fs').readFileSync('/proc/self/maps', 'utf8').includes('portalloc.node') });
      } };`,
      'fails.test.js': `test('fails', () => { expect(1).toBe(2); });`,
      'passes.test.js': `test('passes', () => { console.error('EADDRINUSE'); });`,
    });
    for (const [files, expected] of [['passes', 0], ['', 1]]) {
      const { status, output } = await inner.run('jest', ['--runInBand', files]);
      assert.equal(status, expected);
      assert.ok(!output.includes('portalloc:'), output);
    }
    assert.deepEqual(inner.told().map(({ loaded }) => loaded), [false, true]);
  });
});

describe('40 files with 5 servers each, 8 at a time', () => {
  const files = collisions.files('js', (file) => `
    const { leaseForTest } = require('portalloc/jest');
    test('serves', () => require('./serve.js')(${file}, leaseForTest));
  `);

  test('leased ports do not collide', async (t) => {
    const inner = suite(t, files);
    const { status, output } = await inner.run('jest', ['--maxWorkers=8']);
    assert.equal(status, 0, output);
    const groups = collisions.groups(inner.told());
    assert.equal(groups.length, 5);
    for (const ports of groups) assert.equal(new Set(ports).size, 40);
    nothingIsLeft();
  });

  test('the control: ports asked of the kernel do', async (t) => {
    const { prefix, reason } = collisions.narrowNetwork();
    if (reason) return unavailable(t, reason);
    const inner = suite(t, files);
    const { status, output } = await inner.run('jest', ['--maxWorkers=8'], { prefix, env: { ASK_THE_KERNEL: '1' } });
    assert.equal(status, 1, output);
    assert.match(output, /EADDRINUSE/);
    assert.match(output, /^ {2}portalloc: file-\d+\.test\.js$/m);
    const groups = collisions.groups(inner.told());
    assert.equal(groups.length, 5);
    for (const ports of groups) assert.ok(new Set(ports).size < 40);
  });
});
