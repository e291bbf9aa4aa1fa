'use strict';

// npm runs this before it packs what the clone has, which lacks the licences, and whose addon is in packages of its own.

console.error(
  'portalloc: npm cannot pack a clone; `make dist-npm` builds and packs the package and those of its platforms into dist/npm, ' +
    'and `python3 -m packages.npm.local DIRECTORY` packs what `npm run build` has built',
);
process.exitCode = 1;
