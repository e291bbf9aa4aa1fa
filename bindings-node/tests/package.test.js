'use strict';

// The package as users get it: packed, installed without a network into an empty project, used from both kinds of modules
// and from the shell.

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
  const { out } = await succeeded(npm(['pack', '--json', '--ignore-scripts', '--pack-destination', here.scratch], root));
  const packed = JSON.parse(out);
  const { filename } = Array.isArray(packed) ? packed[0] : Object.values(packed)[0];
  fs.mkdirSync(project);
  fs.writeFileSync(path.join(project, 'package.json'), '{"name": "empty", "private": true}');
  await succeeded(npm(['install', path.join(here.scratch, filename)], project));
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

test('without an addon it says what to do', async () => {
  const bare = path.join(here.scratch, 'bare');
  fs.cpSync(path.join(project, 'node_modules/portalloc'), bare, { recursive: true });
  fs.rmSync(path.join(bare, 'bindings-node/portalloc.node'));
  const loaded = await run(process.execPath, ['-e', "require('./bindings-node')"], { cwd: bare });
  assert.notEqual(loaded.status, 0);
  assert.match(loaded.err, /portalloc has no addon for linux .*[^]*npm rebuild portalloc/);
  const installed = await run(process.execPath, ['bindings-node/scripts/install.js'], {
    cwd: bare,
    env: { ...process.env, CARGO: '/nonexistent/cargo' },
  });
  assert.equal(installed.status, 1);
  assert.match(installed.err, /no prebuilt addon for linux .*, and no cargo[^]*rustup\.rs/);
});

test('the sources that it is built from elsewhere are in it', async () => {
  const directory = path.join(project, 'node_modules/portalloc');
  const copy = path.join(here.scratch, 'copy');
  fs.cpSync(directory, copy, { recursive: true });
  // What the installation does first; the build itself takes minutes.
  const narrow = "require('./bindings-node/scripts/install.js').narrowWorkspace()";
  await succeeded(run(process.execPath, ['-e', narrow], { cwd: copy }));
  const metadata = await succeeded(
    run('cargo', ['metadata', '--format-version=1', '--no-deps', '--offline'], { cwd: copy, maxBuffer: 1 << 26 }),
  );
  const names = JSON.parse(metadata.out).packages.map((each) => each.name);
  assert.deepEqual(names.sort(), ['portalloc', 'portalloc-cli', 'portalloc-node']);
});

test('one version', () => {
  const manifest = fs.readFileSync(path.join(root, 'Cargo.toml'), 'utf8');
  assert.equal(/^version = "(.*)"$/m.exec(manifest)[1], version);
  assert.equal(require('../../package.json').version, version);
  assert.equal(require('../../package-lock.json').version, version);
});

test('the lock file names no registry', () => {
  assert.equal(fs.readFileSync(path.join(root, 'package-lock.json'), 'utf8').includes('"resolved": "http'), false);
});
