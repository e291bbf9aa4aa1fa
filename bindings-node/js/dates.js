'use strict';

// Points in time, which cross as milliseconds since 1970.

/** The date; undefined where there is none. */
const date = (ms) => (ms === undefined || ms === null ? undefined : new Date(ms));

/** A copy of `record` in which those of `names` that are there are dates. */
function dated(record, ...names) {
  const copy = { ...record };
  for (const name of names) if (copy[name] !== undefined && copy[name] !== null) copy[name] = date(copy[name]);
  return copy;
}

module.exports = { date, dated };
