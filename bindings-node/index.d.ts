/// <reference lib="esnext.disposable" />

/**
 * Ports that are yours: leased, held in the kernel, and freed by the kernel when their holder is gone.
 *
 * ```js
 * const { port } = require('portalloc');
 *
 * server.listen(port()); // nobody else on this machine is given it until this process is gone
 * ```
 *
 * {@link port} gives a number and {@link lease} an object that gives its ports back; {@link Environment} gives ports with an
 * isolation ID, a temp dir, an env file and variables around them. What fails throws a {@link PortallocError} with a stable
 * `code`.
 *
 * **Blocking**: what returns no promise is done when it returns. A lease takes microseconds; only one with `timeoutMs`
 * waits, and stops all JavaScript of its thread meanwhile: use {@link leaseAsync} for that. What returns a promise runs on
 * a thread of its own, not in libuv's pool. **Units**: times are milliseconds, as everywhere in Node; ports and indices are
 * whole numbers. **Threads**: each worker thread has leases and environments of its own, which end with it, by
 * `terminate()` too; they cannot be sent to another. What {@link port} gives is the process's. **Garbage**: what you lose
 * sight of stays; nothing ends because an object was collected. **Processes**: a child process, by `fork()` or `cluster` too, begins
 * without leases; {@link Lease.inheritable} passes one on. **The end of the process**, by whatever signal, ends all
 * leases: the kernel does it. Held environments are cleaned up at the event `exit` of the process, so by `process.exit()`
 * and uncaught exceptions, too; after a signal only their files stay, until {@link cleanupStale}. **Variables**: each call
 * goes by `process.env` as its own code sees it, so a worker's copy or that of a test file in Jest counts; `TMPDIR` is
 * always the process's, and a variable that is deleted in a copy is looked up in the process's. **Warnings**, such as of a
 * pool that others use, are events `warning` of the process, each once, with the name `PortallocWarning` and a `code` that
 * begins with `PORTALLOC_`.
 *
 * @packageDocumentation
 */

/** The stable codes of all errors: the same in every language and on the command line. Codes are added, never renamed. */
export type ErrorCode =
  | 'invalid_argument'
  | 'invalid_id'
  | 'pool_exhausted'
  | 'port_in_use'
  | 'not_found'
  | 'in_use'
  | 'env_file_exists'
  | 'id_exhausted'
  | 'registry_unusable'
  | 'permission_denied'
  | 'timeout'
  | 'unsupported'
  | 'io'
  | 'internal';

/** How many ports of the pool are what. */
export interface Census {
  /** Ports that may be given out at all. */
  readonly pool: number;
  /** Held by a live process. */
  readonly held: number;
  /** Kept by a live environment. */
  readonly kept: number;
  /** Claimed by what is over; given out when needed. */
  readonly stale: number;
  /** Taken by programs that know nothing of portalloc. */
  readonly strangers: number;
  /** Not allowed to this user. */
  readonly denied: number;
  readonly free: number;
  /** The longest run of free ones. */
  readonly longest_run: number;
}

/**
 * Whatever went wrong: a stable {@link code}, what happened, and what to do next. `instanceof PortallocError` holds for
 * all, also for those that are a `RangeError` or a `TypeError` and for those of another realm, such as Jest's own.
 */
export class PortallocError extends Error {
  protected constructor();
  /** The stable code, which says the same as the class. */
  readonly code: ErrorCode;
  /** What to do next. `message` has it too, after what happened and a semicolon. */
  readonly remedy: string;
  /** For `port_in_use`: the ports that were not free. Empty for others. */
  readonly ports: readonly number[];
  /** For `pool_exhausted`, and `timeout` while waiting for ports. */
  readonly census?: Census;
}

/** A `RangeError`: a number, a text or a `PORTALLOC_*` variable is out of range or malformed. */
export class InvalidArgumentError extends RangeError {
  private constructor();
  readonly code: 'invalid_argument';
  readonly remedy: string;
  readonly ports: readonly number[];
  readonly census?: Census;
}

