'use strict';

// Checks the types of arguments before they cross to the addon, which would turn '5' into 5, and would throw an error that is
// none of ours for 5n. Whether a number is allowed is the core's decision. An unknown option is refused, because it is
// usually a typo.

const { invalid, kindOf, refused, shown, wrongType } = require('./errors.js');

const IS = {
  number: ['a number', (value) => typeof value === 'number'],
  text: ['a string', (value) => typeof value === 'string'],
  flag: ['true or false', (value) => typeof value === 'boolean'],
  port: ['the number or the name of a port', (value) => typeof value === 'number' || typeof value === 'string'],
  // Not by `instanceof`: it may be of another realm.
  signal: ['an AbortSignal', (value) => typeof value?.addEventListener === 'function' && typeof value.aborted === 'boolean'],
};

/** The value, if it has that type. */
function typed(type, value, what) {
  const [needed, is] = IS[type];
  if (!is(value)) throw wrongType(what, needed, value);
  return typeof value === 'string' ? wellFormed(value, what) : value;
}

/** On its way to UTF-8, half of a surrogate pair would become another character, that of any other half, too. */
function wellFormed(text, what) {
  if (text.isWellFormed()) return text;
  throw invalid(`${what} is ${shown(text)}, which has half of a surrogate pair`, 'give text that can be written in UTF-8');
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

/** What holds options: an object literal, or an instance. A map, a promise or an array has none by a name, and is a mistake. */
const holdsOptions = (given) => given !== null && typeof given === 'object' && kindOf(given) === 'Object';

/**
 * The options given, each checked as `names` says. One that is undefined was not given. Inherited ones count, as everywhere in
 * Node.
 */
function options(names, given, what, needed = 'an object of options') {
  if (given === undefined) return {};
  if (!holdsOptions(given)) throw refused(`${what} was given ${shown(given)}`, `give it ${needed}`);
  for (const name in given) {
    // What a program adds to all objects is no option.
    if (Object.hasOwn(names, name) || (name in Object.prototype && !Object.hasOwn(given, name))) continue;
    throw refused(`there is no option ${JSON.stringify(name)}`, `${what} has ${Object.keys(names).join(', ')}`);
  }
  const taken = {};
  for (const name of Object.keys(names)) {
    const value = given[name];
    if (value !== undefined) taken[name] = names[name](value, name);
  }
  return taken;
}

const of = (type) => (value, what) => typed(type, value, what);
const listOf = (type) => (value, what) => list(type, value, what);
const oneOrMoreOf = (type) => (value, what) => oneOrMore(type, value, what);

/** A file's path, or a `file:` URL. */
function filePath(value, what) {
  if (typeof value === 'string') return wellFormed(value, what);
  if (typeof value?.href !== 'string') throw wrongType(what, 'a path, or a `file:` URL', value);
  try {
    return require('node:url').fileURLToPath(value.href);
  } catch (error) {
    throw invalid(`${what} is the URL ${value.href}, which names no file here: ${error.message}`, 'give a path, or a `file:` URL');
  }
}

/** Names and values, as an object or as pairs. */
function pairs(value, what) {
  if (value === null || typeof value !== 'object') throw wrongType(what, 'an object, or pairs of name and value', value);
  const all = typeof value[Symbol.iterator] === 'function' ? value : Object.entries(value);
  return Array.from(all, (pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw wrongType(`an item of ${what}`, 'a pair of name and value', pair);
    const name = typed('text', pair[0], `a name in ${what}`);
    return [name, typed('text', pair[1], `the value of ${name}`)];
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
const countOrOptions = (names, given, what) =>
  typeof given === 'number' ? { count: given } : options(names, given, what, 'a number of ports, or an object of options');

module.exports = { DOCTOR, POOL, SOURCE, WANTED, countOrOptions, filePath, listOf, of, oneOrMore, oneOrMoreOf, options, pairs, typed };
