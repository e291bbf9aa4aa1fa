'use strict';

// Gets the command from a release: downloads the archive for this machine, compares its checksum, and unpacks the
// program.

const { spawnSync } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const { setTimeout: sleep } = require('node:timers/promises');
const { fileURLToPath } = require('node:url');

const { Problem, file } = require('./workflow');

const RELEASES = 'https://github.com/portalloc/portalloc/releases/download';
/** The archives have static programs, so one for each architecture is enough, whatever the libc. */
const TARGETS = { arm64: 'aarch64-unknown-linux-musl', x64: 'x86_64-unknown-linux-musl' };
const ATTEMPTS = 4;
const ATTEMPT_MS = 120_000;

function target() {
  const { arch, platform } = process;
  if (platform !== 'linux') {
    throw new Problem(
      `portalloc runs on Linux only, but this runner is ${platform}. Use a Linux runner, or skip this step with ` +
        "`if: runner.os == 'Linux'`.",
    );
  }
  const found = TARGETS[arch];
  if (!found) {
    throw new Problem(
      `portalloc has no archive for ${arch}, only for ${Object.keys(TARGETS).join(' and ')}. Use a runner of one of ` +
        'these, or install it with `cargo install portalloc-cli` instead of this action.',
    );
  }
  return found;
}

/** X.Y.Z from `X.Y.Z`, `vX.Y.Z`, or nothing, which means the version of the repository that has this script. */
function versionOf(wanted) {
  if (!wanted) {
    const manifest = fs.readFileSync(path.join(__dirname, '../Cargo.toml'), 'utf8');
    return /^\[workspace\.package\]\nversion = "(.+)"$/m.exec(manifest)[1];
  }
  const version = wanted.replace(/^v/, '');
  if (!/^\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?$/.test(version)) {
    throw new Problem(`the input \`version\` is '${wanted}'. Give it as X.Y.Z, without anything else.`);
  }
  return version;
}

/** The directory of the release's files, without a slash at its end. */
function baseOf(given, version) {
  const base = (given || `${RELEASES}/v${version}`).replace(/\/+$/, '');
  const protocol = URL.canParse(base) ? new URL(base).protocol : '';
  if (!['https:', 'http:', 'file:'].includes(protocol)) {
    throw new Problem(`the input \`base-url\` is '${given}'. Begin it with https://, http:// or file://.`);
  }
  return base;
}

/** One request. A server that is overloaded, or breaks off, is worth another one; a file that is not there is not. */
async function attempt(url) {
  let response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(ATTEMPT_MS) });
    if (response.ok) return { bytes: Buffer.from(await response.arrayBuffer()) };
  } catch (error) {
    const why = [error.message, error.cause?.message].filter(Boolean).join(': ');
    return { retry: true, why };
  }
  return { retry: response.status >= 500 || response.status === 429, why: `the server answered ${response.status}` };
}

async function read(url) {
  const remedy = 'Compare the inputs `version` and `base-url` with the releases that exist.';
  if (url.startsWith('file:')) {
    try {
      return fs.readFileSync(fileURLToPath(url));
    } catch (error) {
      throw new Problem(`cannot read ${url}: ${error.message}. ${remedy}`);
    }
  }
  for (let tried = 1; ; tried += 1) {
    const { bytes, retry, why } = await attempt(url);
    if (bytes) return bytes;
    if (!retry || tried === ATTEMPTS) {
      throw new Problem(`cannot download ${url}: ${why}${tried > 1 ? ` (after ${tried} attempts)` : ''}. ${remedy}`);
    }
    console.log(`${url}: ${why}; trying again`);
    await sleep(500 * 2 ** tried);
  }
}

/** The checksum that the release states for a file: lines as sha256sum writes them. */
function stated(sums, name, url) {
  for (const line of sums.split('\n')) {
    const [, sum, listed] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line.trimEnd()) ?? [];
    if (listed === name) return sum;
  }
  throw new Problem(`${url} has no checksum for ${name}, so nothing was installed. Is the release complete?`);
}

/** Unpacks one file and nothing else, into a directory that is new. */
function unpack(archive, member) {
  const directory = fs.mkdtempSync(path.join(file('RUNNER_TEMP'), 'portalloc-'));
  const tar = spawnSync('tar', ['-xzf', '-', '-C', directory, member], { input: archive, encoding: 'utf8' });
  if (tar.error) throw new Problem(`cannot run tar: ${tar.error.message}. Install tar and gzip on the runner.`);
  if (tar.status !== 0) throw new Problem(`cannot unpack ${member}: ${tar.stderr.trim()}`);
  return path.join(directory, member);
}

/** Returns the path of the program, which has said its version. */
async function install({ version: wanted, baseUrl }) {
  const triple = target();
  const version = versionOf(wanted);
  const base = baseOf(baseUrl, version);
  const directory = `portalloc-${version}-${triple}`;
  const name = `${directory}.tar.gz`;
  const sum = stated((await read(`${base}/SHA256SUMS`)).toString(), name, `${base}/SHA256SUMS`);
  const archive = await read(`${base}/${name}`);
  const found = crypto.createHash('sha256').update(archive).digest('hex');
  if (found !== sum) {
    throw new Problem(
      `the checksum of ${base}/${name} is ${found}, but SHA256SUMS states ${sum}, so nothing was installed. Run the ` +
        'job again; if that does not help, somebody has changed the file: report it.',
    );
  }
  const program = unpack(archive, `${directory}/portalloc`);
  const said = spawnSync(program, ['version'], { encoding: 'utf8' });
  if (said.status !== 0) {
    throw new Problem(`${program} does not run here: ${said.error?.message ?? said.stderr.trim()}`);
  }
  console.log(`${said.stdout.trim()}, ${program}`);
  return program;
}

module.exports = { install };
