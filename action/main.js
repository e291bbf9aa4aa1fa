'use strict';

// The step itself: installs the command and, if asked, creates an environment. Whatever concerns leases is left to the
// command.

const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');

const { install } = require('./install');
const { Problem, addPath, file, input, saveState, setOutput, step } = require('./workflow');

/** What `portalloc create` is to be asked for, or null if the inputs ask for no environment. */
function wanted() {
  const environment = input('environment') || 'false';
  if (!['true', 'false'].includes(environment)) {
    throw new Problem(`the input \`environment\` is '${environment}'. Give it as true or false.`);
  }
  const options = ['names', 'ports', 'ttl'].filter((name) => input(name)).map((name) => `--${name}=${input(name)}`);
  if (environment === 'false' && !input('names') && !input('ports')) {
    if (options.length > 0) {
      throw new Problem('the input `ttl` is of an environment, but none is asked for. Give `names` or `ports`, too.');
    }
    return null;
  }
  return options;
}

/** The command writes the variables for later steps; the post step needs the ID. */
function create(program, options) {
  // The runner's process, which lives as long as the job: if it is killed, no post step runs, and the environment is
  // stale at once. In a job's container it cannot be seen, and the environment ends with the container.
  const owner = process.ppid > 1 ? [`--owner-pid=${process.ppid}`] : [];
  // No env file: it would be an untracked file in the repository, and the variables are in every later step already.
  const words = ['create', '--format=github', '--no-env-file', ...owner, ...options];
  const { error, status } = spawnSync(program, words, { stdio: 'inherit' });
  if (error) throw error;
  if (status !== 0) {
    throw new Problem(`\`portalloc ${words.join(' ')}\` failed with status ${status}: the log says why.`);
  }
  const id = [...fs.readFileSync(file('GITHUB_OUTPUT'), 'utf8').matchAll(/^ISOLATION_ID=([0-9a-f]+)$/gm)].at(-1)[1];
  saveState('program', program);
  saveState('id', id);
  setOutput('isolation-id', id);
}

step(async () => {
  const options = wanted();
  const program = await install({ version: input('version'), baseUrl: input('base-url') });
  addPath(path.dirname(program));
  if (options) create(program, options);
});
