'use strict';

// Without an addon that fits: the package loads, its classes are there, and each call says what is missing and what to
// do.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { before, test } = require('node:test');

const { native } = require('../js/native.js');
const { version } = require('../package.json');
const { ADDON, PLATFORM, add, project: made } = require('./installed.js');
const { run, world } = require('./world.js');

const here = world();
const project = (name) => made(path.join(here.scratch, name));
const COMMAND = ['node_modules/portalloc/bin/portalloc.js', 'list'];
const REINSTALL = /`npm install --include=optional`/;

/** What the error of a call says, after everything has been loaded. */
async function told(directory, { args = [], preload = '' } = {}) {
  const file = path.join(directory, 'preload.cjs');
  fs.writeFileSync(file, preload);
  const code = `
    import portalloc, { PortallocError, UnsupportedError, lease } from 'portalloc';
    import assert from 'node:assert';
    import { createRequire } from 'node:module';
    assert.equal(createRequire(import.meta.url)('portalloc'), portalloc);
    try { lease(); } catch (error) {
      assert(error instanceof UnsupportedError && error instanceof PortallocError);
      const { code, portallocCode, message, remedy } = error;
      console.log(JSON.stringify([code, portallocCode, message, remedy, message.endsWith(remedy)]));
    }`;
  const options = { cwd: directory, timeout: 60_000 };
  const words = [...args, '--require', file, '--input-type=module', '-e', code];
  const { status, out, err } = await run(process.execPath, words, options);
  assert.equal(status, 0, err);
  const [nodeCode, portallocCode, message, remedy, ends] = JSON.parse(out);
  assert.deepEqual([nodeCode, portallocCode, ends], ['ERR_PORTALLOC_UNSUPPORTED', 'unsupported', true]);
  return { message, remedy };
}

const PRETEND = (properties) => `Object.defineProperties(process, ${JSON.stringify(properties)});`;

let bare;
before(() => {
  bare = project('bare');
});

test('the package of the platform is not installed', async () => {
  const { message, remedy } = await told(bare);
  const what = `the package @portalloc/${PLATFORM}, which has the addon of portalloc for this platform`;
  assert(message.startsWith(`${what}, is not installed; `), message);
  assert.match(remedy, REINSTALL);
  assert(remedy.includes(`\`npm install --save-optional @portalloc/${PLATFORM}@${version}\``), remedy);
});

test('only the packages of other platforms are installed', async () => {
  const directory = project('others');
  const other = PLATFORM.endsWith('gnu') ? PLATFORM.replace('gnu', 'musl') : PLATFORM.replace('musl', 'gnu');
  // It would load: only its name says that it is for another C library.
  add(directory, other, ADDON);
  assert.match((await told(directory)).message, new RegExp(`^the package @portalloc/${PLATFORM}, `));
});

