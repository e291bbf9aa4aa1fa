'use strict';

// Finds the addon and the command: in a clone where `npm run build` puts them, else in the package for this platform, one
// of the optional dependencies. Without an addon this package loads all the same, and whatever needs the addon throws.
// Knows none of its calls.

const fs = require('node:fs');
const { createRequire } = require('node:module');
const path = require('node:path');
const { classes } = require('./errors.js');
const { name, optionalDependencies, version } = require('../package.json');

const SCOPE = `@${name}/`;

// Not `require`, which bundlers replace by a function that knows only what is in the bundle. An ES module, which a bundle
// may be, has no `__filename`.
const requireHere =
  typeof __filename === 'string' && path.isAbsolute(__filename) ? createRequire(__filename) : undefined;

/** Whether a bundler has copied this file elsewhere, without the packages that it needs. */
function isBundled() {
  try {
    return requireHere('../package.json').name !== name;
  } catch {
    return true;
  }
}

/** As npm has it, with the C library on Linux. */
function platformName() {
  const platform = `${process.platform}-${process.arch}`;
  if (process.platform !== 'linux') return platform;
  return `${platform}-${require('./libc.js').isMusl() ? 'musl' : 'gnu'}`;
}

/** The path of the addon that `npm run build` has put into a clone; undefined elsewhere. */
function built() {
  if (!requireHere) return undefined;
  const file = path.join(__dirname, '../portalloc.node');
  return fs.existsSync(file) ? file : undefined;
}

/** The path of the addon in that package; undefined if it is not installed. */
function installed(wanted) {
  try {
    return requireHere?.resolve(`${wanted}/portalloc.node`);
  } catch {
    return undefined;
  }
}

/** The addon, its directory, and why there is no addon: what happened, and what to do. */
function load() {
  const local = built();
  const platform = local ? undefined : platformName();
  const wanted = `${SCOPE}${platform}`;
  const file = local ?? installed(wanted);
  if (!file) return { reason: missing(platform, wanted) };
  let addon;
  try {
    addon = requireHere(file);
  } catch (error) {
    const [cause] = String(error.message).split('\n');
    return { reason: [`the addon ${file} cannot be loaded: ${cause}`, unloadable(error.code, wanted)] };
  }
  if (addon.VERSION !== version) {
    const message = `the addon ${file} is of version ${addon.VERSION}, and the package ${name} of ${version}`;
    const again = `install both in one version: \`npm install ${name}@${version}\``;
    return { reason: [message, local ? 'build it again: `npm run build`' : again] };
  }
  return { addon, directory: path.dirname(file) };
}

/** Why there is no addon. */
function missing(platform, wanted) {
  if (!Object.hasOwn(optionalDependencies, wanted)) {
    const others = Object.keys(optionalDependencies).map((each) => each.slice(SCOPE.length));
    return [
      `${name} does not support ${platform}: it has packages for ${others.join(', ')}`,
      'use it on one of these, such as in a Linux container',
    ];
  }
  if (isBundled()) {
    return [
      `${name} is in a bundle, which cannot contain its addon`,
      `keep ${name} out of it, and install it where the bundle runs: \`--external:${name}\` of esbuild, ` +
        `\`--external ${name}\` of Bun, \`external: [/^${name}/]\` of Rollup, \`externals: [/^${name}/]\` with ` +
        `\`externalsType: 'commonjs'\` of webpack, \`serverExternalPackages: ['${name}']\` of Next.js`,
    ];
  }
  if (fs.existsSync(path.join(__dirname, '../Cargo.toml'))) {
    return ['the addon is not built in this clone', 'build it: `npm run build`'];
  }
  return [
    `the package ${wanted}, which has the addon of ${name} for this platform, is not installed`,
    'install again on this platform and with optional dependencies: `npm install --include=optional`; where a lock ' +
      'file or a node_modules was made on another platform, add the package by name: ' +
      `\`npm install --save-optional ${wanted}@${version}\``,
  ];
}

function unloadable(code, wanted) {
  if (code === 'ERR_DLOPEN_DISABLED') {
    return 'allow addons: `--allow-addons` with the permission model of Node, and no `--no-addons`';
  }
  return `fix what the reason names, or install the package again: \`npm install --force ${wanted}@${version}\``;
}

const { addon, directory, reason } = load();

/** In place of the addon: throws when it is used. */
const absent = () =>
  new Proxy(
    {},
    {
      get() {
        const [message, remedy] = reason;
        throw new classes.UnsupportedError({ code: 'unsupported', message, remedy });
      },
    },
  );

module.exports = { directory, isLoaded: addon !== undefined, native: addon ?? absent(), version };
