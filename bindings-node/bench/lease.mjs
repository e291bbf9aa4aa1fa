// What a lease costs in Node, beside get-port and the core's own call, in turns in the same run, since the machine's speed
// drifts; and what loading the package costs. `npm run bench`; the core's figure needs the program portalloc-bench, whose
// path is the argument. Prints medians and ratios; judges nothing but the bounds it was
// given.

import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';

import getPort, { portNumbers } from 'get-port';

const require = createRequire(import.meta.url);
const [program] = process.argv.slice(2);
const base = fs.existsSync('/dev/shm') ? '/dev/shm' : os.tmpdir();
const scratch = fs.mkdtempSync(path.join(base, 'portalloc-bench-node-'));
process.env.PORTALLOC_DIR = path.join(scratch, 'registry');
const { lease } = require('portalloc');

const TURNS = 9;
const LOADS = 4;

const median = (values) => Float64Array.from(values).sort()[values.length >> 1];

/** The median of `count` calls, in microseconds. */
async function timed(count, call) {
  const times = [];
  for (let index = 0; index < count; index += 1) {
    const start = performance.now();
    const done = call();
    if (done) await done;
    times.push((performance.now() - start) * 1000);
  }
  return median(times);
}

/** How long a script runs, in milliseconds. */
function script(code) {
  const start = performance.now();
  execFileSync(process.execPath, ['-e', code], { stdio: 'ignore' });
  return performance.now() - start;
}

const LOADED = `const start = performance.now(); require(${JSON.stringify(require.resolve('portalloc'))}); console.log(performance.now() - start)`;
const loading = () => Number(execFileSync(process.execPath, ['-e', LOADED], { encoding: 'utf8' }));

const figures = { ours: [], theirs: [], ranged: [], core: [], load: [], bare: [], full: [] };
let next = 20_000;

function told(what, value, bound, unit) {
  const held = bound === undefined || value <= bound;
  const verdict = bound === undefined ? '' : `, at most ${bound}${unit}: ${held ? 'holds' : 'MISSED'}`;
  console.log(`${what.padEnd(58)} ${value.toFixed(2)}${unit}${verdict}`);
}

try {
  await timed(5000, () => lease(1).release());
  for (let turn = 0; turn < TURNS; turn += 1) {
    figures.ours.push(await timed(5000, () => lease(1).release()));
    figures.theirs.push(await timed(200, () => getPort()));
    // As a lease is: a port of a range, free on every address, and not the one it gave just before.
    figures.ranged.push(await timed(200, () => getPort({ port: portNumbers((next += 1), 29_999) })));
    if (program) figures.core.push(Number(execFileSync(program, ['core', '5000'], { encoding: 'utf8' })) / 1000);
    for (let index = 0; index < LOADS; index += 1) {
      figures.load.push(loading());
      figures.bare.push(script(''));
      figures.full.push(script(`require(${JSON.stringify(require.resolve('portalloc'))})`));
    }
  }
  const [ours, theirs, ranged] = [median(figures.ours), median(figures.theirs), median(figures.ranged)];
  // Whatever else the machine does only adds to these.
  const [load, full] = [Math.min(...figures.load), Math.min(...figures.full) - Math.min(...figures.bare)];
  told('lease(1) and release', ours, undefined, ' us');
  told('get-port: of a range, free on every address', ranged, undefined, ' us');
  told('a lease over it', ours / ranged, 0.25, '');
  // For information: that is bind(0), which the locking and probing of a lease alone outweighs.
  told('get-port: any port of the kernel, on one address', theirs, undefined, ' us');
  told('a lease over it', ours / theirs, undefined, '');
  if (program) {
    const core = median(figures.core);
    told("the core's own call", core, undefined, ' us');
    told('over it', ours - core, 3, ' us');
  }
  told("require('portalloc'), the least", load, 5, ' ms');
  told('a script that does so over an empty one, the least of each', full, 5, ' ms');
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