/** A program of 64 bits that names that dynamic linker, and has its headers at the end, where patchelf puts them. */
function elf(linker) {
  const [table, name] = [8192, 12_288];
  const file = Buffer.alloc(name + linker.length + 1);
  file.write('\x7fELF\x02\x01\x01', 'latin1');
  file.writeBigUInt64LE(BigInt(table), 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  file.writeUInt32LE(6, table); // PT_PHDR
  file.writeUInt32LE(3, table + 56); // PT_INTERP
  file.writeBigUInt64LE(BigInt(name), table + 56 + 8);
  file.writeBigUInt64LE(BigInt(linker.length + 1), table + 56 + 32);
  file.write(linker, name);
  return file;
}

for (const [what, program, libc] of [
  ['a program for musl', elf('/lib/ld-musl-x86_64.so.1'), 'musl'],
  ['a program for glibc', elf('/lib64/ld-linux-x86-64.so.2'), 'gnu'],
  ['no program', Buffer.from('#!/bin/sh\n'), 'gnu'],
  ['an empty file', Buffer.alloc(0), 'gnu'],
  ['a file that cannot be read', undefined, 'gnu'],
]) {
  test(`the C library is told by the program: ${what}`, async () => {
    const file = path.join(bare, 'program');
    fs.rmSync(file, { force: true });
    if (program) fs.writeFileSync(file, program);
    const { message } = await told(bare, { preload: PRETEND({ execPath: { value: file } }) });
    assert.match(message, new RegExp(`^the package @portalloc/linux-${process.arch}-${libc}, `));
  });
}

for (const [platform, arch, name] of [
  ['darwin', 'arm64', 'darwin-arm64'],
  ['win32', 'x64', 'win32-x64'],
  ['linux', 'riscv64', 'linux-riscv64-gnu'],
]) {
  test(`there is no package for ${name}`, async () => {
    const preload = PRETEND({ platform: { value: platform }, arch: { value: arch } });
    const { message, remedy } = await told(bare, { preload });
    const others = 'linux-arm64-gnu, linux-arm64-musl, linux-x64-gnu, linux-x64-musl';
    assert(message.startsWith(`portalloc does not support ${name}: it has packages for ${others}; `), message);
    assert.equal(remedy, 'use it on one of these, such as in a Linux container');
  });
}

test('the addon cannot be loaded', async () => {
  const directory = project('broken');
  add(directory, PLATFORM);
  const { message, remedy } = await told(directory);
  assert.match(message, /^the addon \/.*\/portalloc\.node cannot be loaded: .+;/);
  assert(remedy.includes(`\`npm install --force @portalloc/${PLATFORM}@${version}\``), remedy);
});

test('Node may load no addon', async () => {
  const directory = project('forbidden');
  add(directory, PLATFORM, ADDON);
  const { message, remedy } = await told(directory, { args: ['--no-addons'] });
  assert.match(message, /^the addon .* cannot be loaded: /);
  assert.match(remedy, /`--allow-addons`/);
});

test('the addon is of another version', async () => {
  const directory = project('mixed');
  add(directory, PLATFORM, ADDON);
  const manifest = path.join(directory, 'node_modules/portalloc/package.json');
  fs.writeFileSync(manifest, fs.readFileSync(manifest, 'utf8').replaceAll(native.VERSION, '99.0.0'));
  const { message, remedy } = await told(directory);
  assert.match(message, /^the addon .* is of version .*, and the package portalloc of 99\.0\.0; /);
  assert(remedy.includes('`npm install portalloc@99.0.0`'), remedy);
});

test('each call throws or rejects', async () => {
  const code = `
    const portalloc = require('portalloc');
    const id = '0123456789ab';
    const given = {
      ...{ isFree: 1, who: 1, giveBack: 1, waitUntilOpen: 1, waitUntilFree: 1, render: {} },
      ...{ validate: id, cleanup: id, parseId: id, attachEnvironment: id },
    };
    const outcome = async (name) => {
      try { await portalloc[name](given[name]); } catch (error) { return error.portallocCode ?? String(error); }
    };
    const names = Object.keys(portalloc).filter((name) => /^[a-z]/.test(name) && typeof portalloc[name] === 'function');
    const all = Promise.all(names.map(async (name) => [name, await outcome(name)]));
    all.then((outcomes) => console.log(JSON.stringify(outcomes)));`;
  const { out, err } = await run(process.execPath, ['-e', code], { cwd: bare });
  const outcomes = JSON.parse(out || assert.fail(err));
  assert(outcomes.length > 15, out);
  for (const [name, outcome] of outcomes) assert.equal(outcome, 'unsupported', name);
});

test('the helpers for runners load', async () => {
  const names = ['jest', 'jest/setup', 'jest/teardown', 'jest/reporter', 'playwright', 'node-test', 'mocha'];
  const code = `for (const name of ${JSON.stringify(names)}) require('portalloc/' + name);`;
  const { status, err } = await run(process.execPath, ['-e', code], { cwd: bare });
  assert.equal(status, 0, err);
});

test('the command says so, too', async () => {
  const { status, out, err } = await run(process.execPath, COMMAND, { cwd: bare });
  assert.deepEqual([status, out], [1, '']);
  assert.match(err, new RegExp(`^portalloc: the package @portalloc/${PLATFORM}, .*; install again .*\\n$`));
});

test('the command is missing beside the addon', async () => {
  const directory = project('half');
  add(directory, PLATFORM, ADDON);
  const { status, err } = await run(process.execPath, COMMAND, { cwd: directory });
  assert.equal(status, 1);
  assert.match(err, /^portalloc: cannot run \/.*\/portalloc: No such file or directory/);
});

test('a clone in which nothing was built', async () => {
  const directory = project('clone');
  fs.writeFileSync(path.join(directory, 'node_modules/portalloc/Cargo.toml'), '');
  assert.match((await told(directory)).message, /^the addon is not built in this clone; build it: `npm run build`$/);
});
