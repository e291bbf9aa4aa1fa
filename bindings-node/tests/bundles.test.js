'use strict';

// Bundles, made by the real bundlers. None can contain the addon: where it is out of reach, the error says how to keep
// the package out of the bundle, and kept out it works.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, test } = require('node:test');
const { promisify } = require('node:util');

const commonjs = require('@rollup/plugin-commonjs');
const json = require('@rollup/plugin-json');
const { default: nodeResolve } = require('@rollup/plugin-node-resolve');
const esbuild = require('esbuild');
const { rollup } = require('rollup');
const webpack = require('webpack');

const { ADDON, PLATFORM, add, project } = require('./installed.js');
const { unavailable } = require('./runners/inner.js');
const { RUNTIMES } = require('./runtimes/programs.js');
const { run, world } = require('./world.js');

const here = world();
const directory = path.join(here.scratch, 'bundled');
const entry = path.join(directory, 'app.mjs');
const APP = `import { UnsupportedError, createEnvironment, lease, version } from 'portalloc';
import { leaseForTest } from 'portalloc/node-test';
try {
  lease().release();
  createEnvironment().cleanup();
  console.log(JSON.stringify(['works', typeof leaseForTest, version]));
} catch (error) {
  console.log(JSON.stringify([error instanceof UnsupportedError, error.name, error.code, error.message]));
}
`;
const { version } = require('../package.json');

before(() => {
  add(project(directory), PLATFORM, ADDON);
  fs.writeFileSync(entry, APP);
});

const PACKAGE = /^portalloc/;

const byEsbuild = (options) => (outfile, isExternal) =>
  esbuild.build({
    ...{ entryPoints: [entry], outfile, bundle: true, platform: 'node', logLevel: 'error' },
    external: isExternal ? ['portalloc'] : [],
    ...options,
  });

const byRollup = (format) => async (file, isExternal) => {
  const external = [/^node:/, ...(isExternal ? [PACKAGE] : [])];
  const bundle = await rollup({ input: entry, external, plugins: [nodeResolve(), commonjs(), json()] });
  await bundle.write({ file, format, inlineDynamicImports: true });
  await bundle.close();
};

const byWebpack = (mode) => async (file, isExternal) => {
  const externals = isExternal ? { externals: [PACKAGE], externalsType: 'commonjs' } : {};
  const output = { path: path.dirname(file), filename: path.basename(file) };
  const stats = await promisify(webpack)({ target: 'node', mode, entry, output, context: directory, ...externals });
  assert(!stats.hasErrors() && !stats.hasWarnings(), stats.toString());
};

const byBun = async (file, isExternal) => {
  const external = isExternal ? ['--external', 'portalloc'] : [];
  const args = ['build', '--target=node', entry, `--outfile=${file}`, ...external];
  const { status, err } = await run(RUNTIMES.bun[0], args, { cwd: directory });
  assert.equal(status, 0, err);
};

const BUNDLERS = {
  'esbuild, minified': ['cjs', byEsbuild({ minify: true })],
  'Rollup, CommonJS': ['cjs', byRollup('cjs')],
  'Rollup, ES': ['mjs', byRollup('es')],
  'webpack, for development': ['cjs', byWebpack('development')],
  'webpack, for production': ['cjs', byWebpack('production')],
  Bun: ['mjs', byBun],
};

for (const [name, [suffix, build]] of Object.entries(BUNDLERS)) {
  const file = path.join(directory, `${name.replaceAll(/\W/g, '-')}.${suffix}`);
  const skip = (t) => name === 'Bun' && !RUNTIMES.bun[0] && unavailable(t, 'no bun: `make node-runtimes` installs it');

  test(`${name}: in the bundle`, async (t) => {
    if (skip(t)) return;
    await build(file, false);
    // The bundle goes where no packages are.
    const deployed = path.join(here.scratch, path.basename(file));
    fs.renameSync(file, deployed);
    fs.renameSync(directory, `${directory}.away`);
    t.after(() => fs.renameSync(`${directory}.away`, directory));
    const { out, err } = await run(process.execPath, [deployed]);
    const [isOurs, className, code, message] = JSON.parse(out || assert.fail(err));
    assert.deepEqual([isOurs, className, code], [true, 'UnsupportedError', 'ERR_PORTALLOC_UNSUPPORTED']);
    assert.match(message, /^portalloc is in a bundle, which cannot contain its addon; keep portalloc out of it, /);
    assert.match(message, /`--external:portalloc` of esbuild, .* of Bun, .* of Rollup, .* of webpack, /);
  });

  test(`${name}: kept out of the bundle`, async (t) => {
    if (skip(t)) return;
    await build(file, true);
    const { out, err } = await run(process.execPath, [file]);
    assert.deepEqual(JSON.parse(out || assert.fail(err)), ['works', 'function', version]);
  });
}

test('esbuild, ES: kept out of the bundle', async () => {
  const file = path.join(directory, 'esbuild.mjs');
  await byEsbuild({ format: 'esm' })(file, true);
  const { out, err } = await run(process.execPath, [file]);
  assert.deepEqual(JSON.parse(out || assert.fail(err)), ['works', 'function', version]);
});
