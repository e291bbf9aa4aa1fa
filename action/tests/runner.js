'use strict';

// A runner of GitHub's, as far as a step can see it, with a registry and a pool of its own; and releases to install
// from.

const { execFileSync, spawn } = require('node:child_process');
const crypto = require('node:crypto');
const { once } = require('node:events');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { after } = require('node:test');

/** The command as it is now, built by `make test-action`. */
const COMMAND = process.env.PORTALLOC_CLI;
if (!COMMAND) throw new Error('PORTALLOC_CLI is not set: run `make test-action`');
const VERSION = execFileSync(COMMAND, ['version'], { encoding: 'utf8' }).trim().split(' ')[1];
const TRIPLE = { arm64: 'aarch64-unknown-linux-musl', x64: 'x86_64-unknown-linux-musl' }[process.arch];
const ARCHIVE = `portalloc-${VERSION}-${TRIPLE}.tar.gz`;

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'portalloc-action-'));
after(() => fs.rmSync(scratch, { recursive: true }));

/** Sockets are machine-wide: the pool is leased from portalloc, in the registry that all test runs share. */
const POOL = (() => {
  const words = ['create', '--json', '--no-env-file', '--ports=20', `--owner-pid=${process.pid}`, '--wait=2m'];
  const registry = path.join(os.tmpdir(), 'portalloc-test-ports');
  const env = { ...process.env, PORTALLOC_DIR: registry, PORTALLOC_POOL: '20001-29999' };
  const { variables } = JSON.parse(execFileSync(COMMAND, words, { cwd: scratch, encoding: 'utf8', env }));
  after(() => execFileSync(COMMAND, ['cleanup', '--id', variables.ISOLATION_ID], { env, stdio: 'ignore' }));
  const first = Number(variables.PORT_BASE);
  return `${first}-${first + Number(variables.PORT_COUNT) - 1}`;
})();

/** A directory with the files of a release, whose archive is as the real ones: one top directory. */
function release({ version = VERSION } = {}) {
  const directory = fs.mkdtempSync(path.join(scratch, 'release-'));
  const top = `portalloc-${version}-${TRIPLE}`;
  const name = `${top}.tar.gz`;
  fs.mkdirSync(path.join(directory, top));
  fs.copyFileSync(COMMAND, path.join(directory, top, 'portalloc'));
  execFileSync('tar', ['-czf', name, top], { cwd: directory });
  fs.rmSync(path.join(directory, top), { recursive: true });
  const sum = crypto.createHash('sha256').update(fs.readFileSync(path.join(directory, name))).digest('hex');
  fs.writeFileSync(path.join(directory, 'SHA256SUMS'), `${'0'.repeat(64)}  other-${name}\n${sum}  ${name}\n`);
  return directory;
}

/** Serves a directory over HTTP. `before(request, response)` may answer in its place, and then returns true. */
async function serve(directory, before = () => false) {
  const requests = [];
  const server = http.createServer((request, response) => {
    requests.push(request.url);
    if (before(request, response)) return;
    const file = path.join(directory, path.basename(request.url));
    if (fs.existsSync(file)) response.end(fs.readFileSync(file));
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  after(() => server.close());
  return { requests, url: `http://127.0.0.1:${server.address().port}/some/path` };
}

/** One job on one runner. */
class Job {
  constructor() {
    this.directory = fs.mkdtempSync(path.join(scratch, 'job-'));
    this.registry = path.join(this.directory, 'registry');
    for (const name of ['temp', 'workspace']) fs.mkdirSync(path.join(this.directory, name));
    for (const name of ['env', 'path', 'state', 'output']) fs.writeFileSync(path.join(this.directory, name), '');
  }

  file(name) {
    return fs.readFileSync(path.join(this.directory, name), 'utf8');
  }

  lines(name) {
    return this.file(name).split('\n').filter(Boolean);
  }

  /** What the runner makes of the lines NAME=value that a step has appended to one of its files. */
  pairs(name) {
    const pair = (line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)];
    return Object.fromEntries(this.lines(name).map(pair));
  }

  get env() {
    const { HOME, PATH } = process.env;
    return {
      HOME,
      PATH,
      TMPDIR: path.join(this.directory, 'temp'),
      PORTALLOC_DIR: this.registry,
      PORTALLOC_POOL: POOL,
      RUNNER_TEMP: path.join(this.directory, 'temp'),
      GITHUB_ENV: path.join(this.directory, 'env'),
      GITHUB_PATH: path.join(this.directory, 'path'),
      GITHUB_STATE: path.join(this.directory, 'state'),
      GITHUB_OUTPUT: path.join(this.directory, 'output'),
    };
  }

  /**
   * Runs one of the action's scripts; resolves to its status and everything that it has printed. `options` are Node's;
   * `within` is a command that starts Node.
   */
  async script(name, env, { options = [], within = [] } = {}) {
    const [program, ...words] = [...within, process.execPath, ...options, path.join(__dirname, '..', name)];
    const child = spawn(program, words, {
      cwd: path.join(this.directory, 'workspace'),
      env: { ...this.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    child.stdout.on('data', (data) => (log += data));
    child.stderr.on('data', (data) => (log += data));
    const [status] = await once(child, 'close');
    return { log, status };
  }

  main(inputs, options) {
    return this.script('main.js', inputsOf(inputs), options);
  }

  /** As the runner calls it, whatever has become of the steps between. */
  post() {
    const state = Object.entries(this.pairs('state')).map(([name, value]) => [`STATE_${name}`, value]);
    return this.script('post.js', Object.fromEntries(state));
  }

  environments() {
    return JSON.parse(execFileSync(COMMAND, ['list', '--json'], { env: this.env, encoding: 'utf8' })).environments;
  }
}

const inputsOf = (inputs) =>
  Object.fromEntries(Object.entries(inputs).map(([name, value]) => [`INPUT_${name.toUpperCase()}`, value]));

module.exports = { ARCHIVE, Job, VERSION, inputsOf, release, serve };
