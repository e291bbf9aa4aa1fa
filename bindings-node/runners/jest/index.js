'use strict';

// Jest: the environment of the run, for a globalSetup of one's own, and leases for single tests.

const KEY = Symbol.for('portalloc.jest.runs');
const HELD = Symbol.for('portalloc.jest.held');

/** The runs of this process by project: there is more than one in watch mode, and with several projects. */
const runs = () => (globalThis[KEY] ??= new Map());

/**
 * A globalSetup. `options` may be a function of Jest's configuration. In watch mode Jest calls it again for every run; without
 * a globalTeardown it ends the previous one.
 */
function setup(options = {}) {
  return async function setUp(globalConfig, projectConfig) {
    const { Run } = require('../shared/run.js');
    const given = typeof options === 'function' ? await options(globalConfig, projectConfig) : options;
    const rootDir = projectConfig?.rootDir ?? globalConfig?.rootDir;
    const key = projectConfig?.id ?? rootDir;
    await runs().get(key)?.end();
    runs().set(key, new Run(rootDir ? { worktree: rootDir, ...given } : given));
  };
}

/** The globalTeardown. */
async function teardown() {
  const ended = [...runs().values()].reverse();
  runs().clear();
  for (const run of ended) await run.end();
}

/** In a test or a beforeEach hook: as `lease()`, released when the test and its hooks are over. */
function leaseForTest(countOrOptions) {
  const held = globalThis[HELD];
  if (!held) throw new Error('leaseForTest() of portalloc/jest: this is not a test file of Jest');
  return held.lease(countOrOptions);
}

/** Jest's own functions, if a test file loads this: also where they are not global. */
function jestGlobals() {
  try {
    return require('@jest/globals');
  } catch {
    return undefined;
  }
}

function install() {
  // Once for each test file, which has a realm of its own. After jest.resetModules() this is loaded again, too late for hooks.
  const jest = globalThis[HELD] ? undefined : jestGlobals();
  if (!jest) return;
  const { Held } = require('../shared/held.js');
  const { Taken } = require('../shared/taken.js');
  const held = new Held('portalloc/jest');
  const taken = new Taken();
  globalThis[HELD] = held;
  jest.beforeEach(() => held.begin(jest.expect.getState().currentTestName));
  jest.afterAll(() => held.end());
  atEnd(jest, () => taken.giveBack());
}

/**
 * Calls `end` when the file and all of its hooks are over. A hook of ours would run before the file's own, because it was added
 * first. So this listens to the events of jest-circus, as test environments do.
 */
function atEnd(jest, end) {
  const handlers = globalThis[Symbol.for('EVENT_HANDLERS')];
  if (!Array.isArray(handlers)) jest.afterAll(end); // a version that has them elsewhere
  else {
    handlers.push(({ name }) => {
      if (name === 'teardown') end();
    });
  }
}

install();

module.exports = { leaseForTest, setup, teardown };
