'use strict';

// Inner suites: what a user has, in a directory of its own, with the real runners and the packed package. They run in
// processes of their own and tell what they saw by lines of JSON in a file, so that tests compare facts and not texts.

const { spawn, spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '../../..');
const DEADLINE_MS = 240_000;

/** Until `holds` does, with a deadline for slow machines. */
async function until(holds, what, deadlineMs = DEADLINE_MS) {
  const deadline = Date.now() + deadlineMs;
  for (;;) {
    const held = await holds();
    if (held) return held;
    if (Date.now() > deadline) throw new Error(`not in time: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A node_modules with the packed package and links to what the project has installed. Made once for each state of it. */
function modules() {
  const state = crypto.createHash('sha256');
  const note = (name) => {
    const at = path.join(ROOT, name);
    const { size, mtimeMs } = fs.statSync(at);
    if (fs.statSync(at).isDirectory()) fs.readdirSync(at).sort().forEach((one) => note(path.join(name, one)));
    else state.update(`${name} ${size} ${mtimeMs}\n`);
  };
  ['index.js', 'index.mjs', 'index.d.ts', 'index.d.mts', 'js', 'runners', 'bin', 'portalloc', 'portalloc.node'].forEach((name) =>
    note(path.join('bindings-node', name)),
  );
  note('bindings-node/package.json');
  ['local.py', 'packing.py'].forEach((name) => note(path.join('packages/npm', name)));
  note('bindings-node/tests/runners/inner.js');
  note('node_modules/.package-lock.json');
  const cache = path.join(ROOT, 'node_modules/.cache/portalloc-inner');
  const made = path.join(cache, state.digest('hex').slice(0, 16));
  if (!fs.existsSync(made)) {
    forget(cache);
    const building = `${made}.${process.pid}`;
    const directory = path.join(building, 'node_modules');
    succeed('python3', ['-m', 'packages.npm.local', building], ROOT);
    for (const archive of fs.readdirSync(building)) {
      // As npm names an archive, without the scope's sign: `portalloc-linux-x64-gnu-0.1.0.tgz` is `@portalloc/linux-x64-gnu`.
      const platform = /^portalloc-(.+)-[^-]+\.tgz$/.exec(archive)?.[1];
      const its = path.join(directory, platform ? `@portalloc/${platform}` : 'portalloc');
      fs.mkdirSync(its, { recursive: true });
      succeed('tar', ['-xzf', archive, '-C', its, '--strip-components=1'], building);
    }
    for (const name of fs.readdirSync(path.join(ROOT, 'node_modules'))) {
      const installed = path.join(ROOT, 'node_modules', name);
      // Mocha looks for what it is told to require beside itself, where a link leads to.
      if (name === 'mocha') fs.cpSync(installed, path.join(directory, name), { recursive: true });
      else if (name === '.bin') link(installed, path.join(directory, name));
      else if (name !== '.cache') fs.symlinkSync(installed, path.join(directory, name));
    }
    const command = path.join(directory, 'portalloc/bin/portalloc.js');
    fs.symlinkSync(path.relative(path.join(directory, '.bin'), command), path.join(directory, '.bin/portalloc'));
    try {
      fs.renameSync(building, made);
    } catch (error) {
      if (!fs.existsSync(made)) throw error;
      fs.rmSync(building, { recursive: true }); // another test file was faster
    }
  }
  return path.join(made, 'node_modules');
}

/** Removes those of past states, but for what another run may have in use. */
function forget(cache) {
  for (const name of fs.existsSync(cache) ? fs.readdirSync(cache) : []) {
    const old = path.join(cache, name);
    try {
      if (Date.now() - fs.statSync(old).mtimeMs > 3_600_000) fs.rmSync(old, { recursive: true });
    } catch (error) {
      // Another test file removes it as well, or has given the one that it was building its name.
      if (error.code !== 'ENOENT' && error.code !== 'ENOTEMPTY') throw error;
    }
  }
}

/** The programs, by the links that npm has made, which are relative to where they are. */
function link(from, to) {
  fs.mkdirSync(to);
  for (const name of fs.readdirSync(from)) fs.symlinkSync(fs.readlinkSync(path.join(from, name)), path.join(to, name));
}

function succeed(program, args, cwd) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (status !== 0) throw error ?? new Error(`${program} ${args.join(' ')}: ${stdout}${stderr}`);
}

let number = 0;

class Inner {
  constructor(t, world, files) {
    this.t = t;
    this.directory = path.join(world.work, `suite-${(number += 1)}`);
    this.records = path.join(this.directory, 'records.jsonl');
    fs.mkdirSync(this.directory);
    fs.writeFileSync(this.records, '');
    fs.symlinkSync(modules(), path.join(this.directory, 'node_modules'));
    this.write({ 'package.json': '{"name": "inner", "private": true}', 'record.js': RECORD, ...files });
  }

  write(files) {
    for (const [name, text] of Object.entries(files)) {
      fs.mkdirSync(path.dirname(path.join(this.directory, name)), { recursive: true });
      fs.writeFileSync(path.join(this.directory, name), text);
    }
  }

  /** What the suite has told by now. */
  told() {
    // Behind the last line end there is nothing, or a line that is just being written.
    const lines = fs.readFileSync(this.records, 'utf8').split('\n').slice(0, -1);
    return lines.map((line) => JSON.parse(line));
  }

  /** Starts a program of node_modules/.bin, in a session of its own, which ends with the test. */
  start(program, args = [], { prefix = [], env = {} } = {}) {
    return this.startCommand([...prefix, path.join(this.directory, 'node_modules/.bin', program), ...args], env);
  }

  startCommand(command, env = {}) {
    const child = spawn(command[0], command.slice(1), {
      cwd: this.directory,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...clean(process.env), RECORDS: this.records, NO_COLOR: '1', ...env },
    });
    return new Running(this.t, child, this.directory);
  }

  /** To its end. */
  run(program, args, options) {
    return this.start(program, args, options).ended(options?.deadlineMs);
  }
}

/** Without what the outer runner tells its own children, and with what makes the inner one as on a developer's machine. */
function clean(variables) {
  const env = { ...variables };
  for (const name of ['CI', 'NODE_TEST_CONTEXT', 'NODE_OPTIONS', 'FORCE_COLOR']) delete env[name];
  return env;
}

class Running {
  output = '';
  #end;

  constructor(t, child) {
    this.child = child;
    this.pid = child.pid;
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (this.output += text));
    child.stdin.on('error', () => {});
    this.#end = new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (status, signal) => (this.exit = { status, signal }));
      child.on('close', () => resolve({ ...this.exit, output: this.output }));
    });
    t.after(() => {
      this.killAll();
      return this.ended();
    });
  }

  /** The group that this started, whatever is left of it. */
  killAll() {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
    this.child.stdout.destroy();
    this.child.stderr.destroy();
  }

  async ended(deadlineMs = 2 * DEADLINE_MS) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`it does not end: ${this.output}`)), deadlineMs);
    });
    try {
      return await Promise.race([this.#end, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

const RECORD = `
const fs = require('node:fs');
// In one write, so that lines of several processes do not mix.
module.exports = (facts) => fs.appendFileSync(process.env.RECORDS, JSON.stringify({ pid: process.pid, ...facts }) + '\\n');
`;

/** A process that is there and no zombie. */
function isAlive(pid) {
  try {
    return fs.readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/.*\) /s, '')[0] !== 'Z';
  } catch {
    return false;
  }
}

/** Skips on a developer's machine, loudly. CI must have everything. */
function unavailable(t, reason) {
  if (process.env.CI) throw new Error(`CI must have this: ${reason}`);
  console.error(`SKIPPED: ${t.name}: ${reason}`);
  t.skip(reason);
}

module.exports = { Inner, ROOT, isAlive, modules, unavailable, until };
