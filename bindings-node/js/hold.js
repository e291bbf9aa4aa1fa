'use strict';

// Holds on environments: the objects around the addon's numbers.

const { inspect } = require('node:util');
const { lifted, refused } = require('./errors.js');
const { inheritableOf } = require('./lease.js');
const { native } = require('./native.js');
const { dispose } = require('./symbols.js');

/** Only this package makes holds. */
const OURS = Symbol('portalloc');

class Hold {
  #number;

  constructor(ours, number) {
    if (ours !== OURS) throw refused('new Hold() holds nothing', 'call hold() of an environment');
    this.#number = number;
  }

  inheritable() {
    try {
      return inheritableOf(native.inheritHold(this.#number));
    } catch (error) {
      throw lifted(error, this.inheritable);
    }
  }

  release() {
    native.releaseHold(this.#number);
  }

  get released() {
    return native.holdIsReleased(this.#number);
  }

  [dispose]() {
    this.release();
  }

  get [Symbol.toStringTag]() {
    return 'Hold';
  }

  [inspect.custom]() {
    return `Hold { ${this.released ? 'released' : 'held'} }`;
  }
}

const holdOf = (number) => new Hold(OURS, number);

module.exports = { Hold, holdOf };
