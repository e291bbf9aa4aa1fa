'use strict';

// What a test file takes and does not give back ends with the file, in runners that use one thread for many files; what was
// taken before, as in a globalSetup, stays.

const assert = require('node:assert/strict');
const { test } = require('node:test');
const portalloc = require('portalloc');
const { world } = require('../world.js');
const { Inner } = require('./inner.js');

const here = world(500);
const FILES = 4;
const MIDDLE = here.base + here.ports.length / 2;
const HALVES = [`${here.base}-${MIDDLE - 1}`, `${MIDDLE}-${here.ports.at(-1)}`];

/** Shared by the files of all runners: takes ports in all the ways, loses sight of them, and tells what is held. */
const TAKES = `
const fs = require('node:fs');
const { threadId } = require('node:worker_threads');
const record = require('./record.js');
const { createEnvironment, lease, port, who } = require('portalloc');

const told = () => fs.readFileSync(process.env.RECORDS, 'utf8').split('\\n').slice(0, -1).map(JSON.parse);
// Of two workers each has a pool of its own: else one may be given what a file of the other has just given back.
const worker = Number(process.env.JEST_WORKER_ID ?? process.env.MOCHA_WORKER_ID ?? 0);
process.env.PORTALLOC_POOL = ${JSON.stringify(HALVES)}[worker % 2];
const leased = (ports) => ports.map((each) => who(each).leased);

module.exports = class Takes {
  ports = [];
  directories = [];

  constructor(file) {
    this.file = file;
  }

  /** In the very thread that ran a file before: what is left of that. */
  begin() {
    const before = told().filter((one) => one.ended !== undefined && one.pid === process.pid && one.threadId === threadId);
    const ports = before.flatMap((one) => one.ports);
    record({
      begun: this.file,
      ofOthers: leased(ports),
      directoriesOfOthers: before.flatMap((one) => one.directories).filter((directory) => fs.existsSync(directory)),
      ofGlobal: leased(JSON.parse(process.env.GLOBAL_PORTS ?? '[]')),
    });
  }

  take() {
    const { ports, tempDir } = createEnvironment({ count: 2 });
    fs.writeFileSync(tempDir + '/data', '');
    this.directories.push(tempDir);
    this.ports.push(...ports, ...lease(2), port());
    lease().release();
  }

  end() {
    record({
      ended: this.file,
      threadId,
      ports: this.ports,
      held: leased(this.ports),
      directories: this.directories,
      directoriesThere: this.directories.map((directory) => fs.existsSync(directory + '/data')),
    });
  }
};
`;

/** A globalSetup's, lost as well. Mocha's workers load it, too: each takes from its own half, so never what the other gave back. */
const GLOBAL = `
const { lease, port } = require('portalloc');
const worker = process.env.MOCHA_WORKER_ID;
if (worker !== undefined) process.env.PORTALLOC_POOL = ${JSON.stringify(HALVES)}[Number(worker) % 2];
module.exports = () => { process.env.GLOBAL_PORTS = JSON.stringify([...lease(2), port()]); };
`;

function suite(t, files) {
  t.after(() => portalloc.cleanupStale()); // of a test that failed
  return new Inner(t, here, { 'takes.js': TAKES, 'global.js': GLOBAL, ...files });
}

const many = (name, body) => Object.fromEntries(Array.from({ length: FILES }, (_, index) => [name(index), body(index)]));

/** Each file had all that it took until all of its hooks were over; and the next one of its thread finds nothing of it. */
function check(told, { follow = FILES - 1, global = 3 } = {}) {
  const begun = told.filter((one) => one.begun !== undefined);
  const ended = told.filter((one) => one.ended !== undefined);
  assert.deepEqual([begun.length, ended.length], [FILES, FILES]);
  for (const { held, directoriesThere } of ended) {
    assert.ok(held.length >= 10 && held.every(Boolean), JSON.stringify(held));
    assert.ok(directoriesThere.length >= 2 && directoriesThere.every(Boolean));
  }
  for (const { ofOthers, directoriesOfOthers, ofGlobal } of begun) {
    assert.ok(!ofOthers.some(Boolean), JSON.stringify(ofOthers));
    assert.deepEqual(directoriesOfOthers, []);
    assert.deepEqual(ofGlobal, Array(global).fill(true));
  }
  assert.ok(begun.filter(({ ofOthers }) => ofOthers.length > 0).length >= follow, 'no file came after another one in its thread');
  assert.deepEqual(portalloc.leases(), []);
  assert.deepEqual(portalloc.environments(), []);
}

const JEST = (file) => `
  const Takes = require('./takes.js');
  const takes = new Takes(${file});
  takes.begin();
  takes.take();
  beforeAll(() => takes.take());
  test('one', () => takes.take());
  test('two', () => takes.take());
  afterAll(() => takes.end());
`;

for (const [name, args, follow] of [
  ['--runInBand', ['--runInBand'], FILES - 1],
  ['two workers', ['--maxWorkers=2'], 1],
  ['two worker threads', ['--maxWorkers=2', '--workerThreads'], 1],
]) {
  test(`Jest, ${name}`, async (t) => {
    const inner = suite(t, {
      'jest.config.js': `module.exports = { globalSetup: './global.js', setupFilesAfterEnv: ['portalloc/jest'] };`,
      ...many((index) => `${index}.test.js`, JEST),
    });
    const { status, output } = await inner.run('jest', args);
    assert.equal(status, 0, output);
    check(inner.told(), { follow });
  });
}

