'use strict';

// Ports that are held until the process ends, and given back by their number.

const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const { once } = require('node:events');
const path = require('node:path');
const { test } = require('node:test');
const { setImmediate: turn } = require('node:timers/promises');
const vm = require('node:vm');
const { Worker } = require('node:worker_threads');

const { giveBack, isFree, lease, port, who } = require('portalloc');
const { callerOf } = require('../js/caller.js');
const { fixture, forked, node, until, world } = require('./world.js');

const here = world();
const PACKAGE = JSON.stringify(require.resolve('portalloc'));

test('a number, held until it is given back', () => {
  const own = port();
  assert(here.ports.includes(own));
  assert.equal(isFree(own), false);
  assert.equal(who(own).lease.holder.pid, process.pid);
  assert.equal(giveBack(own), true);
  assert.equal(isFree(own), true);
  assert.equal(giveBack(own), false);
});

test('of a pool', () => {
  const [first, second] = here.ports;
  assert.equal(port({ pool: `${first}-${second}`, exclude: String(first) }), second);
  assert.throws(() => port({ pool: String(second) }), { name: 'PoolExhaustedError' });
  giveBack(second);
});

test('garbage does not end it', async () => {
  const own = port();
  for (let round = 0; round < 20; round += 1) {
    globalThis.gc();
    await turn();
  }
  assert.equal(isFree(own), false);
  giveBack(own);
});

test('only its own are given back', async (t) => {
  const held = lease();
  assert.equal(giveBack(held.port), false);
  assert.equal(held.held, true);
  held.release();
  const child = node(t, `console.log(require(${PACKAGE}).port()); process.stdin.resume()`);
  const theirs = await child.line();
  assert.equal(giveBack(theirs), false);
  assert.equal(isFree(theirs), false);
  child.child.stdin.end();
  await child.ended;
  await until(() => isFree(theirs), 'the port of a process that has ended');
});

test('a child by fork() has ports of its own', async (t) => {
  const own = port();
  const { child, ended } = forked(t, fixture('ports.js'), [String(own)]);
  const [{ theirs, gaveBack }] = await once(child, 'message');
  assert.notEqual(theirs, own);
  assert.equal(gaveBack, false);
  assert.deepEqual([isFree(own), isFree(theirs)], [false, false]);
  assert.equal(who(theirs).lease.holder.pid, child.pid);
  child.kill('SIGKILL');
  await ended;
  await until(() => isFree(theirs), 'the port of a process that was killed');
  assert.equal(isFree(own), false);
  assert.equal(giveBack(own), true);
});

test('they are the process\'s, not the thread\'s', async () => {
  const own = port();
  const worker = new Worker(`
    const { parentPort } = require('node:worker_threads');
    const { giveBack, port } = require(${PACKAGE});
    parentPort.postMessage([giveBack(${own}), port()]);
  `, { eval: true });
  const ended = once(worker, 'exit');
  const [[gaveBack, theirs]] = await once(worker, 'message');
  await ended;
  assert.equal(gaveBack, true);
  assert.equal(isFree(theirs), false, 'it outlives its thread');
  assert.equal(giveBack(theirs), true);
});

test('what is no port', () => {
  for (const bad of ['80', 80n, null, {}, undefined]) assert.throws(() => giveBack(bad), { name: 'ArgumentTypeError' });
  for (const bad of [1.5, -1, 70_000, NaN]) assert.throws(() => giveBack(bad), { name: 'InvalidArgumentError', message: /^port / });
  assert.throws(() => port(5), { name: 'ArgumentTypeError', message: /port\(\) was given the number 5; give it an object of options/ });
  assert.throws(() => port({ count: 2 }), { name: 'ArgumentTypeError', message: /^there is no option "count"; port\(\) has pool, exclude$/ });
  assert.throws(() => port({ pool: 'x' }), { name: 'InvalidArgumentError' });
});

test('an empty pool says which lines have taken the ports', () => {
  const pool = `${here.ports[10]}-${here.ports[12]}`;
  const taken = [port({ pool }), port({ pool })];
  taken.push(port({ pool }));
  const [, line] = /port\.test\.js:(\d+)/.exec(new Error().stack);
  assert.throws(() => port({ pool }), (error) => {
    assert.equal(error.portallocCode, 'pool_exhausted');
    assert.match(error.message, new RegExp(`holds 3 ports .*: 2 at ${__filename}:${line - 2}, 1 at ${__filename}:${line - 1}; no free port`));
    assert.match(error.stack, /^PoolExhaustedError: .*\n\s+at .*port\.test\.js/);
    return true;
  });
  for (const each of taken) giveBack(each);
});

test('so does a process that has no descriptor left', () => {
  const script = `
    const { port } = require(${PACKAGE});
    try { for (;;) port({ pool: '20001-29999' }); } catch (error) { console.log(JSON.stringify([error.portallocCode, error.message])); }`;
  const out = execFileSync('sh', ['-c', 'ulimit -n 64; exec "$0" -e "$1"', process.execPath, script], {
    encoding: 'utf8',
    env: { ...process.env, PORTALLOC_DIR: path.join(here.scratch, 'registry-of-many') },
  });
  const [code, message] = JSON.parse(out);
  assert.equal(code, 'io');
  assert.match(message, /^this process holds \d+ ports .*: \d+ at \[eval\]:3; /);
});

test('the line of a caller, however it is written', () => {
  const seen = [];
  const note = () => seen.push(callerOf(note));
  const at = (filename) => vm.runInThisContext('(note) => { note(); }', { filename })(note);
  at('/a/b.js');
  at('file:///a/b.mjs');
  at('/a b/(c).js');
  vm.runInThisContext('(note) => note()', { filename: '/a/arrow.js' })(note);
  new Function('note', 'note()')(note);
  const { prepareStackTrace, stackTraceLimit } = Error;
  try {
    Error.prepareStackTrace = () => ({ own: 'format' });
    note();
    Error.prepareStackTrace = prepareStackTrace;
    Error.stackTraceLimit = 0;
    note();
    assert.equal(Error.stackTraceLimit, 0);
  } finally {
    Object.assign(Error, { prepareStackTrace, stackTraceLimit });
  }
  assert.deepEqual(seen.slice(0, 4), ['/a/b.js:1', '/a/b.mjs:1', '/a b/(c).js:1', '/a/arrow.js:1']);
  assert.match(seen[4], /^$|:\d+$/);
  assert.deepEqual([seen[5], seen[6]], ['', `${__filename}:${/port\.test\.js:(\d+)/.exec(seen[6])?.[1]}`]);
});
