'use strict';

// Arguments are of the types they must be before they cross: the addon would make 5 of '5', and an error that is none of
// ours of 5n. Whether a number can be meant is the core's to say. A name that is no option is refused, because it is
// mostly a slip of the pen.

const { wrongType } = require('./errors.js');

const IS = {
  number: ['a number', (value) => typeof value === 'number'],
  text: ['a text', (value) => typeof value === 'string'],
  flag: ['true or false', (value) => typeof value === 'boolean'],
  // Of another realm, it is no instance of this one's class.
  signal: ['an AbortSignal', (value) => typeof value?.addEventListener === 'function' && typeof value.aborted === 'boolean'],
};

/** The value, if it is of that type. */
function typed(type, value, what) {
  const [needed, is] = IS[type];
  if (!is(value)) throw wrongType(what, needed, value);
  return value;
}

/** An array of what is iterated, each of that type. A text is none, though its letters could be. */
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

/** What was given for `names`, by their types; nothing for what was not given. */
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

/** An object, whose own names and values count. */
function record(value, what) {
  if (value === null || typeof value !== 'object') throw wrongType(what, 'an object, or pairs of name and value', value);
  return value;
}

/** A name and a value. */
function pair(value, what) {
  const texts = list('text', value, what);
  if (texts.length !== 2) throw wrongType(what, 'pairs of name and value', value);
  return texts;
}

/** The ways to say which ports are wanted. */
const WANTED = { count: of('number'), ports: listOf('number'), offsets: listOf('number'), scattered: of('flag') };

/** Where they come from. */
const POOL = { pool: of('text'), exclude: of('text') };

/** The same, and how long to wait for them. */
const SOURCE = { ...POOL, timeoutMs: of('number') };

/** A number of ports, or options. */
function countOrOptions(names, given, what) {
  if (typeof given === 'number') return { count: given };
  if (given !== undefined && (given === null || typeof given !== 'object')) {
    throw wrongType('count', 'a number, or an object of options', given);
  }
  return options(names, given, what);
}

module.exports = { POOL, SOURCE, WANTED, countOrOptions, filePath, listOf, of, oneOrMore, options, pair, record, typed };
