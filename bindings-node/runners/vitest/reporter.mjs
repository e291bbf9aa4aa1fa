// `reporters: ['default', 'portalloc/vitest/reporter']`: after the results, prints who is on the ports of tests that failed
// because an address was in use. Looks at once, prints at the end. Prints nothing else, and loads no addon before a test has
// failed.

import conflict from '../shared/conflict.js';

export default class ConflictReporter {
  #found = new Map();
  #printed = new Map();

  onTestRunStart() {
    this.#found.clear();
    this.#printed.clear();
  }

  onUserConsoleLog({ taskId, content }) {
    if (!taskId) return;
    if (!this.#printed.has(taskId)) this.#printed.set(taskId, []);
    this.#printed.get(taskId).push(content);
  }

  onTestCaseResult(test) {
    const { errors } = test.result();
    if (errors?.length > 0) this.#explain(test.module, errors, this.#printed.get(test.id));
    this.#printed.delete(test.id);
  }

  onTestSuiteResult(suite) {
    this.#explain(suite.module, suite.errors());
  }

  onTestModuleEnd(module) {
    this.#explain(module, module.errors(), this.#printed.get(module.id));
    this.#printed.delete(module.id);
  }

  onTestRunEnd(_modules, unhandled) {
    this.#explain({ relativeModuleId: 'unhandled errors' }, unhandled);
    for (const [where, sentences] of this.#found) {
      const lines = Array.from(sentences, (sentence) => `   ${sentence}\n`);
      process.stderr.write(`\n portalloc: ${where}\n${lines.join('')}\n`);
    }
  }

  #explain({ relativeModuleId }, errors, printed = []) {
    for (const error of errors) {
      let sentences = conflict.explain([error]);
      // A server that the test started may have printed the error.
      if (sentences.length === 0) sentences = conflict.explain(printed);
      if (sentences.length === 0) continue;
      const known = this.#found.get(relativeModuleId) ?? new Set();
      this.#found.set(relativeModuleId, new Set([...known, ...sentences]));
    }
  }
}
