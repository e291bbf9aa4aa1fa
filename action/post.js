'use strict';

// The end of the job: removes the environment that the step has created, if it has.

const { spawnSync } = require('node:child_process');

const { annotate, state, step } = require('./workflow');

step(() => {
  const id = state('id');
  if (!id) return;
  const words = ['cleanup', '--id', id];
  const { error, status } = spawnSync(state('program'), words, { stdio: 'inherit' });
  if (error || status !== 0) {
    // No reason to fail a job that has passed: the environment is stale as soon as the runner's process has ended.
    const why = error ? error.message : `it ended with status ${status}`;
    const remedy = 'Run `portalloc cleanup --stale` on the runner.';
    annotate('warning', `cannot remove the environment ${id}: ${why}. ${remedy}`);
  }
});
