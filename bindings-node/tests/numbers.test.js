'use strict';

// No number is taken for another one, and no text for a number.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { Environment, PortallocError, isFree, lease, leaseAsync, waitFor, waitFree, who } = require('portalloc');
const { world } = require('./world.js');

world();
const held = lease(2);

/** Each call, with what is said of a number that it does not take. */
const CALLS = {
  count: [(number) => lease(number), 'ports were asked for'],
  'option count': [(number) => lease({ count: number }), 'ports were asked for'],
  port: [(number) => isFree(number), 'port '],
  'option ports': [(number) => lease({ ports: [number] }), 'port '],
  'option offsets': [(number) => lease({ offsets: [0, number] }), 'the offset '],
  'port to ask about': [(number) => who(number), 'port '],
  index: [(number) => held.fd(number), 'no port at index '],
  'number of an environment': [(number) => Environment.create(number), 'ports were asked for'],
  owner: [(number) => Environment.create({ kept: true, ownerPid: number, envFile: false }), 'is not a process ID'],
};

const NO_NUMBERS = ['5', 5n, true, null, {}, [], Symbol('5'), () => 5, new Date()];

for (const [name, [call, said]] of Object.entries(CALLS)) {
  for (const bad of [1.7, -1, NaN, Infinity, -Infinity, 2 ** 53, 1e300, -0.5, 2 ** 32 + 1]) {
    test(`${name} of ${bad}`, () => {
      // Many are as hard to get as too many.
      assert.throws(() => call(bad), (error) => {
        assert(error instanceof RangeError && error instanceof PortallocError, error.stack);
        assert.equal(error.name, 'InvalidArgumentError');
        assert.equal(error.code, 'invalid_argument');
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
        assert(error instanceof TypeError && error instanceof PortallocError, `${String(bad)}: ${error.stack}`);
        assert.equal(error.code, 'invalid_argument');
        return true;
      });
    }
  });
}

test('ports beyond the last', () => {
  for (const call of [isFree, who, (port) => lease({ ports: [port] })]) {
    assert.throws(() => call(65_536), { code: 'invalid_argument', message: /port 65536 does not exist/ });
    assert.throws(() => call(70_000), { code: 'invalid_argument', message: /port 70000 does not exist/ });
    assert.throws(() => call(0), { code: 'invalid_argument', message: /^port 0 / });
  }
});

test('times', async () => {
  for (const bad of [-1, NaN]) {
    assert.throws(() => lease({ timeoutMs: bad }), { code: 'invalid_argument', message: new RegExp(`^${bad} is no time`) });
    await assert.rejects(waitFor(1, { timeoutMs: bad }), { code: 'invalid_argument', message: new RegExp(`^${bad} is`) });
  }
  assert.throws(() => lease({ timeoutMs: '5' }), { name: 'ArgumentTypeError', message: /timeoutMs is the text "5"; give a number/ });
});

test('of calls with a promise, that is rejected', async () => {
  await assert.rejects(leaseAsync(1.5), { code: 'invalid_argument' });
  await assert.rejects(leaseAsync('5'), { name: 'ArgumentTypeError' });
  await assert.rejects(waitFor('5'), { name: 'ArgumentTypeError' });
  await assert.rejects(waitFor([80, '5']), { name: 'ArgumentTypeError', message: /ports\[1\] is the text "5"/ });
  await assert.rejects(waitFree(70_000), { code: 'invalid_argument', message: /port 70000/ });
  await assert.rejects(waitFree([]), { code: 'invalid_argument', message: /no port to wait for/ });
});

test('options that do not exist', () => {
  assert.throws(() => lease({ cuont: 5 }), { name: 'ArgumentTypeError', message: /lease\(\) "cuont" is.*give one of count, ports/ });
  assert.throws(() => lease({ signal: AbortSignal.abort() }), { name: 'ArgumentTypeError' });
  assert.throws(() => Environment.create({ port: 5 }), { name: 'ArgumentTypeError' });
});

test('options of wrong types', () => {
  const bad = [{ pool: 5 }, { exclude: ['5'] }, { guard: 1 }, { sticky: true }, { ports: '80' }, { ports: 80 }, { scattered: 'no' }];
  for (const options of bad) assert.throws(() => lease(options), { name: 'ArgumentTypeError' }, JSON.stringify(options));
  for (const options of [{ names: 'web' }, { names: [5] }, { kept: 1 }, { envFile: 5 }, { worktree: 5 }, { ttlMs: '1' }]) {
    assert.throws(() => Environment.create(options), { name: 'ArgumentTypeError' }, JSON.stringify(options));
  }
});

test('what is undefined was not given', () => {
  const one = lease({ count: undefined, ports: undefined, pool: undefined, guard: undefined, timeoutMs: undefined });
  assert.equal(one.ports.length, 1);
  one.release();
});
