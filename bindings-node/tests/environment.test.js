'use strict';

// Environments: made, found, shared with children, removed.

const assert = require('node:assert/strict');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');
const { test } = require('node:test');
const { inspect } = require('node:util');

const {
  attachEnvironment,
  cleanup,
  cleanupStale,
  createEnvironment,
  createEnvironmentAsync,
  currentEnvironment,
  environments,
  isFree,
  lease,
  render,
  validate,
  who,
} = require('portalloc');
const { node, until, world } = require('./world.js');

const here = world();

test('made and removed as one', () => {
  const environment = createEnvironment({ names: ['web', 'db'], instanceId: 'a', envFile: true });
  const { id, tempDir, envFile, variables } = environment;
  assert.match(id, /^[0-9a-f]{12}$/);
  assert.equal(environment.port('web'), environment.basePort);
  assert.equal(environment.port(1), environment.port('db'));
  assert.deepEqual([...environment.names], ['web', 'db']);
  assert.equal(variables.WEB_PORT, String(environment.basePort));
  assert.equal(variables.ISOLATION_ID, id);
  assert.equal(tempDir, path.join(here.temp, `portalloc-${id}`));
  assert(fs.statSync(tempDir).isDirectory());
  assert.equal(envFile, path.join(here.work, '.env.isolation'));
  assert(fs.readFileSync(envFile, 'utf8').includes(`WEB_PORT=${environment.basePort}`));
  assert.equal(environment.lifetime, 'held');
  assert.equal(environment.instanceId, 'a');
  assert.equal(environment.worktreePath, here.work);
  assert(Math.abs(Date.now() - environment.createdAt.getTime()) < 60_000);
  assert.equal(environment.expiresAt, undefined);
  assert.equal(environment.render(), render(variables));
  assert.equal(environment.render('fish'), render(Object.entries(variables), 'fish'));
  assert.equal(inspect(environment), `Environment ${id} { web: ${environment.ports[0]}, db: ${environment.ports[1]} }`);
  assert.equal(JSON.parse(JSON.stringify(environment)).id, id);
  assert.equal(environments().find((each) => each.isolationId === id).status, 'active');
  assert.deepEqual(validate(id), {
    isolationId: id,
    valid: true,
    checks: ['record', 'tempDir', 'envFile', 'lease'].map((name) => ({ name, ok: true })),
    ports: environment.ports.map((port) => ({ port, inUse: false })),
  });
  assert.equal(who(environment.basePort).lease.isolationId, id);
  assert.throws(() => environment.port('mail'), { portallocCode: 'invalid_argument', message: /mail/ });
  assert.throws(() => environment.port(2), { portallocCode: 'invalid_argument' });
  assert.throws(() => environment.port(1.5), { portallocCode: 'invalid_argument' });
  environment.cleanup();
  environment.cleanup();
  assert.deepEqual([fs.existsSync(tempDir), fs.existsSync(envFile)], [false, false]);
  assert(environment.ports.every((port) => isFree(port)));
  assert.throws(() => validate(id), { portallocCode: 'not_found' });
});

test('its lease', () => {
  const environment = createEnvironment({ count: 2, guard: true });
  const held = environment.lease;
  assert.equal(environment.lease, held);
  assert.deepEqual(held.ports, environment.ports);
  assert.equal(held.guardState, 'exclusive');
  held.shareGuard();
  assert.equal(held.guardState, 'shared');
  assert.equal(environment.envFile, undefined);
  environment.cleanup();
  assert.equal(held.released, true);
  assert.throws(() => held.guard(), { portallocCode: 'invalid_argument' });
  held.release();
  assert.equal(environment.lease, undefined);
});

