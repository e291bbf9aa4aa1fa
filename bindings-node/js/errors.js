'use strict';

// The exceptions: one class for each stable code. Texts and codes are the core's; this file only gives each code its class.
// Made here and not by the addon, so that each realm, such as that of a test file in Jest, gets errors of its own classes. It
// knows no operation.

const { getSystemErrorMap } = require('node:util');

/** Marks the errors of every copy of this module, whichever realm loaded it. */
const BRAND = Symbol.for('portalloc.error');

class PortallocError extends Error {
  constructor({ code, message, remedy = '', ports = [], census, errno }) {
    super(remedy ? `${message}; ${remedy}` : message, typeof errno === 'number' ? { cause: systemError(errno) } : undefined);
    this.code = nodeCode(code);
    this.portallocCode = code;
    this.remedy = remedy;
    this.ports = Object.freeze([...ports]);
    if (census) this.census = require('./parsed.js').camelCased(census);
  }

  get [BRAND]() {
    return true;
  }

  // An error of another realm is portalloc's, too.
  static [Symbol.hasInstance](value) {
    return this === PortallocError ? value?.[BRAND] === true : Function.prototype[Symbol.hasInstance].call(this, value);
  }
}

class InvalidArgumentError extends PortallocError {}
class ArgumentTypeError extends InvalidArgumentError {}
class InvalidIdError extends PortallocError {}
class PoolExhaustedError extends PortallocError {}
class PortInUseError extends PortallocError {}
class NotFoundError extends PortallocError {}
class EnvironmentInUseError extends PortallocError {}
class EnvFileExistsError extends PortallocError {}
class IdExhaustedError extends PortallocError {}
class RegistryUnusableError extends PortallocError {}
class PermissionDeniedError extends PortallocError {}
class WaitTimeoutError extends PortallocError {}
class UnsupportedError extends PortallocError {}
class SystemCallError extends PortallocError {}
class InternalError extends PortallocError {}

const BY_CODE = Object.freeze({
  __proto__: null,
  invalid_argument: InvalidArgumentError,
  invalid_id: InvalidIdError,
  pool_exhausted: PoolExhaustedError,
  port_in_use: PortInUseError,
  not_found: NotFoundError,
  in_use: EnvironmentInUseError,
  env_file_exists: EnvFileExistsError,
  id_exhausted: IdExhaustedError,
  registry_unusable: RegistryUnusableError,
  permission_denied: PermissionDeniedError,
  timeout: WaitTimeoutError,
  unsupported: UnsupportedError,
  io: SystemCallError,
  internal: InternalError,
});

// By their own names, which bundlers and minifiers change.
const classes = {
  PortallocError,
  ArgumentTypeError,
  InvalidArgumentError,
  InvalidIdError,
  PoolExhaustedError,
  PortInUseError,
  NotFoundError,
  EnvironmentInUseError,
  EnvFileExistsError,
  IdExhaustedError,
  RegistryUnusableError,
  PermissionDeniedError,
  WaitTimeoutError,
  UnsupportedError,
  SystemCallError,
  InternalError,
};

for (const [name, Class] of Object.entries(classes)) {
  Object.defineProperty(Class, 'name', { value: name });
  Object.defineProperty(Class.prototype, 'name', { value: name, configurable: true, writable: true });
}

/** As Node's own errors have it in `error.code`. */
const nodeCode = (code) => `ERR_PORTALLOC_${code.toUpperCase()}`;

/** The operating system's error as Node's own, without the name of the system call, which is not known. */
function systemError(number) {
  const [code, text] = getSystemErrorMap().get(-number) ?? [`errno ${number}`, 'unknown error'];
  return Object.assign(new Error(`${code}: ${text}`), { errno: -number, code });
}

/**
 * The exception for what the addon threw. Its stack begins where `callee` was called. Anything that is not the core's error,
 * such as a bug of ours, is returned unchanged.
 */
function lifted(thrown, callee) {
  if (typeof thrown?.remedy !== 'string' || thrown[BRAND]) return thrown;
  const Class = BY_CODE[thrown.code] ?? PortallocError;
  const error = new Class(thrown);
  if (callee) Error.captureStackTrace(error, callee);
  return error;
}

/** The exception for an argument of the wrong type, and for what has no type at all, such as an option that does not exist. */
const refused = (message, remedy) => new ArgumentTypeError({ code: 'invalid_argument', message, remedy });

/** The exception for an argument of the wrong type. */
const wrongType = (what, needed, given) => refused(`${what} is ${shown(given)}`, `give ${needed}`);

/** The exception for a value that is right in type and cannot be used. */
const invalid = (message, remedy) => new InvalidArgumentError({ code: 'invalid_argument', message, remedy });

function shown(value) {
  if (value === null || value === undefined || typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return `the string ${JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}...` : value)}`;
  if (typeof value === 'bigint') return `the BigInt ${value}n`;
  if (typeof value === 'number') return `the number ${value}`;
  if (Array.isArray(value)) return 'an array';
  if (typeof value !== 'object') return `a ${typeof value}`;
  const kind = kindOf(value);
  return kind === 'Object' ? 'an object' : `an object of the kind ${kind}`;
}

/** `Object` of a literal and of most instances, `Map`, `Promise` and so on of those that have a kind, in any realm. */
const kindOf = (value) => Object.prototype.toString.call(value).slice(8, -1);

module.exports = { BY_CODE, classes, invalid, kindOf, lifted, refused, shown, wrongType };
