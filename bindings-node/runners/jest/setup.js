'use strict';

// `globalSetup: 'portalloc/jest/setup'`: with the options of portalloc.toml in the rootDir or above it.

module.exports = require('./index.js').setup();