/** A `TypeError`: an argument is not of the type it must be, or there is no such option. */
export class ArgumentTypeError extends TypeError {
  private constructor();
  readonly code: 'invalid_argument';
  readonly remedy: string;
  readonly ports: readonly number[];
  readonly census?: Census;
}

/** A `RangeError`: the text is not an isolation ID, 12 lower-case hexadecimal digits. */
export class InvalidIdError extends RangeError {
  private constructor();
  readonly code: 'invalid_id';
  readonly remedy: string;
  readonly ports: readonly number[];
  readonly census?: Census;
}

/** No free run of that size is left in the pool; `census` says what its ports are doing. */
export class PoolExhaustedError extends PortallocError {
  private constructor();
  readonly code: 'pool_exhausted';
  readonly census: Census;
}

/** A specific port that was asked for is leased, or something is bound to it; `ports` says which. */
export class PortInUseError extends PortallocError {
  private constructor();
  readonly code: 'port_in_use';
}

/** No environment with that ID, or no such process. */
export class NotFoundError extends PortallocError {
  private constructor();
  readonly code: 'not_found';
}

/** The environment is held by a live process, so it cannot be cleaned up from outside. */
export class InUseError extends PortallocError {
  private constructor();
  readonly code: 'in_use';
}

/** The env file asked for exists and is not portalloc's to overwrite. */
export class EnvFileExistsError extends PortallocError {
  private constructor();
  readonly code: 'env_file_exists';
}

/** 999 isolation IDs in a row were taken: something is wrong with the random source or the registry. */
export class IdExhaustedError extends PortallocError {
  private constructor();
  readonly code: 'id_exhausted';
}

/** The registry folder is missing, replaced, damaged, full, or not trustworthy. */
export class RegistryUnusableError extends PortallocError {
  private constructor();
  readonly code: 'registry_unusable';
}

/** The operating system refused for lack of rights. */
export class PermissionDeniedError extends PortallocError {
  private constructor();
  readonly code: 'permission_denied';
}

/** The deadline passed. */
export class TimeoutError extends PortallocError {
  private constructor();
  readonly code: 'timeout';
}

/** Not available on this platform or kernel. */
export class UnsupportedError extends PortallocError {
  private constructor();
  readonly code: 'unsupported';
}

/** Any other failure of the operating system. */
export class IoError extends PortallocError {
  private constructor();
  readonly code: 'io';
}

/** A defect in portalloc itself, caught before it could end the process. */
export class InternalError extends PortallocError {
  private constructor();
  readonly code: 'internal';
}

/** Where ports come from. Else `PORTALLOC_POOL` and `PORTALLOC_EXCLUDE`, else `portalloc.toml`, else 20000-29999. */
export interface PoolOptions {
  /** Ports to give out, such as `'20000-29999,31000'`. */
  pool?: string | undefined;
  /** Ports never to give out, such as `'27017,28000-28010'`. */
  exclude?: string | undefined;
}

/** Which ports are wanted: at most one of `ports`, `offsets` and `scattered`. */
export interface WantedOptions {
  /** So many consecutive ports. */
  count?: number | undefined;
  /** Exactly these, in the pool or not. */
  ports?: Iterable<number> | undefined;
  /** A base and the ports at these distances from it, such as `[0, 1, 10000]`. */
  offsets?: Iterable<number> | undefined;
  /** `count` ports that need not be consecutive. */
  scattered?: boolean | undefined;
}

/** What a lease is asked for. */
export interface LeaseOptions extends WantedOptions, PoolOptions {
  /** Holds the ports against programs that know nothing of portalloc, too: see {@link Lease.guard}. */
  guard?: boolean | undefined;
  /** Prefers the ports that the same key was given before, on this machine. */
  sticky?: string | undefined;
  /** Milliseconds to wait for ports to come free; `Infinity` for as long as it takes. By default the call fails at once. */
  timeoutMs?: number | undefined;
}

