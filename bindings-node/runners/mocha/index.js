'use strict';

// `mocha --require portalloc/mocha`: the environment of the run, and leases for single tests. Mocha calls the exports by
// their names: the global ones in the process that you started, the hooks in every worker.

const { Held } = require('../shared/held.js');
const { Taken } = require('../shared/taken.js');

const held = new Held('portalloc/mocha (mocha --require portalloc/mocha)');
let run;

/** In parallel mode this is a worker, which loads and runs one file after the other. */
const isWorker = process.env.MOCHA_WORKER_ID !== undefined;

/**
 * What the files take. In a worker: what one file takes, from its loading on. Else what all files take, from the first root hook
 * on: files are loaded before the global setups, and what those take outlives a run.
 */
let ofRun = isWorker ? new Taken() : undefined;
/** What the top-level suites of one file take. */
let ofFile;

async function mochaGlobalSetup() {
  const { Run } = require('../shared/run.js');
  await run?.end(); // of the run before, in watch mode
  run = new Run('mochaGlobalSetup()');
}

async function mochaGlobalTeardown() {
  const ended = run;
  run = undefined;
  await ended?.end();
}

// Mocha has a hook for the end of a file in parallel mode only. Hooks run in the order in which they were added, also those
// that a hook adds. So ours are added late, behind those of the files.
const mochaHooks = {
  beforeAll() {
    const root = this.test.parent;
    ofRun ??= new Taken();
    if (isWorker) return;
    root.beforeAll(() => {
      ofFile = new Taken();
    });
    for (const suite of lastOfFiles(root.suites)) suite.afterAll(() => ofFile.giveBack());
  },
  async beforeEach() {
    await held.begin(this.currentTest.fullTitle());
  },
  afterEach() {
    held.over();
    // Tests outside of suites run first, those of all files. What they take stays until the end of the run.
    if (this.currentTest.parent.root) ofFile?.leave();
  },
  async afterAll() {
    this.test.parent.afterAll(() => ofRun.giveBack());
    await held.end();
  },
};

/** The last suite of each file. */
const lastOfFiles = (suites) => new Map(suites.map((suite) => [suite.file, suite])).values();

/** In a test or a beforeEach hook: as `lease()`, released when the test and its hooks are over. */
const leaseForTest = (countOrOptions) => held.lease(countOrOptions);

module.exports = { leaseForTest, mochaGlobalSetup, mochaGlobalTeardown, mochaHooks };
