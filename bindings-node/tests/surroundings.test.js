'use strict';

// Surroundings in which programs start by accident: no current directory, no standard streams, no home, no place for temp
// directories; and paths that nobody would choose.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { describe, test } = require('node:test');

const { PortallocError, attachEnvironment, createEnvironment, environments, isFree, lease, leases, render } = require('portalloc');
const { node, run, world } = require('./world.js');

const here = world();
const PACKAGE = JSON.stringify(require.resolve('portalloc'));

/** What `call` throws; always one of ours. */
function refused(call) {
  try {
    call();
  } catch (error) {
    assert(error instanceof PortallocError, error.stack);
    return error;
  }
  throw new Error('nothing was thrown');
}

const nothingIsLeft = () => assert.deepEqual([environments(), leases()], [[], []]);

describe('the current directory', () => {
  /** Calls in a process of its own, after `prepare` there; prints what they return, or the code of what they throw. */
  const CALLS = `
    const fs = require('node:fs');
    const { createEnvironment, environments, giveBack, isFree, lease, leases, port, settings, who } = require(${PACKAGE});
    const told = {};
    const tell = (name, call) => {
      try {
        told[name] = call();
      } catch (error) {
        told[name] = [error.portallocCode, error.message];
      }
    };
    function calls() {
      tell('lease', () => { const one = lease(); const { held } = one; one.release(); return held; });
      tell('port', () => giveBack(port()));
      tell('who', () => who(1).leased);
      tell('isFree', () => typeof isFree(1));
      tell('lists', () => [leases(), environments()]);
      tell('settings', () => settings().pool);
      tell('elsewhere', () => { const one = createEnvironment({ count: 1, worktree: '/' }); one.cleanup(); return one.worktreePath; });
      tell('here', () => { const one = createEnvironment({ count: 1 }); one.cleanup(); return one.worktreePath; });
      console.log(JSON.stringify(told));
    }`;

  async function told(t, prepare) {
    const { out, err, status } = await node(t, `${CALLS}\n${prepare}\ncalls();`).ended;
    assert.equal(status, 0, err);
    return JSON.parse(out);
  }

  const WORKS = { lease: true, port: true, who: false, isFree: 'boolean', lists: [[], []], settings: here.pool, elsewhere: '/' };

  test('was removed: every call works that does not need one', async (t) => {
    const directory = JSON.stringify(path.join(here.scratch, 'removed'));
    const { here: itself, ...others } = await told(t, `fs.mkdirSync(${directory}); process.chdir(${directory}); fs.rmdirSync(${directory});`);
    assert.deepEqual(others, WORKS);
    const [code, message] = itself;
    assert.equal(code, 'invalid_argument');
    assert.match(message, /^the current directory has been removed; name an existing directory as the worktree$/);
    nothingIsLeft();
  });

  test('may not be read: every call works', async (t) => {
    const directory = path.join(here.scratch, 'locked');
    fs.mkdirSync(directory);
    fs.writeFileSync(path.join(directory, 'portalloc.toml'), 'names = [');
    // Another user, if this is root, who may read everything. His registry and temp directories are the ones of this test.
    for (const [each, mode] of [[here.scratch, 0o755], [here.temp, 0o1777], [here.work, 0o755]]) fs.chmodSync(each, mode);
    lease().release(); // makes the registry
    const found = await told(t, `
      process.chdir(${JSON.stringify(directory)});
      fs.chmodSync('.', 0);
      if (process.getuid() === 0) { process.setgroups([]); process.setgid(65534); process.setuid(65534); }`);
    fs.chmodSync(directory, 0o700);
    assert.deepEqual(found, { ...WORKS, here: directory });
    nothingIsLeft();
  });

  test('is not UTF-8: what needs its path says so', async () => {
    const script = `mkdir -p "$(printf 'x\\351')" && cd "$(printf 'x\\351')" && exec "$0" -e "$1"`;
    const { status, out, err } = await run('sh', ['-c', script, process.execPath, `${CALLS}\ncalls();`], { cwd: here.scratch });
    assert.equal(status, 0, err);
    const { here: itself, ...others } = JSON.parse(out);
    assert.deepEqual(others, WORKS);
    assert.match(itself.join(' '), /^invalid_argument the worktree .*x\ufffd is not valid UTF-8; name an existing directory as the worktree$/);
    nothingIsLeft();
  });
});

describe('standard streams', () => {
  const code = (prepare, file) => `
    const fs = require('node:fs');
    const { createEnvironment, isFree, lease, port } = require(${PACKAGE});
    ${prepare}
    const one = lease({ count: 2, guard: true });
    const environment = createEnvironment({ count: 1 });
    const numbers = [port(), ...environment.ports];
    const links = [0, 1, 2].map((fd) => { try { return fs.readlinkSync('/proc/self/fd/' + fd); } catch { return ''; } });
    const facts = { held: one.held, socket: one.fd(), free: [...one, ...numbers].map(isFree), links };
    fs.writeFileSync(${JSON.stringify(file)}, JSON.stringify(facts));`;

  for (const [name, redirections, prepare] of [
    ['were closed before the start', '<&- >&- 2>&-', ''],
    ['are closed by the program', '', 'for (const fd of [0, 1, 2]) fs.closeSync(fd);'],
  ]) {
    test(`${name}: no lease takes their place`, async () => {
      const file = path.join(here.scratch, 'facts');
      await run('sh', ['-c', `exec "$0" -e "$1" ${redirections}`, process.execPath, code(prepare, file)]);
      const { held, socket, free, links } = JSON.parse(fs.readFileSync(file, 'utf8'));
      assert.deepEqual([held, free], [true, [false, false, false, false]]);
      assert(socket > 2, String(socket));
      assert(links.every((link) => !link.startsWith(process.env.PORTALLOC_DIR) && !link.startsWith('socket:')), String(links));
      fs.rmSync(file);
      nothingIsLeft();
    });
  }
});

