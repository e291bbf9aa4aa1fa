'use strict';

// The exceptions: one class for each stable code, and the built-in one that handlers may know. The texts and the codes
// are the core's; this file only says which class each is. Made here and not by the addon, so that each realm, such as that
// of a test file in Jest, gets errors that are its own. It knows no operation.

/** Marks errors of every copy of this module, whichever realm it was loaded in. */
const BRAND = Symbol.for('portalloc.error');

/** What all have in common, over `Base`. */
const over = (Base) =>
  class extends Base {
    constructor({ code, message, remedy = '', ports = [], census } = {}) {
      super(remedy ? `${message}; ${remedy}` : message);
      this.code = code;
      this.remedy = remedy;
      this.ports = Object.freeze([...ports]);
      if (census) this.census = Object.freeze({ ...census });
    }

    get [BRAND]() {
      return true;
    }
  };

class PortallocError extends over(Error) {
  // One of another realm, and those that are a RangeError or a TypeError, are portalloc's all the same.
  static [Symbol.hasInstance](value) {
    return this === PortallocError ? value?.[BRAND] === true : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

class InvalidArgumentError extends over(RangeError) {}
class ArgumentTypeError extends over(TypeError) {}
class InvalidIdError extends over(RangeError) {}
class PoolExhaustedError extends PortallocError {}
class PortInUseError extends PortallocError {}
class NotFoundError extends PortallocError {}
class InUseError extends PortallocError {}
class EnvFileExistsError extends PortallocError {}
class IdExhaustedError extends PortallocError {}
class RegistryUnusableError extends PortallocError {}
class PermissionDeniedError extends PortallocError {}
class TimeoutError extends PortallocError {}
class UnsupportedError extends PortallocError {}
class IoError extends PortallocError {}
class InternalError extends PortallocError {}

const classes = {
  PortallocError,
  InvalidArgumentError,
  ArgumentTypeError,
  InvalidIdError,
  PoolExhaustedError,
  PortInUseError,
  NotFoundError,
  InUseError,
  EnvFileExistsError,
  IdExhaustedError,
  RegistryUnusableError,
  PermissionDeniedError,
  TimeoutError,
  UnsupportedError,
  IoError,
  InternalError,
};

for (const [name, Class] of Object.entries(classes)) {
  Object.defineProperty(Class.prototype, 'name', { value: name, configurable: true, writable: true });
}

const BY_CODE = Object.freeze({
  __proto__: null,
  invalid_argument: InvalidArgumentError,
  invalid_id: InvalidIdError,
  pool_exhausted: PoolExhaustedError,
  port_in_use: PortInUseError,
  not_found: NotFoundError,
  in_use: InUseError,
  env_file_exists: EnvFileExistsError,
  id_exhausted: IdExhaustedError,
  registry_unusable: RegistryUnusableError,
  permission_denied: PermissionDeniedError,
  timeout: TimeoutError,
  unsupported: UnsupportedError,
  io: IoError,
  internal: InternalError,
});

/**
 * The exception for what the addon threw. Its stack begins where `callee` was called. What is not the core's, such as a
 * defect of ours, stays as it is.
 */
function lifted(thrown, callee) {
  if (typeof thrown?.remedy !== 'string' || thrown[BRAND]) return thrown;
  const Class = BY_CODE[thrown.code] ?? PortallocError;
  const error = new Class(thrown);
  if (callee) Error.captureStackTrace(error, callee);
  return error;
}

/** The exception for an argument that is not of the type it must be. */
function wrongType(what, needed, given) {
  return new ArgumentTypeError({
    code: 'invalid_argument',
    message: `${what} is ${shown(given)}`,
    remedy: `give ${needed}`,
  });
}

function shown(value) {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `the text ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)}`;
  if (typeof value === 'bigint') return `the BigInt ${value}n`;
  if (typeof value === 'number') return `the number ${value}`;
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

module.exports = { BY_CODE, classes, lifted, wrongType };
