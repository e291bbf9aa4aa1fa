'use strict';

// No number is taken for another one, and no text for a number.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { PortallocError, createEnvironment, isFree, lease, leaseAsync, waitUntilFree, waitUntilOpen, who } = require('portalloc');
const { world } = require('./world.js');

world();
const held = lease(2);

/** Each call, with what is said of a number that it does not take. */
const CALLS = {
  count: [(number) => lease(number), 'ports were asked for'],
  'option count': [(number) => lease({ count: number }), 'ports were asked for'],
  port: [(number) => isFree(number), 'port '],
  'option exact': [(number) => lease({ exact: [number] }), 'port '],
  'option offsets': [(number) => lease({ offsets: [0, number] }), 'the offset '],
  'port to ask about': [(number) => who(number), 'port '],
  index: [(number) => held.fd(number), 'no port at index '],
  'number of an environment': [(number) => createEnvironment(number), 'ports were asked for'],
  owner: [(number) => createEnvironment({ kept: true, ownerPid: number }), 'is not a process ID'],
};

const NO_NUMBERS = ['5', 5n, true, null, {}, [], Symbol('5'), () => 5, new Date()];

for (const [name, [call, said]] of Object.entries(CALLS)) {
  for (const bad of [1.7, -1, NaN, Infinity, -Infinity, 2 ** 53, 1e300, -0.5, 2 ** 32 + 1]) {
    test(`${name} of ${bad}`, () => {
      // Many are as hard to get as too many.
      assert.throws(() => call(bad), (error) => {
        assert(error instanceof PortallocError, error.stack);
        assert.equal(error.name, 'InvalidArgumentError');
        assert.equal(error.portallocCode, 'invalid_argument');
        assert(error.message.includes(said) || error.message.includes('pool'), error.message);
        assert(error.message.includes(bad > 1e20 ? '' : String(bad)), error.message);
        return true;
      });
    });
  }
  test(`${name} of what is no number`, () => {
    for (const bad of NO_NUMBERS) {
      // These may have options instead.
      if ((name === 'count' || name.startsWith('number')) && typeof bad === 'object' && bad !== null) continue;
      assert.throws(() => call(bad), (error) => {
        assert(error instanceof PortallocError, `${String(bad)}: ${error.stack}`);
        assert.deepEqual([error.name, error.portallocCode], ['ArgumentTypeError', 'invalid_argument']);
        return true;
      });
    }
  });
}

test('ports beyond the last', () => {
  for (const call of [isFree, who, (port) => lease({ exact: [port] })]) {
    assert.throws(() => call(65_536), { portallocCode: 'invalid_argument', message: /port 65536 is not valid/ });
    assert.throws(() => call(70_000), { portallocCode: 'invalid_argument', message: /port 70000 is not valid/ });
    assert.throws(() => call(0), { portallocCode: 'invalid_argument', message: /^port 0 / });
  }
});

test('times', async () => {
  for (const bad of [-1, NaN]) {
    assert.throws(() => lease({ waitMs: bad }), { portallocCode: 'invalid_argument', message: new RegExp(`^${bad} is not a valid time`) });
    await assert.rejects(waitUntilOpen(1, { waitMs: bad }), { portallocCode: 'invalid_argument', message: new RegExp(`^${bad} is`) });
  }
  assert.throws(() => lease({ waitMs: '5' }), { name: 'ArgumentTypeError', message: /waitMs is the string "5"; give a number/ });
});

test('of calls with a promise, that is rejected', async () => {
  await assert.rejects(leaseAsync(1.5), { portallocCode: 'invalid_argument' });
  await assert.rejects(leaseAsync('5'), { name: 'ArgumentTypeError' });
  await assert.rejects(waitUntilOpen('5'), { name: 'ArgumentTypeError' });
  await assert.rejects(waitUntilOpen([80, '5']), { name: 'ArgumentTypeError', message: /ports\[1\] is the string "5"/ });
  await assert.rejects(waitUntilFree(70_000), { portallocCode: 'invalid_argument', message: /port 70000/ });
  await assert.rejects(waitUntilFree([]), { portallocCode: 'invalid_argument', message: /no port to wait for/ });
});

test('options that do not exist', () => {
  assert.throws(() => lease({ cuont: 5 }), { name: 'ArgumentTypeError', message: /lease\(\) "cuont" is.*give one of count, exact/ });
  assert.throws(() => lease({ signal: AbortSignal.abort() }), { name: 'ArgumentTypeError' });
  assert.throws(() => createEnvironment({ port: 5 }), { name: 'ArgumentTypeError' });
});

test('options of wrong types', () => {
  const bad = [{ pool: 5 }, { exclude: ['5'] }, { guard: 1 }, { stickyKey: true }, { exact: '80' }, { exact: 80 }, { scattered: 'no' }];
  for (const options of bad) assert.throws(() => lease(options), { name: 'ArgumentTypeError' }, JSON.stringify(options));
  for (const options of [{ names: 'web' }, { names: [5] }, { kept: 1 }, { envFile: 5 }, { worktree: 5 }, { ttlMs: '1' }]) {
    assert.throws(() => createEnvironment(options), { name: 'ArgumentTypeError' }, JSON.stringify(options));
  }
});

test('what is undefined was not given', () => {
  const one = lease({ count: undefined, exact: undefined, pool: undefined, guard: undefined, waitMs: undefined });
  assert.equal(one.ports.length, 1);
  one.release();
});