/** What ends a wait early: an `AbortSignal`. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Of calls that wait. */
export interface SignalOption {
  /** Once it is aborted, the promise is rejected with its reason, and nothing of what was asked for is held. */
  signal?: AbortSignalLike | undefined;
}

/**
 * A port that nobody else is given until this process ends, or until {@link giveBack}: one line in place of `listen(0)`,
 * get-port and whatever else only looks for a free port. Takes microseconds.
 *
 * ```js
 * server.listen(port());
 * ```
 *
 * It costs one file descriptor and belongs to the process: any thread may give it back, and it outlives the worker that
 * asked for it. Helpers of test runners give it back at the end of the file that asked for it. Use {@link lease} for several
 * ports at once, for guards and sockets, and where a block or a test ends what it took.
 *
 * @throws as {@link lease}. {@link PoolExhaustedError}, and {@link IoError} at the limit of descriptors, say which lines of
 * this program have taken the most ports and not given them back.
 */
export function port(options?: PoolOptions): number;

/**
 * Gives back a port that {@link port} returned in this process. `false` if it is not one of those, or no longer: then
 * nothing happens. From here on others may be given it, so close your own sockets first.
 */
export function giveBack(port: number): boolean;

/**
 * Leases ports: nobody else is given them until they are released, or this process is gone, whichever comes first. One
 * port by default; a number asks for so many consecutive ones. Takes microseconds. With `timeoutMs` it waits, and stops
 * all JavaScript of this thread meanwhile: use {@link leaseAsync}.
 *
 * ```js
 * using web = lease();
 * server.listen(web.port);
 * ```
 *
 * @throws {@link InvalidArgumentError}, {@link ArgumentTypeError}, {@link PoolExhaustedError}, {@link PortInUseError},
 * {@link TimeoutError}, {@link RegistryUnusableError}, {@link PermissionDeniedError}, {@link IoError}
 */
export function lease(countOrOptions?: number | LeaseOptions): Lease;

/**
 * As {@link lease}, on a thread of its own: for waiting with `timeoutMs` while JavaScript goes on.
 *
 * Rejects as {@link lease} throws, and with the reason of `signal`.
 */
export function leaseAsync(countOrOptions?: number | (LeaseOptions & SignalOption)): Promise<Lease>;

/**
 * Ports that are nobody else's until they are released, or until the process that took them is gone, whichever comes
 * first: the kernel sees to it, SIGKILL included. Iterates over its ports; `using` releases it.
 *
 * It costs one file descriptor, which is closed on exec. It belongs to its thread: a worker's leases end with the worker.
 * Losing sight of it does not end it: `const { port } = lease()` holds the port until the process ends.
 */
export class Lease implements Iterable<number>, Disposable, AsyncDisposable {
  private constructor();

  /** The ports: ascending for a run, in the order asked for otherwise. Known also after the release. */
  readonly ports: readonly number[];
  /**
   * The port of a lease of one.
   * @throws {@link InvalidArgumentError} if there are several.
   */
  readonly port: number;
  /** The first port. */
  readonly basePort: number;
  /** Whether it was released. */
  readonly released: boolean;
  /**
   * Whether the ports are still this lease's: it was not released, and nobody has closed its descriptor, as programs do that
   * close all descriptors that they do not know.
   */
  readonly held: boolean;
  /** `'none'`, `'reuse'` (servers that set `SO_REUSEADDR`, as Node's do, can bind) or `'shut'` (nobody can). */
  readonly guardState: 'none' | 'reuse' | 'shut';

  /**
   * Gives the ports back. Again does nothing. From here on others may be given these ports, so close your own sockets
   * first. A lease that was passed on ends only when the last process that has it is gone.
   */
  release(): void;

