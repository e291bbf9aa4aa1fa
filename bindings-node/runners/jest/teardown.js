'use strict';

// `globalTeardown: 'portalloc/jest/teardown'`.

module.exports = require('./index.js').teardown;
