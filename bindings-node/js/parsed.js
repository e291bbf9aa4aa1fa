'use strict';

// The core's JSON as JavaScript writes it: keys in camelCase, points in time as dates, and no key where the value is null.
// Knows no call.

const TIME = /(?:^|_)(?:at|since)$/;

const camelCase = (name) => name.replace(/_(\w)/g, (_all, letter) => letter.toUpperCase());

/** A frozen copy of an object with its keys in camelCase. */
function camelCased(record) {
  const known = Object.entries(record).filter(([, value]) => value !== null);
  return Object.freeze(Object.fromEntries(known.map(([key, value]) => [camelCase(key), value])));
}

/** What the JSON says, frozen. */
const parsed = (json) =>
  JSON.parse(json, (key, value) => {
    if (typeof value === 'string') return TIME.test(key) ? new Date(value) : value;
    if (Array.isArray(value)) return Object.freeze(value);
    return value !== null && typeof value === 'object' ? camelCased(value) : value;
  });

module.exports = { camelCase, camelCased, parsed };
