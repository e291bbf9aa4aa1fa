#!/usr/bin/env node
'use strict';

// The command `portalloc`: this process becomes the binary that the package contains.

const path = require('node:path');
const { directory, native } = require('../js/native.js');

const program = path.join(directory, 'portalloc');
console.error(`portalloc: cannot run ${program}: ${native.becomeProgram(program, process.argv.slice(2))}`);
process.exitCode = 1;
