'use strict';

// Builds the addon and the command line for this machine, and puts them where js/native.js looks for them in a clone.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const CRATES = { addon: 'portalloc-node', program: 'portalloc-cli' };
const here = path.join(__dirname, '..');

/** Builds with cargo in `root`; returns the paths of the two files. */
function build(root, release) {
  const args = ['build', '--message-format=json-render-diagnostics', ...(release ? ['--release'] : [])];
  for (const name of Object.values(CRATES)) args.push('--package', name);
  const cargo = spawnSync(process.env.CARGO || 'cargo', args, {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    encoding: 'utf8',
    maxBuffer: 1 << 30,
  });
  if (cargo.error) throw cargo.error;
  if (cargo.status !== 0) throw new Error('cargo could not build portalloc; its messages are above');
  const made = {};
  for (const line of cargo.stdout.split('\n')) {
    const message = line.startsWith('{') ? JSON.parse(line) : {};
    if (message.reason !== 'compiler-artifact') continue;
    if (message.target.kind.includes('bin') && message.target.name === 'portalloc') made.program = message.executable;
    if (message.target.kind.includes('cdylib') && message.target.name === 'portalloc_node') [made.addon] = message.filenames;
  }
  return made;
}

/** Replaces `to`, which a process may have open, by a copy of `from`. */
function put(from, to) {
  const beside = `${to}.${process.pid}`;
  fs.copyFileSync(from, beside);
  fs.renameSync(beside, to);
}

const { addon, program } = build(path.join(here, '..'), process.argv.includes('--release'));
put(addon, path.join(here, 'portalloc.node'));
put(program, path.join(here, 'portalloc'));
