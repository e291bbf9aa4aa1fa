'use strict';

// The symbols of `using`, under the names that compilers use for engines without it.

module.exports = {
  dispose: Symbol.dispose ?? Symbol.for('Symbol.dispose'),
  asyncDispose: Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose'),
};
