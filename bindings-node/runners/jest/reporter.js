'use strict';

// `reporters: ['default', 'portalloc/jest/reporter']`: after a test file that failed because an address was in use, prints who
// is on the port. Prints nothing else, and loads no addon before a test has failed.

const path = require('node:path');
const { explain } = require('../shared/conflict.js');

class ConflictReporter {
  #rootDir;

  constructor(globalConfig) {
    this.#rootDir = globalConfig.rootDir;
  }

  onTestFileResult(test, result) {
    const failures = [...failuresOf(result)];
    if (failures.length === 0) return;
    const sentences = new Set(failures.flatMap((failure) => explain(failure)));
    // A server that the file started may have printed the error.
    const printed = (result.console ?? []).map(({ message }) => message);
    if (sentences.size === 0) explain(printed).forEach((sentence) => sentences.add(sentence));
    if (sentences.size === 0) return;
    const lines = Array.from(sentences, (sentence) => `    ${sentence}\n`);
    process.stderr.write(`\n  portalloc: ${path.relative(this.#rootDir, test.path)}\n\n${lines.join('')}\n`);
  }
}

/** The errors and texts of each failed test, and of a file that failed as a whole. */
function* failuresOf({ testResults, testExecError, failureMessage }) {
  const failed = testResults.filter(({ status }) => status === 'failed');
  for (const { failureDetails, failureMessages } of failed) yield [...failureDetails, ...failureMessages];
  if (testExecError) yield [testExecError, failureMessage];
}

module.exports = ConflictReporter;
