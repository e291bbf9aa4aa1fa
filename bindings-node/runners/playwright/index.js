'use strict';

// Playwright: ports for its configuration, which is read once by the process that runs the tests and again by each of its
// workers. The first makes the environment and holds it; the others find its ID in a variable, and attach.

const { Run } = require('../shared/run.js');
const { Environment } = require('../../index.js');

/** Names the environment of this run to the processes below it. Not ISOLATION_ID: that may be of somebody around it. */
const ID = 'PORTALLOC_PLAYWRIGHT_ID';

let run;
let attached;

/** The environment of the run. `options` are those of `Environment.create`; the first call's count. */
function environment(options = {}) {
  if (run) return run.environment;
  const id = process.env[ID];
  if (id) return (attached ??= Environment.attach(id));
  run = new Run({ worktree: process.cwd(), leak: 'off', ...options });
  process.env[ID] = run.environment.id;
  return run.environment;
}

/** A port for each of the names, by name. */
function ports(...names) {
  const made = environment({ names });
  return Object.fromEntries(names.map((name) => [name, made.port(name)]));
}

module.exports = { environment, ports };
