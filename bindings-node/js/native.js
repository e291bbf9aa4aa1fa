'use strict';

// Finds the addon: built here, or installed as the package for this platform. Knows none of its calls.

const path = require('node:path');

/** Where it may be. npm installs only the packages that fit the platform; another one would fail to load. */
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
      return { native: require(place), directory: path.dirname(require.resolve(place)) };
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
  Object.assign(error, { code: 'ERR_PORTALLOC_UNSUPPORTED', portallocCode: 'unsupported' });
  throw error;
}

module.exports = load();