test('Jest, where each file imports the helper, and takes more than once', async (t) => {
  const inner = suite(t, {
    'jest.config.js': `module.exports = { globalSetup: './global.js' };`,
    ...many((index) => `${index}.test.js`, (index) => `require('portalloc/jest');${JEST(index)}
      test('after a reset', () => { jest.resetModules(); require('portalloc/jest'); takes.take(); });`),
  });
  const { status, output } = await inner.run('jest', ['--runInBand']);
  assert.equal(status, 0, output);
  check(inner.told());
});

// Of Jest's own time a file costs some 50 ms of a processor.
const MANY = 2000;
const TWENTY_MINUTES = { timeout: 1_200_000 };

test(`Jest in one process: ${MANY} files with a lease each, and a pool of a quarter as many ports`, TWENTY_MINUTES, async (t) => {
  const pool = `${here.base}-${here.base + MANY / 4 - 1}`;
  const body = `test('leases', () => { expect(require('portalloc').lease().port).toBeGreaterThan(0); });`;
  const inner = suite(t, {
    'jest.config.js': `module.exports = {
      setupFilesAfterEnv: ['portalloc/jest'], transform: {}, watchman: false, cacheDirectory: './cache', reporters: ['summary'],
    };`,
    ...Object.fromEntries(Array.from({ length: MANY }, (_, index) => [`files/${index}.test.js`, body])),
  });
  const options = { env: { PORTALLOC_POOL: pool }, deadlineMs: TWENTY_MINUTES.timeout };
  const { status, output } = await inner.run('jest', ['--ci', '--runInBand'], options);
  assert.equal(status, 0, output.slice(-5000));
  assert.match(output, new RegExp(`Tests: +${MANY} passed, ${MANY} total`));
  assert.deepEqual(portalloc.leases(), []);
});

const VITEST = (file) => `
  import { afterAll, beforeAll, test } from 'vitest';
  import { createRequire } from 'node:module';
  const Takes = createRequire(import.meta.url)('./takes.js');
  const takes = new Takes(${file});
  takes.begin();
  takes.take();
  beforeAll(() => takes.take());
  test('one', () => takes.take());
  test('two', () => takes.take());
  afterAll(() => takes.end());
`;

for (const args of [['--pool=forks', '--no-isolate'], ['--pool=threads', '--no-isolate'], ['--pool=vmThreads'], ['--pool=threads'], ['--pool=forks']]) {
  test(`Vitest, ${args.join(' ')}`, async (t) => {
    const inner = suite(t, {
      'vitest.config.mjs': `export default { test: { globalSetup: ['./global.mjs', 'portalloc/vitest'], setupFiles: ['portalloc/vitest'] } };`,
      'global.mjs': `import setUp from './global.js'; export default setUp;`,
      ...many((index) => `${index}.test.js`, VITEST),
    });
    const { status, output } = await inner.run('vitest', ['run', ...args, '--maxWorkers=1']);
    assert.equal(status, 0, output);
    check(inner.told(), { follow: args.includes('--no-isolate') || args.includes('--pool=vmThreads') ? FILES - 1 : 0 });
  });
}

/** Two suites in each file, so that the first one's end is not the file's. */
const MOCHA = (file) => `
  const Takes = require('./takes.js');
  const takes = new Takes(${file});
  describe('first', () => {
    before(() => { takes.begin(); takes.take(); });
    it('takes', () => takes.take());
  });
  describe('second', () => {
    before(() => takes.take());
    it('takes', () => takes.take());
    after(() => takes.end());
  });
`;

for (const [name, args, follow] of [
  ['one by one', ['./hooks.js'], FILES - 1],
  // A worker is told of no end of the modules that it requires: so those that take something come before ours.
  ['in parallel', ['portalloc/mocha', '--parallel', '--jobs=2'], 1],
]) {
  test(`Mocha, ${name}`, async (t) => {
    const inner = suite(t, {
      'hooks.js': `require('./global.js')(); exports.mochaHooks = { beforeAll() {
        process.env.OF_ROOT ??= String(require('portalloc').lease().port);
      }, afterAll() {
        require('./record.js')({ ofRoot: require('portalloc').who(Number(process.env.OF_ROOT)).leased });
      } };`,
      ...many((index) => `${index}.spec.js`, MOCHA),
    });
    const { status, output } = await inner.run('mocha', ['--require', args.length > 1 ? './hooks.js' : 'portalloc/mocha', '--require', ...args, '*.spec.js']);
    assert.equal(status, 0, output);
    check(inner.told(), { follow });
    // One by one, it is taken once for all files.
    if (name === 'one by one') assert.deepEqual(inner.told().filter(({ ofRoot }) => ofRoot !== undefined).map(({ ofRoot }) => ofRoot), [true]);
  });
}

test('Mocha, one by one: what files take while all are loaded stays for all', async (t) => {
  const inner = suite(t, {
    ...many((index) => `${index}.spec.js`, (index) => `
      const { lease, who } = require('portalloc');
      const { port } = lease();
      it('has it outside of suites', () => { if (!who(port).leased) throw new Error('${index}'); });
      describe('a suite', () => { it('has it', () => { if (!who(port).leased) throw new Error('${index}'); }); });`),
  });
  const { status, output } = await inner.run('mocha', ['--require', 'portalloc/mocha', '*.spec.js']);
  assert.equal(status, 0, output);
  assert.deepEqual(portalloc.leases(), []);
});
