'use strict';

// Leases: the objects around the addon's numbers.

const { inspect } = require('node:util');
const given = require('./arguments.js');
const { callerInTest } = require('./caller.js');
const { lifted, refused, wrongType } = require('./errors.js');
const { native } = require('./native.js');
const { asyncDispose, dispose } = require('./symbols.js');
const variables = require('./variables.js');

/** Only this package makes leases. */
const OURS = Symbol('portalloc');

const LEASE = {
  ...given.WANTED,
  ...given.SOURCE,
  guard: given.of('flag'),
  stickyKey: given.of('text'),
  prefer: given.oneOrMoreOf('number'),
};
const LEASE_ASYNC = { ...LEASE, signal: given.of('signal') };
const FD = { type: given.of('text'), host: given.of('text'), listen: given.of('flag') };

const listed = (ports) => `${ports.length === 1 ? 'port' : 'ports'} ${ports.join(', ')}`;

class Lease {
  #number;
  /** A number where there is only one, until somebody asks for the list. */
  #ports;
  #released = false;

  constructor(ours, number, ports) {
    if (ours !== OURS) throw refused('new Lease() leases nothing', 'call lease()');
    this.#number = number;
    this.#ports = ports;
  }

  get ports() {
    this.#ports ??= native.leasePorts(this.#number);
    if (typeof this.#ports === 'number') this.#ports = [this.#ports];
    return Object.freeze(this.#ports);
  }

  get port() {
    const { ports } = this;
    return ports.length === 1 ? ports[0] : this.#native(native.leasePort);
  }

  get basePort() {
    return this.ports[0];
  }

  get released() {
    // The lease of an environment is released by its cleanup.
    return (this.#released ||= native.leaseIsReleased(this.#number));
  }

  get held() {
    return !this.#released && native.leaseIsHeld(this.#number);
  }

  release() {
    if (this.#released) return;
    const ports = this.#native(native.releaseLease, this.release);
    this.#ports ??= ports;
    this.#released = true;
  }

  guard() {
    this.#native(native.guardLease, this.guard);
  }

  shareGuard() {
    this.#native(native.shareGuard, this.shareGuard);
  }

  dropGuard() {
    this.#native(native.dropGuard, this.dropGuard);
  }

  get guardState() {
    return native.guardState(this.#number);
  }

  fd(index = 0, options = undefined) {
    const { type = 'tcp', host = '127.0.0.1', listen = true } = given.options(FD, options, 'fd()');
    if (type !== 'tcp' && type !== 'udp') throw wrongType('type', "'tcp' or 'udp'", type);
    return this.#native(native.leaseFd, this.fd, given.typed('number', index, 'index'), type === 'udp', host, listen);
  }

  inheritable() {
    return inheritableOf(this.#native(native.inheritLease, this.inheritable));
  }

  #native(call, callee, ...args) {
    try {
      return call(this.#number, ...args);
    } catch (error) {
      throw lifted(error, callee);
    }
  }

  [Symbol.iterator]() {
    return this.ports[Symbol.iterator]();
  }

  [dispose]() {
    this.release();
  }

  async [asyncDispose]() {
    this.release();
  }

  toJSON() {
    return { ports: this.ports, released: this.released, guardState: this.guardState };
  }

  toString() {
    return `[Lease ${listed(this.ports)}${this.released ? ', released' : ''}]`;
  }

  get [Symbol.toStringTag]() {
    return 'Lease';
  }

  [inspect.custom](_depth, options) {
    const shown = (value) => options.stylize(String(value), 'number');
    return `Lease { ${this.ports.map(shown).join(', ')}${this.released ? ' (released)' : ''} }`;
  }
}

class Inheritable {
  #copy;

  constructor(ours, copy) {
    if (ours !== OURS) throw refused('new Inheritable() copies nothing', 'call inheritable() of a lease or a hold');
    this.#copy = copy;
  }

  get fd() {
    return this.#copy.fd ?? undefined;
  }

  close() {
    this.#copy.close();
  }

  [dispose]() {
    this.close();
  }

  get [Symbol.toStringTag]() {
    return 'Inheritable';
  }

  [inspect.custom](_depth, options) {
    return `Inheritable { ${this.fd === undefined ? 'closed' : `fd: ${options.stylize(String(this.fd), 'number')}`} }`;
  }
}

/** The addon's options. */
function asked({ count, exact, offsets, scattered, pool, exclude, ...rest }, callee) {
  return { ...rest, at: callerInTest(callee), wanted: { count, exact, offsets, scattered }, place: variables.place(pool, exclude) };
}

function lease(countOrOptions) {
  try {
    const number =
      typeof countOrOptions === 'number' && variables.isProcess()
        ? native.leaseCount(countOrOptions, callerInTest(lease))
        : native.lease(asked(given.countOrOptions(LEASE, countOrOptions, 'lease()'), lease));
    return new Lease(OURS, number);
  } catch (error) {
    throw lifted(error, lease);
  }
}

async function leaseAsync(countOrOptions) {
  // Only now: most programs lease at once, and loading a file takes a third of a millisecond.
  const { cancellable } = require('./cancellable.js');
  const { signal, ...options } = given.countOrOptions(LEASE_ASYNC, countOrOptions, 'leaseAsync()');
  const wanted = asked(options, leaseAsync);
  const take = (wait) => native.leaseAsync(wait, wanted);
  return new Lease(OURS, await cancellable(signal, take, native.releaseLease));
}

const inheritableOf = (copy) => new Inheritable(OURS, copy);

/** The lease of an environment, whose cleanup ends it. */
const leaseOf = (number, ports) => new Lease(OURS, number, ports);

module.exports = { Inheritable, LEASE, Lease, inheritableOf, lease, leaseAsync, leaseOf, listed };
