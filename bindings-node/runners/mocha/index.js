'use strict';

// `mocha --require portalloc/mocha`: the environment of the run, and leases for single tests. Mocha calls the exports by
// their names: the global ones in the process that was started, the hooks in every worker.

const { Held } = require('../shared/held.js');

const held = new Held('portalloc/mocha (mocha --require portalloc/mocha)');
let run;

async function mochaGlobalSetup() {
  const { Run } = require('../shared/run.js');
  await run?.end(); // of the run before, in watch mode
  run = new Run({});
}

async function mochaGlobalTeardown() {
  const ended = run;
  run = undefined;
  await ended?.end();
}

const mochaHooks = {
  async beforeEach() {
    await held.begin(this.currentTest.fullTitle());
  },
  async afterAll() {
    await held.end();
  },
};

/** In a test or a beforeEach hook: as `lease()`, released when the test and its hooks are over. */
const leaseForTest = (countOrOptions) => held.lease(countOrOptions);

module.exports = { leaseForTest, mochaGlobalSetup, mochaGlobalTeardown, mochaHooks };
