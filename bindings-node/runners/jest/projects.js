'use strict';

// How test files find the environment of their project. Jest's workers inherit the variables of the process that the user
// started, which are those of one project. So a further variable says where the files of each project lie, and each file sets
// those of its own: in its copy of `process.env`, and in that of its thread, which the processes inherit that it starts.

const VARIABLE = 'PORTALLOC_JEST_PROJECTS';

/** In a worker, what the variable said and what is set there now. As text: an object would keep a test file's realm alive. */
const STATE = Symbol.for('portalloc.jest.projects');

/**
 * In Jest's own process, also for the workers. `restored` are the names, with values or null, that undo what is set there now.
 * What test files have set there, the end of their environments undoes.
 */
function publish(projects, restored) {
  delete process[STATE];
  if (projects.length > 0) process.env[VARIABLE] = JSON.stringify({ projects, restored });
  else delete process.env[VARIABLE];
}

/** In a test file: sets the variables of its project. */
function enter(testPath) {
  const thread = require('../../js/runners.js').threadProcess();
  const state = stateOf(thread);
  const id = state && projectOf(testPath, state.projects)?.id;
  if (!id) return;
  const { variables } = require('../../index.js').attachEnvironment(id);
  for (const [name, value] of state.restored) {
    // A setup file may have changed it for this file.
    if (process.env[name] === thread.env[name]) set(process.env, name, value);
    set(thread.env, name, value);
  }
  const restored = Object.keys(variables).map((name) => [name, thread.env[name] ?? null]);
  thread[STATE] = JSON.stringify({ ...state, restored });
  Object.assign(thread.env, variables);
  Object.assign(process.env, variables);
}

/** Takes the variable away, which is not for other runs of Jest that a test starts. */
function stateOf(thread) {
  const published = thread.env[VARIABLE];
  if (published) {
    thread[STATE] = published;
    delete thread.env[VARIABLE];
    delete process.env[VARIABLE];
  }
  return thread[STATE] && JSON.parse(thread[STATE]);
}

function set(variables, name, value) {
  if (typeof value === 'string') variables[name] = value;
  else delete variables[name];
}

/** The project with the innermost of the directories that the file is in. */
function projectOf(testPath, projects) {
  const depth = ({ roots }) => Math.max(...roots.map((root) => (isWithin(testPath, root) ? root.length : -1)));
  return projects.filter((project) => depth(project) >= 0).sort((one, other) => depth(other) - depth(one))[0];
}

function isWithin(file, directory) {
  const { sep } = require('node:path');
  return file.startsWith(directory.endsWith(sep) ? directory : directory + sep);
}

module.exports = { enter, publish };
