'use strict';

// The exceptions: codes, classes, texts, realms.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('node:test');
const { inspect } = require('node:util');
const vm = require('node:vm');

const portalloc = require('portalloc');
const { BY_CODE } = require('../js/errors.js');
const { world } = require('./world.js');

const here = world();

/** What `call` throws. */
function thrown(call) {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}

test('there is a class for each code of the core, and no other', () => {
  assert.deepEqual(Object.keys(BY_CODE), [...portalloc.errorCodes]);
  for (const Class of Object.values(BY_CODE)) {
    assert.equal(portalloc[Class.name], Class);
    assert(new Class({ code: 'x', message: 'y' }) instanceof portalloc.PortallocError);
  }
});

test('the types name the same codes', () => {
  const types = fs.readFileSync(path.join(__dirname, '../index.d.ts'), 'utf8');
  const union = /export type ErrorCode =([^;]*);/.exec(types)[1];
  assert.deepEqual(union.match(/\w+/g), [...portalloc.errorCodes]);
});

test('what happened, what to do, and where', () => {
  const [port] = here.ports;
  const held = portalloc.lease({ exact: [port] });
  const error = thrown(() => portalloc.lease({ exact: [port] }));
  assert(error instanceof portalloc.PortInUseError && error instanceof portalloc.PortallocError);
  assert(error instanceof Error);
  assert.deepEqual([error.portallocCode, error.name, [...error.ports]], ['port_in_use', 'PortInUseError', [port]]);
  assert.equal(error.code, 'ERR_PORTALLOC_PORT_IN_USE');
  assert.equal(error.cause, undefined);
  assert(error.message.startsWith(`port ${port} is held`), error.message);
  assert(error.message.endsWith(`; ${error.remedy}`), error.message);
  assert.match(error.stack, /^PortInUseError: port .*\n\s+at .*errors\.test\.js/);
  assert.match(inspect(error), /portallocCode: 'port_in_use'/);
  held.release();
});

test('an exhausted pool is counted', () => {
  const [port] = here.ports;
  const held = portalloc.lease({ exact: [port] });
  const error = thrown(() => portalloc.lease({ pool: String(port) }));
  assert.equal(error.name, 'PoolExhaustedError');
  assert.deepEqual([error.census.pool, error.census.held, error.census.free, error.census.longestRun], [1, 1, 0, 0]);
  assert.throws(() => (error.census.free = 1), TypeError);
  held.release();
});

test('one hierarchy', () => {
  const [value, type] = [thrown(() => portalloc.isFree(0)), thrown(() => portalloc.isFree('0'))];
  assert.deepEqual([value.name, type.name], ['InvalidArgumentError', 'ArgumentTypeError']);
  assert(type instanceof portalloc.InvalidArgumentError);
  assert(!(value instanceof portalloc.ArgumentTypeError));
  for (const Class of Object.values(BY_CODE)) assert(Class.prototype instanceof portalloc.PortallocError);
});

test('the error of the operating system is the cause', () => {
  const file = path.join(here.scratch, 'file');
  fs.writeFileSync(file, '');
  const directory = process.env.PORTALLOC_DIR;
  process.env.PORTALLOC_DIR = path.join(file, 'registry');
  const error = thrown(() => portalloc.lease());
  process.env.PORTALLOC_DIR = directory;
  assert.equal(error.code, 'ERR_PORTALLOC_REGISTRY_UNUSABLE');
  assert.equal(error.cause.message, 'ENOTDIR: not a directory');
  assert.deepEqual([error.cause.errno, error.cause.code], [-os.constants.errno.ENOTDIR, 'ENOTDIR']);
});

test('others are none', () => {
  for (const other of [new Error('x'), new TypeError('x'), undefined, null, 5, { code: 'ERR_PORTALLOC_IO' }]) {
    assert.equal(other instanceof portalloc.PortallocError, false);
  }
  assert.equal(thrown(() => portalloc.isFree(0)) instanceof portalloc.PoolExhaustedError, false);
});

test('the stack of a rejection leads to who waited', async () => {
  async function waiter() {
    await portalloc.waitUntilOpen(here.base, { waitMs: 0 });
  }
  await assert.rejects(waiter(), (error) => {
    assert.equal(error.name, 'WaitTimeoutError');
    assert.match(error.stack, /waiter/);
    return true;
  });
});

test('in a realm of its own, as Jest makes them, errors are that realm’s', async () => {
  const context = vm.createContext({ process, setTimeout, AbortSignal });
  const cache = new Map();
  const load = (file) => {
    if (file.endsWith('.json')) return require(file);
    if (!cache.has(file)) {
      const module = { exports: {} };
      cache.set(file, module);
      const requires = (name) => (name.startsWith('.') ? load(path.join(path.dirname(file), name)) : require(name));
      const code = `(function (module, exports, require, __filename, __dirname) {${fs.readFileSync(file, 'utf8')}\n})`;
      vm.runInContext(code, context, { filename: file })(module, module.exports, requires, file, path.dirname(file));
    }
    return cache.get(file).exports;
  };
  const other = load(path.join(__dirname, '../index.js'));
  assert.notEqual(other.PortallocError, portalloc.PortallocError);
  const TheirError = vm.runInContext('Error', context);
  for (const error of [thrown(() => other.lease(0)), await other.leaseAsync(0).catch((each) => each)]) {
    assert(error instanceof TheirError);
    assert.equal(error instanceof Error, false);
    assert(error instanceof other.InvalidArgumentError);
    assert(error instanceof other.PortallocError && error instanceof portalloc.PortallocError);
  }
  const held = other.lease(2);
  assert(held.ports instanceof Array || vm.runInContext('Array', context).isArray(held.ports));
  held.release();
});
