'use strict';

// Builds the addon and the command line, and puts them where js/native.js looks for them. Needs nothing but cargo, so that it
// also works where there is no prebuilt package.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const CRATES = { addon: 'portalloc-node', program: 'portalloc-cli' };
const here = path.join(__dirname, '..');

/** Builds with cargo in `root`; returns the paths of the two files. */
function build(root, { release, targetDir }) {
  const args = ['build', '--message-format=json-render-diagnostics', ...(release ? ['--release'] : [])];
  if (targetDir) args.push('--target-dir', targetDir);
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

function main(options) {
  const { addon, program } = build(path.join(here, '..'), options);
  put(addon, path.join(here, 'portalloc.node'));
  put(program, path.join(here, 'portalloc'));
}

if (require.main === module) main({ release: process.argv.includes('--release') });

module.exports = { main };
