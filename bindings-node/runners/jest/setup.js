'use strict';

// `globalSetup: 'portalloc/jest/setup'`: what portalloc.toml in the rootDir or above it says.

module.exports = require('./index.js').setup();