test('without HOME', async (t) => {
  const script = `const { createEnvironment, lease } = require(${PACKAGE});
    const one = createEnvironment({ names: ['web'], envFile: true });
    console.log(JSON.stringify([process.env.HOME ?? null, lease().held, one.envFile]));`;
  const { out, err } = await node(t, script, { env: { HOME: undefined } }).ended;
  assert.equal(out, `${JSON.stringify([null, true, path.join(here.work, '.env.isolation')])}\n`, err);
  nothingIsLeft();
});

describe('TMPDIR', () => {
  const file = path.join(here.scratch, 'a file');
  fs.writeFileSync(file, '');

  for (const [name, directory, errno] of [
    ['is missing', path.join(here.scratch, 'missing'), 'ENOENT'],
    ['is a file', file, 'ENOTDIR'],
  ]) {
    test(`${name}: an environment says so and leaves nothing; a lease needs none`, () => {
      const before = process.env.TMPDIR;
      process.env.TMPDIR = directory;
      try {
        const error = refused(() => createEnvironment({ count: 1 }));
        assert.equal(error.portallocCode, 'io');
        assert(error.message.includes(directory), error.message);
        assert.equal(error.cause.code, errno);
        lease().release();
      } finally {
        process.env.TMPDIR = before;
      }
      nothingIsLeft();
    });
  }
});

// The core's part of this is under way; then it is no `todo` any more.
test('an empty TMPDIR is as good as none', () => {
  const before = process.env.TMPDIR;
  process.env.TMPDIR = '';
  try {
    const environment = createEnvironment({ count: 1 });
    environment.cleanup();
    assert.equal(path.dirname(environment.tempDir), '/tmp');
  } finally {
    process.env.TMPDIR = before;
  }
  nothingIsLeft();
});

describe('a worktree', () => {
  const LONG = Array.from({ length: 40 }, () => 'y'.repeat(99)).join('/');
  const NAMES = {
    'line ends': 'a\nb\r\nc',
    quotes: `q'u"o\`te $HOME \\ {web} %s`,
    'control characters': '\t\x1b[31mred\x07',
    blanks: ' a ',
    'other scripts': 'é☃日本語',
    'the longest name': 'x'.repeat(255),
    '4,000 characters': LONG.slice(0, 4000 - here.scratch.length - 1),
  };

  for (const [what, name] of Object.entries(NAMES)) {
    test(`of ${what} is what it was given as`, () => {
      const worktree = path.join(here.scratch, name);
      // Step by step: a path may be longer than one system call takes.
      fs.mkdirSync(worktree, { recursive: true });
      const environment = createEnvironment({ names: ['web'], worktree, envFile: true });
      assert.equal(environment.worktreePath, worktree);
      assert.equal(environment.envFile, path.join(worktree, '.env.isolation'));
      assert(fs.readFileSync(environment.envFile, 'utf8').includes(`WEB_PORT=${environment.basePort}\n`));
      assert.deepEqual(environments().map(({ worktreePath }) => worktreePath), [worktree]);
      assert.equal(attachEnvironment(environment.id).worktreePath, worktree);
      assert.equal(JSON.parse(JSON.stringify(environment)).worktreePath, worktree);
      const shell = `${render({ ...environment.variables, WORKTREE: worktree })}printf %s "$WORKTREE"`;
      assert.equal(execFileSync('sh', { input: shell, encoding: 'utf8' }), worktree);
      environment.cleanup();
      nothingIsLeft();
    });
  }

  test('of no directory, and of one that cannot be', () => {
    for (const [worktree, said] of [
      [path.join(here.scratch, 'missing'), 'missing'],
      [__filename, 'is not a directory'],
      ['', 'the worktree '],
      [path.join(here.scratch, 'x'.repeat(256)), 'name too long'],
      [path.join(here.scratch, LONG, LONG), 'y/y'],
      ['a\0b', 'NUL'],
    ]) {
      const error = refused(() => createEnvironment({ worktree }));
      assert.equal(error.portallocCode, 'invalid_argument');
      assert(error.message.includes(said) && error.remedy.includes('worktree'), error.message);
    }
    nothingIsLeft();
  });
});

test('half of a surrogate pair is refused, not replaced: two different texts would become one', () => {
  const half = 'a\ud83db';
  const said = (what) => ({
    portallocCode: 'invalid_argument',
    name: 'InvalidArgumentError',
    message: `${what} is the string "a\\ud83db", which has half of a surrogate pair; give text that can be written in UTF-8`,
  });
  for (const [call, what] of [
    [() => createEnvironment({ worktree: half }), 'worktree'],
    [() => createEnvironment({ envFile: half }), 'envFile'],
    [() => createEnvironment({ instanceId: half }), 'instanceId'],
    [() => createEnvironment({ names: ['web', half] }), 'names[1]'],
    [() => lease({ stickyKey: half }), 'stickyKey'],
    [() => lease({ pool: half }), 'pool'],
    [() => attachEnvironment(half), 'id'],
    [() => render({ A: half }), 'the value of A'],
  ]) assert.throws(call, said(what));
  const whole = lease({ stickyKey: '\ud83d\ude00' });
  assert(!isFree(whole.port));
  whole.release();
  nothingIsLeft();
});
