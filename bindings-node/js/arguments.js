'use strict';

// Checks the types of arguments before they cross to the addon, which would turn '5' into 5, and would throw an error that is
// none of ours for 5n. Whether a number is allowed is the core's decision. An unknown option is refused, because it is
// usually a typo.

const { wrongType } = require('./errors.js');

const IS = {
  number: ['a number', (value) => typeof value === 'number'],
  text: ['a string', (value) => typeof value === 'string'],
  flag: ['true or false', (value) => typeof value === 'boolean'],
  // Not by `instanceof`: it may be of another realm.
  signal: ['an AbortSignal', (value) => typeof value?.addEventListener === 'function' && typeof value.aborted === 'boolean'],
};

/** The value, if it has that type. */
function typed(type, value, what) {
  const [needed, is] = IS[type];
  if (!is(value)) throw wrongType(what, needed, value);
  return value;
}

/** An array of the items of an iterable, each of that type. A string is refused, though it iterates over its letters. */
function list(type, value, what) {
  const [needed] = IS[type];
  if (value === null || typeof value !== 'object' || typeof value[Symbol.iterator] !== 'function') {
    throw wrongType(what, `an array, each item ${needed}`, value);
  }
  return Array.from(value, (item, index) => typed(type, item, `${what}[${index}]`));
}

/** One, or several. */
const oneOrMore = (type, value, what) =>
  IS[type][1](value) ? [value] : list(type, value, what);

/** The options given, each checked as `names` says. One that is undefined was not given. */
function options(names, given, what) {
  if (given === undefined) return {};
  if (given === null || typeof given !== 'object') throw wrongType(what, 'an object of options', given);
  const taken = {};
  for (const name in given) {
    if (!Object.hasOwn(names, name)) {
      throw wrongType(`${what} ${JSON.stringify(name)}`, `one of ${Object.keys(names).join(', ')}`, 'no option');
    }
    const value = given[name];
    if (value !== undefined) taken[name] = names[name](value, name);
  }
  return taken;
}

const of = (type) => (value, what) => typed(type, value, what);
const listOf = (type) => (value, what) => list(type, value, what);

/** A file's path, or a `file:` URL. */
function filePath(value, what) {
  return value instanceof URL || value?.protocol === 'file:'
    ? require('node:url').fileURLToPath(value.href)
    : typed('text', value, what);
}

/** Names and values, as an object or as pairs. */
function pairs(value, what) {
  if (value === null || typeof value !== 'object') throw wrongType(what, 'an object, or pairs of name and value', value);
  const all = typeof value[Symbol.iterator] === 'function' ? value : Object.entries(value);
  return Array.from(all, (pair) => {
    const texts = list('text', pair, what);
    if (texts.length !== 2) throw wrongType(what, 'pairs of name and value', pair);
    return texts;
  });
}

/** The ways to say which ports are wanted. */
const WANTED = { count: of('number'), exact: listOf('number'), offsets: listOf('number'), scattered: of('flag') };

/** Where they come from. */
const POOL = { pool: of('text'), exclude: of('text') };

/** The same, and a number of ports to explain. */
const DOCTOR = { explain: of('number'), ...POOL };

/** The same as POOL, and how long to wait for them. */
const SOURCE = { ...POOL, waitMs: of('number') };

/** A number of ports, or options. */
function countOrOptions(names, given, what) {
  if (typeof given === 'number') return { count: given };
  if (given !== undefined && (given === null || typeof given !== 'object')) {
    throw wrongType('count', 'a number, or an object of options', given);
  }
  return options(names, given, what);
}

module.exports = { DOCTOR, POOL, SOURCE, WANTED, countOrOptions, filePath, listOf, of, oneOrMore, options, pairs, typed };
