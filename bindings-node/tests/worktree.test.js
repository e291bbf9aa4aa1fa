'use strict';

// The environment of a worktree: one for all who ask, its own servers, and their end.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { afterEach, test } = require('node:test');

const portalloc = require('portalloc');
const { cleanup, createEnvironment, currentEnvironment, environments, lease, waitUntilOpen, worktreeEnvironment } = portalloc;
const { worktreeEnvironmentAsync } = portalloc;
const { node, run, until, world } = require('./world.js');

const here = world();
const PACKAGE = JSON.stringify(require.resolve('portalloc'));

afterEach(() => environments().forEach(({ isolationId }) => cleanup(isolationId)));

const declare = (t, text) => {
  const file = path.join(here.work, 'portalloc.toml');
  fs.writeFileSync(file, text);
  t.after(() => fs.rmSync(file, { force: true }));
};

/** A server in a process of its own, which listens when this is done. */
async function serve(t, port, options = {}) {
  const code = `require('node:http').createServer((_, answer) => answer.end()).listen(${port}, '127.0.0.1')`;
  const server = node(t, code, options);
  await waitUntilOpen(port);
  return server;
}

test('it is the same from everywhere', async (t) => {
  fs.mkdirSync(path.join(here.work, '.git'));
  const below = path.join(here.work, 'src/deep');
  fs.mkdirSync(below, { recursive: true });
  t.after(() => ['.git', 'src'].forEach((name) => fs.rmSync(path.join(here.work, name), { recursive: true })));
  const made = worktreeEnvironment({ names: ['web', 'db'] });
  assert.deepEqual([made.names, made.lifetime, made.worktreePath], [['web', 'db'], 'kept', fs.realpathSync(here.work)]);
  process.chdir(below);
  t.after(() => process.chdir(here.work));
  assert.equal(worktreeEnvironment().id, made.id);
  assert.equal(worktreeEnvironment({ worktree: here.work }).id, made.id);
  assert.notEqual(worktreeEnvironment({ instanceId: 'other' }).id, made.id);
  const { out, err } = await run(process.execPath, ['-p', `require(${PACKAGE}).worktreeEnvironment().id`]);
  assert.equal(out.trim(), made.id, err);
});

test('many who ask at once get one', async () => {
  const made = await Promise.all(Array.from({ length: 32 }, () => worktreeEnvironmentAsync({ count: 2, waitMs: 30_000 })));
  assert.equal(new Set(made.map(({ id }) => id)).size, 1);
  assert.deepEqual(environments().map(({ isolationId }) => isolationId), [made[0].id]);
});

test('it is not made where it only is asked for', async () => {
  assert.equal(worktreeEnvironment({ create: false }), null);
  assert.equal(await worktreeEnvironmentAsync({ create: false }), null);
  assert.deepEqual(environments(), []);
  const made = worktreeEnvironment();
  assert.equal(worktreeEnvironment({ create: false }).id, made.id);
  const refused = { portallocCode: 'invalid_argument', message: /repair/ };
  assert.throws(() => worktreeEnvironment({ create: false, repair: true }), refused);
  await assert.rejects(worktreeEnvironmentAsync({ create: false, repair: true }), refused);
  for (const wrong of [{ kept: true }, { envFile: true }, { signal: AbortSignal.timeout(1) }, { create: 'no' }]) {
    assert.throws(() => worktreeEnvironment(wrong), { name: 'ArgumentTypeError' });
  }
});

