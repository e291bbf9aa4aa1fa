'use strict';

// Projects that have the package as it is published, but for its documents, beside any package of a platform or none.

const fs = require('node:fs');
const path = require('node:path');

const { version } = require('../package.json');

const SOURCE = path.join(__dirname, '..');
const ADDON = path.join(SOURCE, 'portalloc.node');
const PLATFORM = `linux-${process.arch}-${process.report.getReport().header.glibcVersionRuntime ? 'gnu' : 'musl'}`;

/** Makes a project in that directory. */
function project(directory) {
  const its = path.join(directory, 'node_modules/portalloc');
  for (const part of ['index.js', 'index.mjs', 'js', 'runners', 'bin', 'package.json']) {
    fs.cpSync(path.join(SOURCE, part), path.join(its, part), { recursive: true });
  }
  return directory;
}

/** Puts the package of a platform beside it, by default with an addon that no system can load. */
function add(directory, platform, addon) {
  const its = path.join(directory, 'node_modules/@portalloc', platform);
  fs.mkdirSync(its, { recursive: true });
  fs.writeFileSync(path.join(its, 'package.json'), JSON.stringify({ name: `@portalloc/${platform}`, version }));
  if (addon) fs.copyFileSync(addon, path.join(its, 'portalloc.node'));
  else fs.writeFileSync(path.join(its, 'portalloc.node'), '\x7fELF, and no more');
}

module.exports = { ADDON, PLATFORM, add, project };
