'use strict';

// The packages as users get them: packed, installed without a network into an empty project, used from both kinds of
// modules and from the shell.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, test } = require('node:test');

const { version } = require('portalloc');
const { run, world } = require('./world.js');

const here = world();
const root = path.join(__dirname, '../..');
const project = path.join(here.scratch, 'project');
const npm = (args, cwd, env = {}) =>
  run('npm', [...args, '--no-audit', '--no-fund', '--offline'], { cwd, env: { ...process.env, TMPDIR: here.temp, ...env } });

async function succeeded(running) {
  const done = await running;
  assert.equal(done.status, 0, `${done.out}\n${done.err}`);
  return done;
}

/** What a module prints, as JSON. */
async function printed(name, code, args = []) {
  fs.writeFileSync(path.join(project, name), code);
  return JSON.parse((await succeeded(run(process.execPath, [...args, name], { cwd: project }))).out);
}

before(async () => {
  const packed = path.join(here.scratch, 'packed');
  await succeeded(run('python3', ['-m', 'packages.npm.local', packed], { cwd: root }));
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, 'package.json'), '{"name": "empty", "private": true}');
  await succeeded(npm(['install', ...fs.readdirSync(packed).map((name) => path.join(packed, name))], project));
});

test('by require', async () => {
  const code = "const { lease } = require('portalloc'); const l = lease(); console.log(l.port); l.release();";
  assert(here.ports.includes(await printed('a.cjs', code)));
});

test('by import, with names and as a default, and it is the same', async () => {
  const code = `import portalloc, { lease, PortallocError } from 'portalloc';
    import { createRequire } from 'node:module';
    import * as all from 'portalloc';
    const required = createRequire(import.meta.url)('portalloc');
    const l = lease(); l.release();
    console.log(JSON.stringify([l.port, required.PortallocError === PortallocError && portalloc === required,
      Object.keys(all).filter((name) => name !== 'default').sort(), Object.keys(required).sort()]));`;
  const [port, same, imported, required] = await printed('b.mjs', code);
  assert(here.ports.includes(port));
  assert.equal(same, true);
  assert.deepEqual(imported, required);
});

test('the types say what there is', async () => {
  const types = fs.readFileSync(path.join(root, 'bindings-node/index.d.ts'), 'utf8');
  const declared = [...types.matchAll(/^export (?:class|function|const) (\w+)/gm)].map(([, name]) => name);
  const found = await printed('d.cjs', "console.log(JSON.stringify(Object.keys(require('portalloc'))))");
  assert.deepEqual([...new Set(declared)].sort(), found.sort());
});

test('types work in the project, by import and by require', async () => {
  fs.writeFileSync(
    path.join(project, 'typed.mts'),
    "import { lease, type Lease } from 'portalloc';\nexport const l: Lease = lease(1);\n// @ts-expect-error: a text\nlease('1');\n",
  );
  fs.writeFileSync(path.join(project, 'typed.cts'), "import { lease } from 'portalloc';\nexport const port: number = lease(1).port;\n");
  const tsc = require.resolve('typescript/bin/tsc', { paths: [root] });
  // Without the types of Node, and with those of old engines.
  const compilerOptions = { strict: true, noEmit: true, module: 'node16', target: 'es2022', types: [] };
  fs.writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['typed.*'] }));
  await succeeded(run(process.execPath, [tsc, '--project', project], { cwd: project }));
});

test('the command line is the binary', async () => {
  const binary = path.join(root, 'bindings-node/portalloc');
  for (const args of [['--version'], ['help'], ['list', '--json'], ['nonsense'], ['who', '99999'], ['validate', '--id', '0123456789ab']]) {
    const direct = await run(binary, args, { cwd: project });
    const byName = await run(path.join(project, 'node_modules/.bin/portalloc'), args, { cwd: project });
    assert.deepEqual(byName, direct, args.join(' '));
  }
  const npx = await succeeded(npm(['exec', '--', 'portalloc', '--version'], project));
  assert(npx.out.includes(version), npx.out);
});

test('run passes on signals and the status', async () => {
  const program = path.join(project, 'node_modules/.bin/portalloc');
  // The command gets its own parent's PID: that of the process that npm's link started.
  const trapped = await run(program, ['run', '--', 'sh', '-c', 'trap "exit 7" TERM; kill -TERM $PPID; while :; do sleep 0.01; done'], {
    cwd: project,
    timeout: 60_000,
  });
  assert.equal(trapped.status, 7, `${trapped.out}${trapped.err}`);
});

test('what is published', () => {
  const installed = path.join(project, 'node_modules/portalloc');
  const published = JSON.parse(fs.readFileSync(path.join(installed, 'package.json'), 'utf8'));
  // Package managers block scripts that run at installation, and some fail then.
  assert.equal(published.scripts, undefined);
  assert.equal(published.os, undefined);
  assert.deepEqual(fs.readdirSync(installed).sort(), [
    ...['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'bin', 'index.d.mts', 'index.d.ts', 'index.js', 'index.mjs', 'js'],
    ...['package.json', 'runners'],
  ]);
  const readme = fs.readFileSync(path.join(installed, 'README.md'), 'utf8');
  assert.match(readme, /^# portalloc for Node$/m);
  for (const [, target] of readme.matchAll(/\]\(([^)]*)\)/g)) assert.match(target, /^(https:|#)/);
  const [platform] = fs.readdirSync(path.join(project, 'node_modules/@portalloc'));
  const its = path.join(project, 'node_modules/@portalloc', platform);
  assert.deepEqual(fs.readdirSync(its).sort(), [
    ...['LICENSE-APACHE', 'LICENSE-MIT', 'README.md', 'package.json', 'portalloc', 'portalloc.node'],
  ]);
  const manifest = JSON.parse(fs.readFileSync(path.join(its, 'package.json'), 'utf8'));
  assert.deepEqual([manifest.os, manifest.cpu, manifest.libc?.length], [[process.platform], [process.arch], 1]);
  assert.equal(published.optionalDependencies[manifest.name], version);
});

test('a clone cannot be packed by npm, and nothing is packed that was not built', async () => {
  const atRoot = await npm(['pack', '--pack-destination', here.scratch], root);
  assert.notEqual(atRoot.status, 0);
  const plain = await npm(['pack', '--pack-destination', here.scratch], path.join(root, 'bindings-node'));
  assert.notEqual(plain.status, 0);
  assert.match(plain.err, /^portalloc: npm cannot pack a clone; `make dist-npm`/m);
  const pack = `from pathlib import Path
from packages import common
from packages.npm.packing import pack_platform
nothing = Path("/nonexistent/portalloc.node")
pack_platform(common.platforms()[0], nothing, nothing, Path(${JSON.stringify(here.scratch)}))`;
  const { status, err } = await run('python3', ['-c', pack], { cwd: root });
  assert.equal(status, 1, err);
  assert.match(err, /^\/nonexistent\/portalloc\.node is missing, so there is nothing to pack; build it first/);
  assert.deepEqual(fs.readdirSync(here.scratch).filter((name) => name.endsWith('.tgz')), []);
});

test('one version', () => {
  const manifest = fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8');
  assert.equal(/^version = "(.*)"$/m.exec(manifest)[1], version);
  const published = require('../package.json');
  assert.deepEqual([...new Set([published.version, ...Object.values(published.optionalDependencies)])], [version]);
  assert.equal(require('../js/native.js').native.VERSION, version);
});

test('the lock file names no registry', () => {
  assert.equal(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8').includes('"resolved": "http'), false);
});