test('no object, no block and no process ends it', async () => {
  const made = worktreeEnvironment();
  made[Symbol.dispose ?? Symbol.for('Symbol.dispose')]();
  await made[Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose')]();
  assert(fs.existsSync(made.tempDir));
  const { status, err } = await run(process.execPath, ['-e', `require(${PACKAGE}).worktreeEnvironment({ instanceId: 'a' })`]);
  assert.equal(status, 0, err);
  assert.notEqual(worktreeEnvironment({ instanceId: 'a', create: false }), null);
  made.cleanup();
  assert.equal(worktreeEnvironment({ create: false }), null);
});

test('a repair follows the project file', async (t) => {
  declare(t, 'names = ["web"]');
  const first = worktreeEnvironment();
  assert.equal(worktreeEnvironment({ repair: true }).id, first.id);
  declare(t, 'names = ["web", "api"]');
  const moved = await worktreeEnvironmentAsync({ repair: true });
  assert.deepEqual([moved.names, moved.id === first.id], [['web', 'api'], false]);
  assert.deepEqual(environments().map(({ isolationId }) => isolationId), [moved.id]);
});

test('a hold keeps it', async (t) => {
  const environment = worktreeEnvironment();
  const hold = environment.hold();
  const copy = hold.inheritable();
  const child = spawn('sleep', ['1000'], { stdio: ['ignore', 'ignore', 'ignore', copy.fd] });
  t.after(() => child.kill('SIGKILL'));
  copy.close();
  assert.equal(hold.released, false);
  hold.release();
  hold.release();
  assert.equal(hold.released, true);
  assert.throws(() => hold.inheritable(), { portallocCode: 'invalid_argument', message: /released/ });
  assert.throws(() => environment.cleanup(), { name: 'EnvironmentInUseError' });
  await assert.rejects(environment.down(), { name: 'EnvironmentInUseError' });
  child.kill('SIGKILL');
  await until(() => {
    try {
      environment.cleanup();
      return true;
    } catch (error) {
      assert.equal(error.portallocCode, 'in_use');
      return false;
    }
  }, 'nobody has a hold any more');
  assert.throws(() => environment.hold(), { name: 'NotFoundError' });
  const held = createEnvironment();
  assert.throws(() => held.hold(), { portallocCode: 'invalid_argument' });
  held.cleanup();
  assert.throws(() => new portalloc.Hold(), { name: 'ArgumentTypeError' });
});

test('a hold ends with its worker, and not before', async () => {
  const { Worker } = require('node:worker_threads');
  const environment = worktreeEnvironment();
  const code = `
    require(${PACKAGE}).worktreeEnvironment().hold();
    globalThis.gc?.();
    require('node:worker_threads').parentPort.postMessage('held');
    setInterval(() => {}, 1000);`;
  const worker = new Worker(code, { eval: true });
  await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  assert.throws(() => environment.cleanup(), { name: 'EnvironmentInUseError' });
  await worker.terminate();
  environment.cleanup();
});

test('the loop', async (t) => {
  const environment = worktreeEnvironment({ names: ['web', 'api'] });
  const hold = environment.hold();
  const copy = hold.inheritable();
  // It has neither its variables nor its directory: only the hold tells.
  const web = await serve(t, environment.port('web'), { inherited: [copy.fd], cwd: '/' });
  copy.close();
  hold.release();
  const api = await serve(t, environment.port('api'), { env: environment.variables, cwd: '/' });
  await environment.waitUntilOurs({ waitMs: 0 });
  await environment.waitUntilOurs({ ports: 'web', http: '/', status: 200 });
  await environment.waitUntilOurs({ ports: new Set(['web', environment.port('api')]), http: '/' });

  const wouldEnd = await environment.stop({ dryRun: true });
  assert.deepEqual(wouldEnd.processes.map(({ pid, outcome }) => [pid, outcome]).toSorted(), [[web.child.pid, 'would_end'], [api.child.pid, 'would_end']].toSorted());
  const { processes, clear, removed } = await environment.stop({ ports: 'web' });
  const [ended] = processes;
  assert.deepEqual([processes.length, clear, removed], [1, true, false]);
  assert.deepEqual([ended.pid, ended.ports, ended.reason, ended.outcome], [web.child.pid, [environment.port('web')], 'hold', 'ended']);
  assert.equal((await web.ended).signal, 'SIGTERM');
  const down = await environment.down({ timeoutMs: 30_000 });
  assert.deepEqual([down.removed, down.processes.map(({ pid }) => pid)], [true, [api.child.pid]]);
  assert.deepEqual(environments(), []);
});

test("somebody else's server", async (t) => {
  const elsewhere = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'elsewhere-')));
  t.after(() => fs.rmSync(elsewhere, { recursive: true }));
  const environment = worktreeEnvironment({ names: ['web'] });
  const { child } = await serve(t, environment.port('web'), { cwd: elsewhere });
  await assert.rejects(environment.waitUntilOurs({ waitMs: Infinity }), { name: 'PortInUseError', message: new RegExp(elsewhere) });
  for (const end of ['stop', 'down']) {
    const report = await environment[end]();
    assert.deepEqual([report.clear, report.processes, report.removed], [false, [], false]);
    assert.deepEqual(report.foreign.map(({ pid, directory }) => [pid, directory]), [[child.pid, elsewhere]]);
  }
});

test('what cannot be', async () => {
  const environment = worktreeEnvironment({ names: ['web'] });
  const late = { name: 'WaitTimeoutError', message: new RegExp(environment.port('web')) };
  await assert.rejects(environment.waitUntilOurs({ waitMs: 0 }), late);
  const refused = [
    () => environment.stop({ ports: 'db' }),
    () => environment.stop({ ports: 1 }),
    () => environment.stop({ timeoutMs: -1 }),
    () => environment.stop({ ports: [true] }),
    () => environment.stop({ pots: [] }),
    () => environment.down({ ports: 'web' }),
    () => environment.waitUntilOurs({ ports: 'db' }),
    () => environment.waitUntilOurs({ ports: 0 }),
    () => environment.waitUntilOurs({ http: 'health' }),
    () => environment.waitUntilOurs({ status: 99_999 }),
    () => environment.waitUntilOurs({ status: 200.5 }),
    () => environment.waitUntilOurs({ waitMs: NaN }),
  ];
  for (const call of refused) await assert.rejects(call(), { portallocCode: 'invalid_argument' });
  assert.throws(() => environment.writeBlock(), { name: 'ArgumentTypeError' });
});