  /**
   * Holds the ports by sockets, against programs that know nothing of portalloc: none of them, and no server of your own,
   * can bind the ports until {@link openGuard} or {@link dropGuard}. The sockets do not listen, so that clients are refused.
   * Two descriptors a port.
   * @throws {@link PortInUseError} if a stranger is there already; {@link InvalidArgumentError} once released.
   */
  guard(): void;

  /**
   * Lets servers that set `SO_REUSEADDR`, as Node's do, bind over the guard, which goes on keeping others off. UDP ports
   * are not guarded from then on. Without a guard does nothing.
   * @throws {@link InvalidArgumentError} once released.
   */
  openGuard(): void;

  /** Closes the guard's sockets, for servers that do not set `SO_REUSEADDR`. The lease stays. */
  dropGuard(): void;

  /**
   * The descriptor of a socket bound to the port at `index`, to hand to the server itself: `server.listen({ fd })`, or for
   * UDP `socket.bind({ fd })`. Nobody can come in between: a TCP socket is bound over a guard of this lease.
   *
   * It is yours: a server that it was given to closes it with `server.close()`; one that was given to nobody is closed by
   * `fs.closeSync(fd)`. It outlives the lease, so close it before you release the port. Child processes do not inherit it.
   * In a `cluster` worker, `listen({ fd })` means a descriptor of the primary: call this there, or listen by port.
   *
   * @throws {@link PortInUseError} if a stranger was there first; {@link InvalidArgumentError}, {@link IoError}.
   */
  fd(
    index?: number,
    options?: {
      /** By default `'tcp'`. */
      type?: 'tcp' | 'udp' | undefined;
      /** An IP address of this machine, or `'localhost'`, which is 127.0.0.1, the default; `'::'` for every address. */
      host?: string | undefined;
      /** Whether a TCP socket listens already; by default it does. */
      listen?: boolean | undefined;
    },
  ): number;

  /**
   * Lets child processes inherit the lease: those that are started until the result is closed. From then on it lives until
   * this process and every one that inherited it have let go of it or ended, and a release gives up only this process's
   * part in it. Guards are not passed on.
   *
   * ```js
   * using passed = lease.inheritable();
   * const child = spawn('server', [], { stdio: ['inherit', 'inherit', 'inherit', passed.fd] });
   * ```
   *
   * @throws {@link InvalidArgumentError} once released; {@link IoError} at the descriptor limit.
   */
  inheritable(): Inheritable;

  toJSON(): { ports: readonly number[]; released: boolean; guardState: string };
  toString(): string;
  [Symbol.iterator](): IterableIterator<number>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A copy of a lease's descriptor, inherited by the child processes that are started while it is open. */
export class Inheritable implements Disposable {
  private constructor();
  /** The descriptor, for `stdio`; `undefined` once closed. A child inherits it under this number, too. */
  readonly fd: number | undefined;
  /** Closes this copy. Again does nothing. */
  close(): void;
  [Symbol.dispose](): void;
}

/** What an environment of this run is asked for. What is not given, `portalloc.toml` in its work tree may say. */
export interface CurrentOptions extends PoolOptions {
  /** So many ports; else as many as names, else five. */
  count?: number | undefined;
  /** Names for the first ports; `'postgres'` becomes the variable `POSTGRES_PORT`. */
  names?: Iterable<string> | undefined;
  /** What tells it from others of its work tree. */
  instanceId?: string | undefined;
  /** An existing folder; else the current one. */
  worktree?: string | URL | undefined;
  /** `true` (default) for `.env.isolation` in the work tree, `.env.isolation.<id>` if taken; `false`; or this very path. */
  envFile?: boolean | string | URL | undefined;
  /** Prefers the ports that the same work tree, instance ID and names had before. */
  sticky?: boolean | undefined;
  /** Milliseconds to wait for ports to come free. By default the call fails at once. */
  timeoutMs?: number | undefined;
}

/** What an environment is asked for. */
export interface EnvironmentOptions extends CurrentOptions, WantedOptions {
  /** Outlives this process, until a cleanup, its TTL or the end of its owner. */
  kept?: boolean | undefined;
  /** Milliseconds after which a kept one is over. */
  ttlMs?: number | undefined;
  /** The process whose end ends a kept one. */
  ownerPid?: number | undefined;
  /** As for {@link lease}; not for a kept one. */
  guard?: boolean | undefined;
}

/** How variables are written. `'shell'` is safe to `eval`. */
export type Syntax = 'shell' | 'fish' | 'powershell' | 'dotenv' | 'github';

/**
 * An isolation ID with a lease, a temp dir, an env file and variables around it, made and removed as one.
 *
 * A *held* one lives until {@link cleanup}, the end of its `using` block, the end of its thread, or the event `exit` of the
 * process, which remove it. Losing sight of the object does not end it. After a signal that ends the process its ports are
 * free, and its files stay until {@link cleanupStale}. A *kept* one outlives the process. It belongs to its thread, as a
 * {@link Lease} does.
 */
export class Environment implements Disposable, AsyncDisposable {
  private constructor();

