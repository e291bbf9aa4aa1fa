'use strict';

// Jest: the environment of the run, for a globalSetup of one's own, and leases for single tests.

const HELD = Symbol.for('portalloc.jest.held');

/** A globalSetup. `options` may be a function of Jest's configuration. */
const setup =
  (options = {}) =>
  (globalConfig, projectConfig) =>
    require('./runs.js').begin(options, globalConfig, projectConfig);

/** The globalTeardown. */
const teardown = (globalConfig, projectConfig) => require('./runs.js').finish(globalConfig, projectConfig);

/** In a test or a beforeEach hook: as `lease()`, released when the test and its hooks are over. */
function leaseForTest(countOrOptions) {
  const held = globalThis[HELD];
  if (!held) throw require('../shared/held.js').noTest('portalloc/jest');
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
  // Before the file has taken anything.
  require('./projects.js').enter(jest.expect.getState().testPath);
  const { Held } = require('../shared/held.js');
  const { Taken } = require('../shared/taken.js');
  const held = new Held('portalloc/jest');
  const taken = new Taken();
  globalThis[HELD] = held;
  jest.beforeEach(() => held.begin(jest.expect.getState().currentTestName));
  jest.afterEach(() => held.over());
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
