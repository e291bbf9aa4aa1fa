'use strict';

// Ports that the process holds until it ends: a number, and no object to keep.

const given = require('./arguments.js');
const { callerOf } = require('./caller.js');
const { lifted } = require('./errors.js');
const { native } = require('./native.js');
const { place } = require('./variables.js');

function port(options) {
  try {
    const { pool, exclude } = given.options(given.POOL, options, 'port()');
    return native.takePort(place(pool, exclude), callerOf(port));
  } catch (error) {
    throw lifted(error, port);
  }
}

function giveBack(number) {
  try {
    return native.giveBack(given.typed('number', number, 'port'));
  } catch (error) {
    throw lifted(error, giveBack);
  }
}

module.exports = { giveBack, port };