test('a signal ends the wait for our servers, and that for an end', async (t) => {
  const environment = worktreeEnvironment({ names: ['web'] });
  const reason = new Error('mine');
  await assert.rejects(environment.waitUntilOurs({ signal: AbortSignal.abort(reason) }), reason);
  await assert.rejects(environment.stop({ signal: AbortSignal.abort(reason) }), reason);
  const aborter = new AbortController();
  const waiting = environment.waitUntilOurs({ waitMs: Infinity, signal: aborter.signal });
  aborter.abort(reason);
  await assert.rejects(waiting, reason);
  // What waits in the background has no part in the end of the process.
  const code = `require(${PACKAGE}).worktreeEnvironment().waitUntilOurs({ waitMs: Infinity, signal: AbortSignal.timeout(1) }).catch(() => {})`;
  const { ended } = node(t, code);
  assert.equal((await ended).status, 0);
});

test('a signal ends the wait for their end', async (t) => {
  const environment = worktreeEnvironment({ names: ['web'] });
  const stubborn = `
    process.on('SIGTERM', () => console.log('"asked"'));
    require('node:net').createServer().listen(${environment.port('web')}, '127.0.0.1');`;
  const server = node(t, stubborn);
  await waitUntilOpen(environment.port('web'));
  const aborter = new AbortController();
  const ending = environment.down({ timeoutMs: Infinity, signal: aborter.signal });
  assert.equal(await server.line(), 'asked');
  aborter.abort();
  await assert.rejects(ending, { name: 'AbortError' });
  // It was not killed, and the environment is there.
  await environment.waitUntilOurs({ waitMs: 0 });
  const { processes } = await environment.stop({ timeoutMs: 0 });
  assert.deepEqual(processes.map(({ pid, outcome }) => [pid, outcome]), [[server.child.pid, 'killed']]);
});

test('a block in a file that people edit', () => {
  const file = path.join(here.work, '.env.local');
  fs.writeFileSync(file, 'MINE=1\n');
  const environment = worktreeEnvironment({ names: ['web'] });
  environment.writeBlock(file);
  environment.writeBlock('.env.local');
  const lines = fs.readFileSync(file, 'utf8').split('\n');
  assert.equal(lines[0], 'MINE=1');
  assert.equal(lines.filter((line) => line === `WEB_PORT=${environment.port('web')}`).length, 1);
  environment.cleanup();
  assert.equal(fs.readFileSync(file, 'utf8'), 'MINE=1\n');
  assert.throws(() => environment.writeBlock(file), portalloc.PortallocError);
  const held = createEnvironment();
  assert.throws(() => held.writeBlock(file), { portallocCode: 'invalid_argument' });
  held.cleanup();
});

test('variables of the project file', (t) => {
  declare(t, 'names = ["web"]\n[env]\nBASE_URL = "http://localhost:{web}/"');
  const environment = worktreeEnvironment();
  const url = `http://localhost:${environment.port('web')}/`;
  assert.equal(environment.variables.BASE_URL, url);
  assert(environment.render('dotenv').includes(`BASE_URL=${url}`));
  assert.deepEqual(worktreeEnvironment({ create: false }).variables, environment.variables);
  const current = currentEnvironment();
  assert.equal(process.env.BASE_URL, current.variables.BASE_URL);
  assert.notEqual(process.env.BASE_URL, url);
  current.cleanup();
  assert.equal(process.env.BASE_URL, undefined);
});

test('ports to try first', () => {
  const [, , second, third] = here.ports;
  const [one, other] = [lease({ prefer: third }), lease({ prefer: [third, second] })];
  assert.deepEqual([one.port, other.port], [third, second]);
  one.release();
  other.release();
  for (const make of [createEnvironment, currentEnvironment]) {
    const environment = make({ count: 1, prefer: third });
    assert.deepEqual(environment.ports, [third]);
    environment.cleanup();
  }
  assert.deepEqual(worktreeEnvironment({ instanceId: 'new', count: 2, prefer: new Set([second]) }).ports, [second, third]);
  for (const prefer of [0, [0], 1.5]) assert.throws(() => lease({ prefer }), { portallocCode: 'invalid_argument' });
  assert.throws(() => lease({ prefer: '80' }), { name: 'ArgumentTypeError' });
});
