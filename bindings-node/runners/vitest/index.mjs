// Vitest: the environment of the run, as a globalSetup and for one of one's own, and leases for single tests.

import { afterAll, onTestFinished } from 'vitest';
import held from '../shared/held.js';
import shared from '../shared/taken.js';

giveBackAtEnd();

/** Of the file that imports this, or for which this is a setup file: what it takes, after its own hooks. */
function giveBackAtEnd() {
  const taken = new shared.Taken();
  try {
    afterAll(() => taken.giveBack());
  } catch {
    // Vitest's main process, which runs no file. This is a globalSetup there.
  }
}

/**
 * A globalSetup. `options` may be a function of the project, which is told the environment by `provide('portalloc')` and
 * by the variables of its tests.
 */
export function setup(options = {}) {
  return async function setUp(project) {
    const { default: { Run } } = await import('../shared/run.js');
    const given = typeof options === 'function' ? await options(project) : options;
    const run = new Run({ worktree: project.config.root, ...given });
    const { id, ports, names, tempDir, variables } = run.environment;
    project.provide('portalloc', { id, ports: [...ports], names: [...names], tempDir, variables });
    // Of several projects each has its own, though they share a process.
    project.config.env = { ...project.config.env, ...variables };
    return async () => {
      try {
        await run.end();
      } catch (error) {
        process.exitCode = 1; // Vitest prints what a teardown throws, and succeeds all the same
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
  } catch (error) {
    taken.release();
    throw error;
  }
  return taken;
}