test('its lease answers at once while another thread removes much', async (t) => {
  const environment = createEnvironment({ envFile: true });
  const { envFile, lease: its, tempDir } = environment;
  // The removal waits for whoever is changing the env file at this moment, and does the temp dir before that.
  const changing = spawn('flock', [envFile, 'cat'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.after(() => changing.kill('SIGKILL'));
  changing.stdin.write('locked');
  await once(changing.stdout, 'data');
  const removed = environment[Symbol.asyncDispose]();
  await until(() => !fs.existsSync(tempDir), 'it is being removed');
  assert.deepEqual([its.released, its.held, its.guardState, its.basePort], [false, true, 'none', environment.basePort]);
  assert.equal(environment.lease, its);
  assert(fs.existsSync(envFile), 'it is still being removed');
  changing.stdin.end();
  // It gives up after five seconds: so it would have, had one of these waited for it.
  await removed;
  assert.equal(fs.existsSync(envFile), false);
  assert.equal(its.released, true);
  assert.equal(environment.lease, undefined);
});

test('where the env file goes', () => {
  const file = path.join(here.scratch, 'my.env');
  const environment = createEnvironment({ envFile: pathToFileURL(file), worktree: pathToFileURL(here.temp) });
  assert.equal(environment.envFile, file);
  assert.equal(environment.worktreePath, here.temp);
  assert.throws(() => createEnvironment({ envFile: file }), { name: 'EnvFileExistsError' });
  environment.cleanup();
});

test('using removes it', async () => {
  const environment = createEnvironment();
  environment[Symbol.dispose]();
  assert.equal(fs.existsSync(environment.tempDir), false);
  const other = await createEnvironmentAsync();
  await other[Symbol.asyncDispose]();
  assert.equal(fs.existsSync(other.tempDir), false);
});

test('a kept one stays until it is cleaned up', () => {
  const kept = createEnvironment({ kept: true, ttlMs: 3_600_000 });
  assert.equal(kept.lifetime, 'kept');
  assert(kept.expiresAt > kept.createdAt);
  assert.equal(kept.lease, undefined);
  const [info] = environments().filter((each) => each.isolationId === kept.id);
  assert.deepEqual([info.lifetime, info.tempDir], ['kept', kept.tempDir]);
  const attached = attachEnvironment(kept.id);
  attached[Symbol.dispose]();
  assert.deepEqual(attached.ports, kept.ports);
  assert.equal(cleanup(kept.id), true);
  assert.equal(cleanup(kept.id), false);
  assert.throws(() => attachEnvironment(kept.id), { name: 'NotFoundError' });
  assert.throws(() => attachEnvironment('x'), { name: 'InvalidIdError' });
  assert.throws(() => attachEnvironment(), { portallocCode: 'not_found', message: /ISOLATION_ID/ });
});

test('the one of this run is shared, and ends with it', () => {
  process.env.WEB_PORT = 'of before';
  const environment = currentEnvironment({ names: ['web'] });
  assert.equal(process.env.ISOLATION_ID, environment.id);
  assert.equal(process.env.WEB_PORT, String(environment.basePort));
  const again = currentEnvironment();
  assert.equal(again.id, environment.id);
  again[Symbol.dispose]();
  environment.cleanup();
  assert.equal(process.env.ISOLATION_ID, undefined);
  assert.equal(process.env.WEB_PORT, 'of before');
  delete process.env.WEB_PORT;
});

test('a child of this run finds it', async (t) => {
  const environment = currentEnvironment({ names: ['web'] });
  const code = `const { id, ports, lease } = require(${JSON.stringify(require.resolve('portalloc'))}).currentEnvironment();
    console.log(JSON.stringify([id, ports, lease ?? null]));`;
  assert.deepEqual(await node(t, code).line(), [environment.id, [...environment.ports], null]);
  assert.throws(() => {
    // One that is held by this process is not for others to end, and neither for this one by its ID.
    cleanup(environment.id);
  }, { name: 'EnvironmentInUseError' });
  process.env.WEB_PORT = 'changed';
  environment.cleanup();
  assert.equal(process.env.ISOLATION_ID, undefined);
  assert.equal(process.env.WEB_PORT, 'changed');
  delete process.env.WEB_PORT;
});

test('one left over in the variable is replaced', () => {
  process.env.ISOLATION_ID = '0123456789ab';
  const environment = currentEnvironment();
  assert.notEqual(environment.id, '0123456789ab');
  environment.cleanup();
  process.env.ISOLATION_ID = 'no id';
  assert.throws(() => currentEnvironment(), { portallocCode: 'invalid_id' });
  delete process.env.ISOLATION_ID;
});

for (const [how, code] of Object.entries({
  'the end of the script': '',
  'process.exit()': 'process.exit(3)',
  'an uncaught exception': 'throw new Error("on purpose")',
})) {
  test(`${how} removes a held one`, async (t) => {
    const script = `const e = require(${JSON.stringify(require.resolve('portalloc'))}).createEnvironment();
      console.log(JSON.stringify([e.ports, e.tempDir])); ${code}`;
    const child = node(t, script);
    const [ports, tempDir] = await child.line();
    await child.ended;
    assert(ports.every((port) => isFree(port)));
    assert.equal(fs.existsSync(tempDir), false);
  });
}

test('after a kill it is stale, and its ports are free', async (t) => {
  const script = `const e = require(${JSON.stringify(require.resolve('portalloc'))}).createEnvironment();
    console.log(JSON.stringify([e.id, e.ports, e.tempDir])); setInterval(() => {}, 1000)`;
  const child = node(t, script);
  const [id, ports, tempDir] = await child.line();
  child.child.kill('SIGKILL');
  await child.ended;
  await until(() => ports.every((port) => isFree(port)), 'free ports');
  assert.equal(environments().find((each) => each.isolationId === id).status, 'stale');
  assert(cleanupStale().includes(id));
  assert.equal(fs.existsSync(tempDir), false);
});

test('an exhausted pool leaves nothing of it', async () => {
  const held = lease({ exact: here.ports });
  assert.throws(() => createEnvironment(), { portallocCode: 'pool_exhausted' });
  await assert.rejects(createEnvironmentAsync({ waitMs: 20 }), { portallocCode: 'timeout' });
  await assert.rejects(createEnvironmentAsync({ waitMs: 60_000, signal: AbortSignal.timeout(20) }), {
    name: 'TimeoutError',
    code: 23,
  });
  held.release();
  // The wait that was given up may still have got the ports, and gives them back then.
  await until(() => fs.readdirSync(here.temp).length === 0, 'no temp dir');
});