  /**
   * Makes an environment. If it fails, nothing of it is left. Takes a fraction of a millisecond; with `timeoutMs` it stops
   * all JavaScript of this thread while it waits.
   * @throws as {@link lease}, and {@link NotFoundError} (owner), {@link EnvFileExistsError}, {@link IdExhaustedError}.
   */
  static create(countOrOptions?: number | EnvironmentOptions): Environment;

  /** As {@link create}, on a thread of its own. Rejects as that throws, and with the reason of `signal`. */
  static createAsync(countOrOptions?: number | (EnvironmentOptions & SignalOption)): Promise<Environment>;

  /**
   * The live environment with this ID, or with that in the variable `ISOLATION_ID`, to read its ports, names and temp dir.
   * Nothing that happens to the returned object ends the environment, but its {@link cleanup}.
   * @throws {@link InvalidIdError}; {@link NotFoundError} if there is none or it is over; {@link PermissionDeniedError} if
   * it is another user's; {@link RegistryUnusableError}, {@link IoError}.
   */
  static attach(id?: string): Environment;

  /**
   * The environment of this run: the one that the variable `ISOLATION_ID` names, if that lives; else a new one as asked
   * for, whose variables are set in `process.env`, so that the processes started from here on share it. They are removed
   * again when it is cleaned up.
   * @throws as {@link create} and {@link attach}.
   */
  static current(countOrOptions?: number | CurrentOptions): Environment;

  /** Its isolation ID: 12 lower-case hexadecimal digits. */
  readonly id: string;
  /** Its ports, in the order of the names. */
  readonly ports: readonly number[];
  /** The first port. */
  readonly basePort: number;
  /** The names of the first ports. */
  readonly names: readonly string[];
  /**
   * The port of this name, or at this index.
   * @throws {@link InvalidArgumentError} if there is none.
   */
  port(name: string | number): number;
  /** Its temp dir, made with mode 0700; removed by the cleanup with all that is in it. */
  readonly tempDir: string;
  /** Its env file, if it has one. */
  readonly envFile: string | undefined;
  /** The work tree it was made for. */
  readonly worktreePath: string;
  /** What tells it from others of its work tree; may be empty. */
  readonly instanceId: string;
  readonly lifetime: 'held' | 'kept';
  readonly createdAt: Date;
  /** When its TTL is over, if it has one. */
  readonly expiresAt: Date | undefined;
  /** Its variables, in the order in which they are written: a new object each time. */
  readonly variables: Record<string, string>;
  /** The lease of a held one that this thread made, until the cleanup: guards, hand-off, passing it on. */
  readonly lease: Lease | undefined;

  /** Its variables as a text, by default for `shell`. */
  render(syntax?: Syntax): string;

