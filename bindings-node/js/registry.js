'use strict';

// What is in the registry, cleaning it up, and the settings of calls.

const given = require('./arguments.js');
const { lifted } = require('./errors.js');
const { native } = require('./native.js');
const { camelCase, parsed } = require('./parsed.js');
const { place } = require('./variables.js');

function environments() {
  try {
    return parsed(native.list(place())).environments;
  } catch (error) {
    throw lifted(error, environments);
  }
}

function leases() {
  try {
    return parsed(native.list(place())).leases;
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
    const found = parsed(native.validate(given.typed('text', id, 'id'), place()));
    return { ...found, checks: found.checks.map((check) => ({ ...check, name: camelCase(check.name) })) };
  } catch (error) {
    throw lifted(error, validate);
  }
}

function settings(options) {
  try {
    const { pool, exclude } = given.options(given.POOL, options, 'settings()');
    return parsed(native.settings(place(pool, exclude)));
  } catch (error) {
    throw lifted(error, settings);
  }
}

function doctor(options) {
  try {
    const { explain, pool, exclude } = given.options(given.DOCTOR, options, 'doctor()');
    return parsed(native.doctor(explain, place(pool, exclude)));
  } catch (error) {
    throw lifted(error, doctor);
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
    return native.render(given.pairs(variables, 'variables'), given.typed('text', syntax, 'syntax'));
  } catch (error) {
    throw lifted(error, render);
  }
}

module.exports = { cleanup, cleanupStale, doctor, environments, leases, parseId, render, settings, validate };
