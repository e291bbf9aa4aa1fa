'use strict';

// The environments of a run of Jest, in the process that the user started: one, or one for each project. All of them begin in
// globalSetup and end in globalTeardown.

const { Run } = require('../shared/run.js');
const { projectsOf } = require('./configuration.js');
const { publish } = require('./projects.js');

const KEY = Symbol.for('portalloc.jest.runs');

/** Of this process, whichever copy of this module began them, in the order in which they began. */
const running = () => (globalThis[KEY] ??= []);

/**
 * A call of the globalSetup. In watch mode Jest calls it for every run: without a globalTeardown this ends those of the
 * previous run.
 */
async function begin(options, globalConfig, projectConfig) {
  const projects = await projectsOf(globalConfig, projectConfig);
  const setup = projectConfig?.globalSetup ?? globalConfig?.globalSetup;
  await end((each) => each.setup === setup);
  for (const { rootDir, roots, config } of projects) {
    const given = typeof options === 'function' ? await options(globalConfig, config) : options;
    if (roots) refuseSameRoots(roots, config);
    // Else what it sets would be what the next one restores.
    running().at(-1)?.run.restoreVariables();
    const run = new Run('setup()', given, { worktree: rootDir });
    running().push({ run, roots, setup, teardown: config?.globalTeardown ?? undefined });
  }
  publishProjects();
}

/** A call of the globalTeardown: Jest calls each file that projects name once, and that of the whole run. */
async function finish(_globalConfig, projectConfig) {
  const called = projectConfig?.globalTeardown ?? undefined;
  await end(({ teardown }) => called === undefined || teardown === undefined || teardown === called);
  publishProjects();
}

async function end(which) {
  const ending = running().filter(which).reverse();
  globalThis[KEY] = running().filter((each) => !which(each));
  for (const { run } of ending) await run.end();
}

const publishProjects = () =>
  publish(
    running().filter(({ roots }) => roots).map(({ roots, run }) => ({ roots, id: run.environment.id })),
    running().at(-1)?.run.toRestore() ?? [],
  );

/** A test file finds its project by where it lies. */
function refuseSameRoots(roots, { displayName }) {
  if (running().every((each) => String(each.roots) !== String(roots))) return;
  const name = displayName?.name ? `the project "${displayName.name}"` : 'a project';
  throw new Error(
    `portalloc/jest: ${name} has the same roots as another one, ${roots.join(', ')}, but a globalSetup of its own, so that a ` +
      'test file there could belong to either; give each project roots of its own, or both the same globalSetup',
  );
}

module.exports = { begin, finish };
