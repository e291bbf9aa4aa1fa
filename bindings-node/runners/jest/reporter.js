'use strict';

// `reporters: ['default', 'portalloc/jest/reporter']`: below a test file that failed because an address was in use, who is
// on the port. Says nothing else, and loads no addon before a test has failed.

const path = require('node:path');
const { Clashes } = require('../shared/clash.js');

class ClashReporter {
  #clashes = new Clashes();
  #rootDir;

  constructor(globalConfig) {
    this.#rootDir = globalConfig.rootDir;
  }

  onTestFileResult(test, result) {
    const failures = [...failuresOf(result)];
    if (failures.length === 0) return;
    const sentences = new Set(failures.flatMap((failure) => this.#clashes.explain(failure)));
    // A server of this file may have printed what the test that failed did not know.
    const printed = (result.console ?? []).map(({ message }) => message);
    if (sentences.size === 0) this.#clashes.explain(printed).forEach((sentence) => sentences.add(sentence));
    if (sentences.size === 0) return;
    const lines = Array.from(sentences, (sentence) => `    ${sentence}\n`);
    process.stderr.write(`\n  portalloc: ${path.relative(this.#rootDir, test.path)}\n\n${lines.join('')}\n`);
  }
}

/** For each failed test, and for a file that failed as a whole, what is known of why. */
function* failuresOf({ testResults, testExecError, failureMessage }) {
  const failed = testResults.filter(({ status }) => status === 'failed');
  for (const { failureDetails, failureMessages } of failed) yield [...failureDetails, ...failureMessages];
  if (testExecError) yield [testExecError, failureMessage];
}

module.exports = ClashReporter;