  /**
   * Removes its temp dir, env file and record, and gives the ports back. Again does nothing. An attached one is removed
   * too, if it is a kept one.
   * @throws {@link InUseError} if another process holds it; {@link PermissionDeniedError}, {@link IoError},
   * {@link RegistryUnusableError}: then it can be repeated.
   */
  cleanup(): void;

  toJSON(): {
    id: string;
    ports: readonly number[];
    names: readonly string[];
    tempDir: string;
    envFile: string | undefined;
    worktreePath: string;
    instanceId: string;
    lifetime: 'held' | 'kept';
    createdAt: Date;
    expiresAt: Date | undefined;
  };
  toString(): string;
  /** Cleans up what this process made; an attached one is left alone. */
  [Symbol.dispose](): void;
  /** The same on a thread of its own, for temp dirs with much in them. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** An environment as the registry shows it. */
export interface EnvironmentInfo {
  id: string;
  /** `'stale'`: its holder, TTL or owner is gone. `'damaged'`: labels are missing; see `portalloc reconcile`. */
  status: 'active' | 'stale' | 'damaged';
  /** Why it is not active. */
  reason?: string;
  /** None if its record is broken. */
  lifetime?: 'held' | 'kept';
  /** In the order of the names. */
  ports: number[];
  names: string[];
  createdAt?: Date;
  expiresAt?: Date;
  /** The process that made a held one, or the owner of a kept one. */
  holderPid?: number;
  /** That process's command name, while it runs. */
  holderName?: string;
  userId: number;
  /** None of another user's, as are the following. */
  instanceId?: string;
  worktreePath?: string;
  tempDir?: string;
  envFile?: string;
}

/** A live lease that belongs to no environment. */
export interface LeaseInfo {
  /** Ascending. */
  ports: number[];
  /** The process that took it. */
  holderPid?: number;
  holderName?: string;
  userId: number;
  since: Date;
}

/** All environments of this network namespace, oldest first. Nothing is locked or changed. */
export function environments(): EnvironmentInfo[];

/** All live leases that belong to no environment, by port. Nothing is locked or changed. */
export function leases(): LeaseInfo[];

/**
 * Removes an environment, kept or stale, from any folder; returns whether there was one.
 * @throws {@link InvalidIdError}; {@link InUseError} if a live process holds it; {@link PermissionDeniedError},
 * {@link RegistryUnusableError}, {@link IoError}.
 */
export function cleanup(id: string): boolean;

/**
 * Removes what is over: stale environments of this user, and what crashes have left. Returns the IDs of those removed.
 * Never touches a live one.
 */
export function cleanupStale(): string[];

/** What a check of an environment found. */
export interface Validation {
  /** Whether every check passed. */
  valid: boolean;
  /** Each part, with why it failed, if it did. */
  checks: { name: 'record' | 'temp_dir' | 'env_file' | 'lease'; failure?: string }[];
  /** Each port, with whether some program has a socket on it, as a server of the environment would. */
  ports: { port: number; inUse: boolean }[];
}

/**
 * Checks record, temp dir, env file and lease of an environment of this user, and looks at its ports.
 * @throws {@link InvalidIdError}, {@link NotFoundError}, {@link PermissionDeniedError}.
 */
export function validate(id: string): Validation;

/**
 * Whether a lease of this port could be had at this moment: not leased, and nothing bound to it, TCP or UDP, on any
 * address. What is free now may be taken a moment later: to have a port, lease it.
 */
export function isFree(port: number): boolean;

/** Of waits for ports. */
export interface WaitOptions extends SignalOption {
  /** Milliseconds, 30000 by default; 0 looks once, `Infinity` waits for as long as it takes. */
  timeoutMs?: number | undefined;
}

/**
 * Waits until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1. Rejects with
 * {@link TimeoutError}, which says of each port that is not there what was seen last, or with the reason of `signal`.
 */
export function waitFor(ports: number | Iterable<number>, options?: WaitOptions): Promise<void>;

/**
 * Waits until nothing is bound to any of the ports: TCP or UDP, on any address, listening or not, TIME_WAIT included.
 * Whether a port is leased makes no difference. Rejects as {@link waitFor}.
 */
export function waitFree(ports: number | Iterable<number>, options?: WaitOptions): Promise<void>;

/** A process that has a socket on a port, or took its lease. */
export interface Holder {
  /** Of one that only has the lease, as seen from its own PID namespace. */
  readonly pid: number;
  /** Its command name, where it can be read from here. */
  readonly name?: string;
  /** Its command line, if it has a socket on the port. May hold any characters. */
  readonly command?: string;
  /** The user it runs as, by name or else by number. */
  readonly user?: string;
  readonly startedAt?: Date;
  /** Whether it took the port's lease. */
  readonly leased: boolean;
  /** Whether clients can reach it. */
  readonly listening: boolean;
}

/** A socket on a port. */
export interface SocketInfo {
  readonly protocol: 'tcp' | 'udp';
  /** Its address on this machine, such as `127.0.0.1:8080`. */
  readonly local: string;
  /** The other end, if it is connected. */
  readonly remote?: string;
  /** `listen`, `established`, `bound` (TCP, neither), `unconnected` (UDP), `time_wait`, and TCP's others. */
  readonly state: string;
  /** The processes that have it open, as far as this one may see. */
  readonly pids: number[];
}

/** Who is on a port. As text it is one sentence; iterates over the processes. */
export class PortReport implements Iterable<Holder> {
  private constructor();
  readonly port: number;
  /** One sentence: who is on it, since when, and the lease or environment that has it. */
  readonly message: string;
  /** Whether there is a socket on it. */
  readonly inUse: boolean;
  /** Whether a lease or an environment has it. */
  readonly leased: boolean;
  /** The environment that has it, if one has. */
  readonly isolationId?: string;
  readonly lifetime?: 'held' | 'kept';
  /** The process that took the lease, by its ID in its own PID namespace. It may have been passed on since. */
  readonly leasedBy?: number;
  readonly leasedSince?: Date;
  readonly sockets: readonly SocketInfo[];
  readonly holders: readonly Holder[];
  /** Whether the kernel shows every kind of socket; before Linux 6.8 it does not show some that are only bound. */
  readonly complete: boolean;
  toString(): string;
  [Symbol.iterator](): IterableIterator<Holder>;
}

/**
 * Who is on a port: processes, sockets, and the lease or environment that has it. Nothing is locked, probed or changed.
 * Processes of other users can be seen by root only.
 */
export function who(port: number): PortReport;

/** The registry and the pool that calls go by. */
export interface Settings {
  /** The registry's folder, in which all leases of this machine meet. */
  directory: string;
  /** The pool as it was asked for, such as `20000-29999`. */
  pool: string;
  /** The ports that may be given out: the pool without the kernel's ephemeral range, known services, and exclusions. */
  ports: string;
  /** How many those are. */
  count: number;
  /** What a user should know about this pool. */
  warnings: string[];
  /** The project file `portalloc.toml` of the current folder or one above it. */
  project?: string;
}

/** The registry and the pool that calls from the current folder go by. */
export function settings(options?: PoolOptions): Settings;

/** Writes variables, by name or as pairs, a line each, whatever the values contain; by default for `shell`. */
export function render(variables: Readonly<Record<string, string>> | Iterable<readonly [string, string]>, syntax?: Syntax): string;

/**
 * The text, if it is an isolation ID: 12 lower-case hexadecimal digits.
 * @throws {@link InvalidIdError}
 */
export function parseId(text: string): string;

/** The stable codes of all errors, in the order of the documentation. */
export const errorCodes: readonly ErrorCode[];

/** The version of the package. */
export const version: string;
