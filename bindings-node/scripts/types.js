'use strict';

// Generates native.d.ts, the types of the addon; with --check it fails if they have changed.

const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');

const root = path.join(__dirname, '../..');
const committed = path.join(__dirname, '../native.d.ts');
const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'portalloc-types-'));
try {
  const napi = require.resolve('@napi-rs/cli/package.json', { paths: [root] });
  const cli = path.join(path.dirname(napi), require(napi).bin.napi);
  const args = ['build', '--manifest-path', 'bindings-node/Cargo.toml', '--package', 'portalloc-node', '--output-dir', directory];
  execFileSync(process.execPath, [cli, ...args, '--dts', 'native.d.ts', '--no-const-enum', '--no-dts-cache'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  const generated = fs.readFileSync(path.join(directory, 'native.d.ts'), 'utf8');
  if (!process.argv.includes('--check')) fs.writeFileSync(committed, generated);
  else if (!fs.existsSync(committed) || fs.readFileSync(committed, 'utf8') !== generated) {
    console.error('native.d.ts is not what the addon has; run `npm run types` and commit it');
    process.exitCode = 1;
  }
} finally {
  fs.rmSync(directory, { recursive: true, force: true });
}
