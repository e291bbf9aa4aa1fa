'use strict';

// What is in the registry, removing what is over, and what calls go by.

const given = require('./arguments.js');
const { dated } = require('./dates.js');
const { lifted } = require('./errors.js');
const { native } = require('./native.js');
const { place } = require('./variables.js');

function environments() {
  try {
    return native.environments(place()).map((info) => dated(info, 'createdAt', 'expiresAt'));
  } catch (error) {
    throw lifted(error, environments);
  }
}

function leases() {
  try {
    return native.leases(place()).map((info) => dated(info, 'since'));
  } catch (error) {
    throw lifted(error, leases);
  }
}

function cleanup(id) {
  try {
    return native.cleanup(given.typed('text', id, 'id'), place());
  } catch (error) {
    throw lifted(error, cleanup);
  }
}

function cleanupStale() {
  try {
    return native.cleanupStale(place());
  } catch (error) {
    throw lifted(error, cleanupStale);
  }
}

function validate(id) {
  try {
    return native.validate(given.typed('text', id, 'id'), place());
  } catch (error) {
    throw lifted(error, validate);
  }
}

function settings(options) {
  try {
    const { pool, exclude } = given.options(given.POOL, options, 'settings()');
    return native.settings(place(pool, exclude));
  } catch (error) {
    throw lifted(error, settings);
  }
}

function parseId(text) {
  try {
    return native.parseId(given.typed('text', text, 'text'));
  } catch (error) {
    throw lifted(error, parseId);
  }
}

function render(variables, syntax = 'shell') {
  try {
    const isIterable = typeof variables?.[Symbol.iterator] === 'function';
    const pairs = Array.from(isIterable ? variables : Object.entries(given.record(variables, 'variables')), (pair) =>
      given.pair(pair, 'variables'),
    );
    return native.render(pairs, given.typed('text', syntax, 'syntax'));
  } catch (error) {
    throw lifted(error, render);
  }
}

module.exports = { cleanup, cleanupStale, environments, leases, parseId, render, settings, validate };
