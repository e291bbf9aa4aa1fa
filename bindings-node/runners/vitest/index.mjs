// Vitest: the environment of the run, as a globalSetup or for your own, and leases for single tests.

import { afterAll, onTestFinished } from 'vitest';
import held from '../shared/held.js';
import shared from '../shared/taken.js';

giveBackAtEnd();

/** What the file that imports this takes, or for which this is a setup file: given back after its own hooks. */
function giveBackAtEnd() {
  const taken = new shared.Taken();
  try {
    afterAll(() => taken.giveBack());
  } catch {
    // In Vitest's main process, which runs no file. There this is a globalSetup.
  }
}

/**
 * A globalSetup. `options` may be a function of the project. Its tests get the environment by `inject('portalloc')` and by
 * variables.
 */
export function setup(options = {}) {
  return async function setUp(project) {
    const { default: { Run } } = await import('../shared/run.js');
    const given = typeof options === 'function' ? await options(project) : options;
    const run = new Run('setup()', given, { worktree: project.config.root });
    // What this process has set, the workers of all projects have.
    if (!project.isRootProject()) run.restoreVariables();
    const { id, ports, names, tempDir, variables } = run.environment;
    project.provide('portalloc', { id, ports: [...ports], names: [...names], tempDir, variables });
    // For those of this project alone.
    project.config.env = { ...project.config.env, ...variables };
    return async () => {
      try {
        await run.end();
      } catch (error) {
        process.exitCode = 1; // Vitest prints a teardown's error, and succeeds all the same
        throw error;
      }
    };
  };
}

export default setup();

/** In a test or a beforeEach hook: as `lease()` of portalloc, released when the test and its hooks are over. */
export function leaseForTest(countOrOptions) {
  const { leak, taken } = held.take(countOrOptions);
  try {
    onTestFinished(({ task }) => held.giveBack(taken, leak, `test "${task.name}"`));
  } catch {
    taken.release(); // Vitest's own error only says that it knows no test
    throw held.noTest('portalloc/vitest');
  }
  return taken;
}
