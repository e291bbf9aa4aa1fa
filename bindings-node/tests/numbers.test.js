'use strict';

// No number is taken for another one, and no text for a number.

const assert = require('node:assert/strict');
const { test } = require('node:test');

const { inspect } = require('node:util');
const vm = require('node:vm');

const {
  Environment,
  Inheritable,
  Lease,
  PortallocError,
  createEnvironment,
  createEnvironmentAsync,
  currentEnvironment,
  isFree,
  lease,
  leaseAsync,
  port,
  render,
  settings,
  waitUntilFree,
  waitUntilOpen,
  who,
} = require('portalloc');
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

/** Each call that takes options, with a name that none of them has. */
const WITH_OPTIONS = {
  'lease()': lease,
  'leaseAsync()': leaseAsync,
  'port()': port,
  'createEnvironment()': createEnvironment,
  'createEnvironmentAsync()': createEnvironmentAsync,
  'currentEnvironment()': currentEnvironment,
  'settings()': settings,
  'fd()': (options) => held.fd(0, options),
  'waitUntilOpen()': (options) => waitUntilOpen(1, options),
  'waitUntilFree()': (options) => waitUntilFree(1, options),
};

/** What `call` throws, or its promise is rejected with. */
async function failure(call, given) {
  try {
    await call(given);
  } catch (error) {
    return error;
  }
  throw new Error(`${inspect(given)} was taken`);
}

for (const [name, call] of Object.entries(WITH_OPTIONS)) {
  test(`options that ${name} does not have`, async () => {
    for (const given of [{ prefers: [3000] }, { prefers: undefined }, Object.create({ prefers: 1 }), new (class { prefers = 1; })()]) {
      const error = await failure(call, given);
      assert.equal(error.name, 'ArgumentTypeError', inspect(given));
      assert.match(error.message, new RegExp(`^there is no option "prefers"; ${name.replace('()', '\\(\\)')} has \\w+, \\w+`));
    }
  });

  test(`what are no options for ${name}`, async () => {
    const kinds = [null, 'web', true, 5n, [], ['web'], new Map([['count', 2]]), new Date(), Promise.resolve(), () => 5, held, new Number(5)];
    for (const given of kinds) {
      const error = await failure(call, given);
      assert.equal(error.name, 'ArgumentTypeError', inspect(given));
      assert(error.message.startsWith(`${name} was given `) && / give it .*an object of options$/.test(error.message), error.message);
    }
    const said = await failure(call, new Map());
    assert(said.message.startsWith(`${name} was given an object of the kind Map; `), said.message);
  });
}

test('the options of a call are named, and those of another call are none', () => {
  const { signal } = new AbortController();
  assert.throws(() => lease({ signal }), {
    message: 'there is no option "signal"; lease() has count, exact, offsets, scattered, pool, exclude, waitMs, guard, stickyKey, prefer',
  });
  assert.throws(() => createEnvironment({ port: 5 }), { name: 'ArgumentTypeError', message: /^there is no option "port"/ });
});

test('options that are inherited, and those of an instance', () => {
  class Two {
    get count() {
      return 2;
    }
  }
  const given = [Object.create({ count: 2 }), Object.assign(Object.create(null), { count: 2 }), new Two(), Object.freeze({ count: 2 })];
  for (const options of [...given, vm.runInNewContext('({ count: 2 })')]) {
    const two = lease(options);
    assert.equal(two.ports.length, 2);
    two.release();
  }
});

test('what a program adds to all objects is no option', () => {
  Object.prototype.added = 'by a program';
  try {
    lease({ count: 1 }).release();
    assert.throws(() => lease({ added: 1 }), { message: /^there is no option "added"/ });
  } finally {
    delete Object.prototype.added;
  }
});

test('what only this package makes is not made by a constructor', () => {
  for (const [Class, instead] of [[Lease, 'call lease()'], [Environment, 'call createEnvironment()'], [Inheritable, 'call inheritable() of a lease or a hold']]) {
    assert.throws(() => new Class(), (error) => {
      assert.equal(error.remedy, instead);
      assert(error.message.startsWith(`new ${Class.name}() `), error.message);
      return error instanceof PortallocError;
    });
  }
});

test('options of wrong types', () => {
  const bad = [{ pool: 5 }, { exclude: ['5'] }, { guard: 1 }, { stickyKey: true }, { exact: '80' }, { exact: 80 }, { scattered: 'no' }];
  for (const options of bad) assert.throws(() => lease(options), { name: 'ArgumentTypeError' }, JSON.stringify(options));
  for (const options of [{ names: 'web' }, { names: [5] }, { kept: 1 }, { envFile: 5 }, { worktree: 5 }, { ttlMs: '1' }]) {
    assert.throws(() => createEnvironment(options), { name: 'ArgumentTypeError' }, JSON.stringify(options));
  }
  for (const [options, message] of [
    [{ names: { web: 1 } }, 'names is an object; give an array, each item a string'],
    [{ names: ['web', null] }, 'names[1] is null; give a string'],
    [{ count: null }, 'count is null; give a number'],
    [{ envFile: null }, 'envFile is null; give a path, or a `file:` URL'],
    [{ worktree: new URL('http://127.0.0.1/x') }, 'worktree is the URL http://127.0.0.1/x, which names no file here: '],
  ]) {
    assert.throws(() => createEnvironment(options), (error) => {
      assert(error instanceof PortallocError && error.message.startsWith(message), error.message);
      return true;
    });
  }
  for (const [variables, message] of [
    [{ PORT: 1 }, 'the value of PORT is the number 1; give a string'],
    [[['PORT']], 'an item of variables is an array; give a pair of name and value'],
    [['PORT'], 'an item of variables is the string "PORT"; give a pair of name and value'],
  ]) assert.throws(() => render(variables), { name: 'ArgumentTypeError', message });
});

test('what is undefined was not given', () => {
  const one = lease({ count: undefined, exact: undefined, pool: undefined, guard: undefined, waitMs: undefined });
  assert.equal(one.ports.length, 1);
  one.release();
});
