'use strict';

// Finds the addon: built here, or brought by the package for this platform. Knows no call of it.

const path = require('node:path');

/** Where it may be. Of the platform's packages npm installs only those that fit; of one that does not, loading fails. */
function* places() {
  yield '../portalloc.node';
  const platform = `portalloc-${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') yield platform;
  else yield* [`${platform}-gnu`, `${platform}-musl`];
}

function load() {
  const reasons = [];
  for (const place of places()) {
    try {
      return { native: require(place), folder: path.dirname(require.resolve(place)) };
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND' && error.code !== 'ERR_DLOPEN_FAILED') throw error;
      reasons.push(`  ${place}: ${error.message.split('\n')[0]}`);
    }
  }
  const error = new Error(
    `portalloc has no addon for ${process.platform} ${process.arch} here:\n${reasons.join('\n')}\n` +
      'Install it again without --ignore-scripts and --omit=optional, or build it: with Rust from https://rustup.rs, ' +
      '`npm rebuild portalloc` (in a clone: `npm run build`).',
  );
  error.code = 'unsupported';
  throw error;
}

module.exports = load();
