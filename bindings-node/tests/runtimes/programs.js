'use strict';

// Where the runtimes are that `make node-runtimes` installs.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const INSTALLED = path.join(__dirname, '../../../target/runtimes/node_modules');

/** The program of that name in a package that npm has installed for this platform, else in the path. */
function program(name, packages) {
  const there = packages.map((each) => path.join(INSTALLED, each)).find((file) => fs.existsSync(file));
  if (there) return there;
  try {
    return execFileSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).trim();
  } catch {
    return undefined;
  }
}

const RUNTIMES = {
  node: [process.execPath, []],
  bun: [program('bun', ['@oven/bun-linux-x64-baseline/bin/bun', '@oven/bun-linux-aarch64/bin/bun']), []],
  deno: [program('deno', ['@deno/linux-x64-glibc/deno', '@deno/linux-arm64-glibc/deno']), ['run', '--allow-all']],
};

module.exports = { RUNTIMES };
