'use strict';

// The symbols of `using`, as those who translate it for engines without it look them up.

module.exports = {
  dispose: Symbol.dispose ?? Symbol.for('Symbol.dispose'),
  asyncDispose: Symbol.asyncDispose ?? Symbol.for('Symbol.asyncDispose'),
};
