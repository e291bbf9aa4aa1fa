'use strict';

// Playwright: ports for its configuration, which the process that runs the tests reads once, and each of its workers again.
// The first makes the environment and holds it; the others find its ID in a variable, and attach.

const { Run } = require('../shared/run.js');
const { attachEnvironment } = require('../../index.js');

/** Names the environment of this run to its workers. Not ISOLATION_ID: that may be the environment of an outer run. */
const ID = 'PORTALLOC_PLAYWRIGHT_ID';

let run;
let attached;

/** The environment of the run. `options` are those of `createEnvironment`; the first call decides. */
function environment(options) {
  if (run) return run.environment;
  const id = process.env[ID];
  if (id) return (attached ??= attachEnvironment(id));
  run = new Run('environment()', options, { worktree: process.cwd(), leak: 'off' });
  process.env[ID] = run.environment.id;
  return run.environment;
}

/** A port for each name. */
function ports(...names) {
  const made = environment({ names });
  return Object.fromEntries(names.map((name) => [name, made.port(name)]));
}

module.exports = { environment, ports };
