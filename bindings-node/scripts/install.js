'use strict';

// npm runs this after it has installed the package. It does nothing if there is an addon, prebuilt or packed. Otherwise it
// builds the addon from the sources in the package, or says what is missing. In a clone, use `npm run build`.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const root = path.join(__dirname, '../..');

function isThere() {
  try {
    require('../js/native.js');
    return true;
  } catch {
    return false;
  }
}

/** Removes what the package does not contain from the manifests. */
function narrowWorkspace() {
  const manifest = path.join(root, 'Cargo.toml');
  const text = fs.readFileSync(manifest, 'utf8');
  const narrowed = text.replace(/^members = \[(.*)\]$/m, (_line, members) => {
    const kept = members.split(',').filter((member) => fs.existsSync(path.join(root, JSON.parse(member), 'Cargo.toml')));
    return `members = [${kept.map((member) => member.trim()).join(', ')}]`;
  });
  if (narrowed !== text) fs.writeFileSync(manifest, narrowed);
  // Their tests are not in the package either, nor the crate that only tests need.
  for (const member of ['core', 'cli']) {
    const own = path.join(root, member, 'Cargo.toml');
    fs.writeFileSync(own, fs.readFileSync(own, 'utf8').replace(/^portalloc-testkit\b.*\n/m, ''));
  }
}

function main() {
  const isClone = fs.existsSync(path.join(__dirname, '../tests'));
  if (isClone || isThere()) return 0;
  const platform = `${process.platform} ${process.arch}`;
  const cargo = spawnSync(process.env.CARGO || 'cargo', ['--version'], { encoding: 'utf8' });
  if (cargo.status !== 0) {
    console.error(
      `portalloc: there is no prebuilt addon for ${platform}, and no cargo to build it with.\n` +
        'Install Rust 1.89 or newer from https://rustup.rs, then run `npm rebuild portalloc`.',
    );
    return 1;
  }
  console.error(`portalloc: no prebuilt addon for ${platform}; building it with ${cargo.stdout.trim()}`);
  narrowWorkspace();
  // Removed afterwards: hundreds of megabytes.
  const targetDir = fs.mkdtempSync(path.join(root, 'target-'));
  try {
    require('./build.js').main({ release: true, targetDir });
  } catch (error) {
    console.error(`portalloc: ${error.message}\nIt needs Rust 1.89 or newer; then run \`npm rebuild portalloc\`.`);
    return 1;
  } finally {
    fs.rmSync(targetDir, { recursive: true, force: true });
  }
  return 0;
}

if (require.main === module) process.exitCode = main();

module.exports = { narrowWorkspace };
