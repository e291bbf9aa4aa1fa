'use strict';

// What the step puts on the PATH, and what it refuses.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test } = require('node:test');
const { pathToFileURL } = require('node:url');

const { ARCHIVE, Job, VERSION, release, serve } = require('./runner');

/** The command that later steps find. */
function onPath(job) {
  const [directory] = job.lines('path');
  return execFileSync(path.join(directory, 'portalloc'), ['version'], { encoding: 'utf8' }).trim();
}

/** The step has failed for a reason that the log states, and has changed nothing. */
function refused(job, { log, status }, ...reasons) {
  for (const reason of reasons) assert.match(log, reason);
  assert.match(log, /^::error title=portalloc::/m);
  assert.doesNotMatch(log, /\.js:\d+/, 'a reader of the log needs no stack');
  assert.equal(status, 1);
  assert.equal(job.file('path'), '');
  assert.equal(job.file('env'), '');
  assert.deepEqual(fs.readdirSync(path.join(job.directory, 'temp')), []);
}

test('over HTTP, by default the version of the action', async () => {
  const { requests, url } = await serve(release());
  const job = new Job();
  const { log, status } = await job.main({ 'base-url': `${url}/` });
  assert.equal(status, 0, log);
  assert.equal(onPath(job), `portalloc ${VERSION}`);
  assert.deepEqual(requests, ['/some/path/SHA256SUMS', `/some/path/${ARCHIVE}`]);
  assert.equal(job.file('env'), '', 'no environment was asked for');
});

test('from a directory, a version that is named', async () => {
  const job = new Job();
  const { log, status } = await job.main({
    'base-url': pathToFileURL(release({ version: '7.8.9-rc.1' })).href,
    version: 'v7.8.9-rc.1',
  });
  assert.equal(status, 0, log);
  assert.equal(onPath(job), `portalloc ${VERSION}`);
});

test('an archive that is not what the checksum says', async () => {
  const directory = release();
  fs.appendFileSync(path.join(directory, ARCHIVE), '\0');
  const { url } = await serve(directory);
  const job = new Job();
  const said = await job.main({ 'base-url': url });
  refused(job, said, /checksum of \S+ is [0-9a-f]{64}, but SHA256SUMS states [0-9a-f]{64}/);
});

test('an archive without a checksum, also if the name of another one contains its name', async () => {
  const directory = release();
  const sums = path.join(directory, 'SHA256SUMS');
  fs.writeFileSync(sums, fs.readFileSync(sums, 'utf8').split('\n').slice(0, 1).join('\n'));
  const job = new Job();
  refused(job, await job.main({ 'base-url': pathToFileURL(directory).href }), /has no checksum for/);
});

test('a release that is not there is asked for once', async () => {
  const { requests, url } = await serve(release());
  const job = new Job();
  refused(job, await job.main({ 'base-url': url, version: '99.0.0' }), /no checksum for portalloc-99\.0\.0-/);
  const empty = await serve(path.join(job.directory, 'workspace'));
  refused(job, await job.main({ 'base-url': empty.url }), /SHA256SUMS: the server answered 404\. Compare the inputs/);
  refused(job, await job.main({ 'base-url': 'file:///no/such/directory' }), /cannot read .*ENOENT.*Compare the inputs/);
  assert.equal(requests.length + empty.requests.length, 2);
});

test('a server that is overloaded, then breaks off, then answers', async () => {
  let count = 0;
  const { requests, url } = await serve(release(), (request, response) => {
    count += 1;
    if (count === 1) response.writeHead(503).end();
    else if (count === 2) request.socket.destroy();
    return count <= 2;
  });
  const job = new Job();
  const { log, status } = await job.main({ 'base-url': url });
  assert.equal(status, 0, log);
  assert.match(log, /the server answered 503; trying again/);
  assert.equal(requests.length, 4);
  assert.equal(onPath(job), `portalloc ${VERSION}`);
});

test('inputs that mean nothing', async () => {
  const job = new Job();
  refused(job, await job.main({ version: '../1.0.0' }), /`version` is '..\/1\.0\.0'\. Give it as X\.Y\.Z/);
  refused(job, await job.main({ 'base-url': 'ftp://host/' }), /`base-url` is 'ftp:\/\/host\/'\. Begin it with/);
  refused(job, await job.main({ environment: 'yes' }), /`environment` is 'yes'\. Give it as true or false/);
  refused(job, await job.main({ ttl: '2h' }), /`ttl` is of an environment, but none is asked for/);
});

for (const [property, value, remedy] of [
  ['platform', 'darwin', /Linux only, but this runner is darwin\. Use a Linux runner, or skip this step/],
  ['platform', 'win32', /Linux only, but this runner is win32\./],
  ['arch', 'riscv64', /no archive for riscv64, only for arm64 and x64\. Use a runner/],
]) {
  test(`a runner whose ${property} is ${value}`, async () => {
    const job = new Job();
    const pretend = path.join(job.directory, 'pretend.js');
    fs.writeFileSync(pretend, `Object.defineProperty(process, '${property}', { value: '${value}' });`);
    refused(job, await job.main({}, { options: ['--require', pretend] }), remedy);
  });
}

test('outside of a job', async () => {
  const job = new Job();
  const { log, status } = await job.script('main.js', {
    'INPUT_BASE-URL': pathToFileURL(release()).href,
    GITHUB_PATH: '',
  });
  assert.match(log, /GITHUB_PATH is not set: this script runs only as a step/);
  assert.equal(status, 1);
});

const root = path.join(__dirname, '../..');
const text = (name) => fs.readFileSync(path.join(root, name), 'utf8');

/** The names of the inputs in action.yml. */
function declared() {
  const [, section] = /^inputs:\n((?: .*\n)+)/m.exec(text('action.yml'));
  return [...section.matchAll(/^ {2}([a-z-]+):/gm)].map(([, name]) => name).sort();
}

test('action.yml declares the inputs that the scripts read, and runs the scripts that are here', () => {
  const names = [...text('action/main.js').matchAll(/\binput\('([a-z-]+)'\)|(?<=\[|, )'([a-z]+)'(?=.*\.filter)/g)];
  assert.deepEqual([...new Set(names.map(([, one, other]) => one ?? other))].sort(), declared());
  const scripts = [...text('action.yml').matchAll(/^ {2}(?:main|post): (\S+)$/gm)].map(([, name]) => name);
  assert.equal(scripts.length, 2);
  for (const script of scripts) assert.ok(fs.existsSync(path.join(root, script)), script);
  assert.match(text('action.yml'), /^ {2}post-if: always\(\)$/m);
});

test('the page names the inputs and this version', () => {
  const page = text('docs/ci.md');
  const rows = [...page.matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, name]) => name);
  assert.deepEqual(rows.sort(), declared());
  const examples = [...page.matchAll(/^ +- uses: portalloc\/portalloc@v(\S+)\n +with:\n((?: {10}.*\n)+)/gm)];
  assert.equal(examples.length, 1);
  for (const [, version, inputs] of examples) {
    assert.equal(version, VERSION);
    for (const line of inputs.trim().split('\n')) assert.ok(declared().includes(line.trim().split(':')[0]), line);
  }
});
