'use strict';

// The environment: for whom its variables are, and when it ends.

const assert = require('node:assert/strict');
const { spawn, spawnSync } = require('node:child_process');
const { once } = require('node:events');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');

const { Job, inputsOf, release } = require('./runner');

const base = { 'base-url': pathToFileURL(release()).href };

test('later steps have its variables, and the post step removes it', async () => {
  const job = new Job();
  const { log, status } = await job.main({ ...base, names: 'web,postgres' });
  assert.equal(status, 0, log);
  const variables = job.pairs('env');
  const [environment] = job.environments();
  assert.deepEqual([variables.WEB_PORT, variables.POSTGRES_PORT], environment.ports.map(String));
  assert.ok(fs.statSync(variables.TEMP_DIR).isDirectory());
  assert.deepEqual(environment.names, ['web', 'postgres']);
  assert.equal(environment.holder.pid, process.pid, 'the runner owns it');
  const outputs = job.pairs('output');
  assert.equal(outputs['isolation-id'], environment.isolation_id);
  assert.equal(outputs.WEB_PORT, variables.WEB_PORT);
  assert.deepEqual(fs.readdirSync(path.join(job.directory, 'workspace')), [], 'the repository stays clean');

  const end = await job.post();
  assert.equal(end.status, 0, end.log);
  assert.deepEqual(job.environments(), []);
  assert.ok(!fs.existsSync(variables.TEMP_DIR));
  const again = await job.post();
  assert.equal(again.status, 0, again.log);
  assert.doesNotMatch(again.log, /::(warning|error)/, 'a step may have cleaned up by itself');
});

test('two in one job end each for itself', async () => {
  const job = new Job();
  assert.equal((await job.main({ ...base, ports: '2' })).status, 0);
  const [first] = job.environments();
  const state = job.file('state');
  fs.writeFileSync(path.join(job.directory, 'state'), '');
  assert.equal((await job.main({ ...base, ports: '3', ttl: '2h' })).status, 0);
  const second = job.environments().find(({ isolation_id: id }) => id !== first.isolation_id);
  assert.equal(second.ports.length, 3);
  assert.notEqual(second.expires_at, null);
  assert.equal(first.expires_at, null);
  assert.equal((await job.post()).status, 0);
  assert.deepEqual(job.environments().map(({ isolation_id: id }) => id), [first.isolation_id]);
  fs.writeFileSync(path.join(job.directory, 'state'), state);
  assert.equal((await job.post()).status, 0);
  assert.deepEqual(job.environments(), []);
});

test('by portalloc.toml', async () => {
  const job = new Job();
  fs.writeFileSync(path.join(job.directory, 'workspace/portalloc.toml'), 'names = ["api"]\n');
  const { log, status } = await job.main({ ...base, environment: 'true' });
  assert.equal(status, 0, log);
  assert.match(job.pairs('env').API_PORT, /^\d+$/);
  assert.equal((await job.post()).status, 0);
});

test('a runner that is killed leaves it stale', async () => {
  const job = new Job();
  // It starts the step, and then lives on, as a runner does between steps.
  const script = `require('child_process').spawnSync(process.execPath, [process.argv[1]], { stdio: 'inherit' });
    console.log('the step is over');
    process.stdin.resume();`;
  const runner = spawn(process.execPath, ['-e', script, path.join(__dirname, '../main.js')], {
    cwd: path.join(job.directory, 'workspace'),
    env: { ...job.env, ...inputsOf({ ...base, ports: '1' }) },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let log = '';
  for await (const data of runner.stdout) {
    log += data;
    if (log.includes('the step is over')) break;
  }
  assert.equal(job.environments()[0]?.status, 'active', log);
  runner.kill('SIGKILL');
  await once(runner, 'exit');
  assert.equal(job.environments()[0].status, 'stale');
});

test('in a container, in which the runner cannot be seen, it is kept until the post step', async (t) => {
  const within = ['unshare', '--map-root-user', '--pid', '--fork', '--kill-child'];
  if (spawnSync(within[0], [...within.slice(1), 'true']).status !== 0) {
    assert.ok(!process.env.CI, 'CI must run this');
    return t.skip('unshare does not work here');
  }
  const job = new Job();
  const { log, status } = await job.main({ ...base, ports: '1' }, { within });
  assert.equal(status, 0, log);
  assert.equal(job.environments()[0].holder, null);
  assert.equal((await job.post()).status, 0);
  assert.deepEqual(job.environments(), []);
});

test('if no ports are free, the step fails, and its post step has nothing to do', async () => {
  const crowded = new Job();
  assert.equal((await crowded.main({ ...base, ports: '20' })).status, 0);
  const job = new Job();
  job.registry = crowded.registry;
  const { log, status } = await job.main({ ...base, ports: '1' });
  assert.equal(status, 1);
  assert.match(log, /^::error title=portalloc::`portalloc create .*--ports=1` failed with status 3: the log says why/m);
  assert.equal(job.file('state'), '');
  assert.equal(job.file('env'), '');
  assert.deepEqual(await job.post(), { log: '', status: 0 });
  assert.equal(job.environments().length, 1);
  assert.equal((await crowded.post()).status, 0);
});

test('an input is a value, never an option', async () => {
  const job = new Job();
  const { log, status } = await job.main({ ...base, names: '--scattered' });
  assert.equal(status, 1, log);
  assert.deepEqual(job.environments(), []);
});

test('a post step that cannot clean up warns, and does not fail the job', async () => {
  const job = new Job();
  assert.equal((await job.main({ ...base, ports: '1' })).status, 0);
  const { id, program } = job.pairs('state');
  const moved = `${program}.away`;
  fs.renameSync(program, moved);
  const { log, status } = await job.post();
  assert.equal(status, 0);
  assert.match(log, /^::warning title=portalloc::cannot remove the environment .*ENOENT.*cleanup --stale/m);
  assert.ok(log.includes(id));
  fs.renameSync(moved, program);
  assert.equal((await job.post()).status, 0);
  assert.deepEqual(job.environments(), []);
});
