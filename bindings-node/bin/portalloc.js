#!/usr/bin/env node
'use strict';

// The command `portalloc`: makes way for the very binary that the package brings along.

const path = require('node:path');
const { folder, native } = require('../js/native.js');

const program = path.join(folder, 'portalloc');
console.error(`portalloc: cannot run ${program}: ${native.becomeProgram(program, process.argv.slice(2))}`);
process.exitCode = 1;
