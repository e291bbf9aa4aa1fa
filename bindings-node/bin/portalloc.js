#!/usr/bin/env node
'use strict';

// The command `portalloc`: this process becomes the binary that is beside the addon.

const path = require('node:path');
const { directory, native } = require('../js/native.js');

function run() {
  let become;
  try {
    become = native.becomeProgram;
  } catch (error) {
    return error.message; // no addon here
  }
  const program = path.join(directory, 'portalloc');
  return `cannot run ${program}: ${become(program, process.argv.slice(2))}`;
}

console.error(`portalloc: ${run()}`);
process.exitCode = 1;
