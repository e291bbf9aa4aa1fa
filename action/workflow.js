'use strict';

// How a step talks to the runner: inputs, state, the files behind GITHUB_PATH and the like, and annotations. Knows
// nothing of portalloc.

const fs = require('node:fs');
const os = require('node:os');

/** Something that the reader of the job's log can mend. Any other exception is a defect, and shown with its stack. */
class Problem extends Error {}

/** Every input of action.yml, as text: empty if it was not given. */
const input = (name) => (process.env[`INPUT_${name.replaceAll(' ', '_').toUpperCase()}`] ?? '').trim();

const state = (name) => process.env[`STATE_${name}`] ?? '';

/** Where the runner wants to be told something. */
function file(variable) {
  const found = process.env[variable];
  if (!found) throw new Problem(`${variable} is not set: this script runs only as a step of a GitHub Actions job`);
  return found;
}

const append = (variable, line) => fs.appendFileSync(file(variable), `${line}${os.EOL}`);

const addPath = (directory) => append('GITHUB_PATH', directory);

const saveState = (name, value) => append('GITHUB_STATE', `${name}=${value}`);

const setOutput = (name, value) => append('GITHUB_OUTPUT', `${name}=${value}`);

/** An annotation is one line: the runner takes these escapes back. */
function annotate(level, text) {
  const escaped = text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  console.log(`::${level} title=portalloc::${escaped}`);
}

/** Runs a step. One that fails ends with status 1 and says why in an annotation. */
async function step(work) {
  try {
    await work();
  } catch (error) {
    annotate('error', error instanceof Problem ? error.message : (error.stack ?? String(error)));
    process.exitCode = 1;
  }
}

module.exports = { Problem, addPath, annotate, file, input, saveState, setOutput, state, step };
