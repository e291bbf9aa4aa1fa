/// <reference lib="esnext.disposable" />

/**
 * Leases ports: while you hold one, no other process on this machine is given it.
 *
 * ```js
 * const { port } = require('portalloc');
 *
 * server.listen(port()); // nobody else on this machine is given it until this process ends
 * ```
 *
 * {@link port} returns a number, {@link lease} an object that gives its ports back, and {@link createEnvironment} ports with an
 * isolation ID, a temp directory, variables and an env file around them. Every failure is a {@link PortallocError}.
 *
 * - **Blocking**: a call that returns no promise is done when it returns. A lease takes microseconds; only one with `waitMs`
 *   waits, and blocks JavaScript meanwhile: use {@link leaseAsync} for that. A call that returns a promise runs on a thread of its
 *   own, not in libuv's pool.
 * - **Units**: times are milliseconds, as everywhere in Node; ports and indices are whole numbers.
 * - **Threads**: each worker thread has its own leases and environments, which end with it, by `terminate()` too, and cannot be
 *   sent to another thread. Ports of {@link port} belong to the process.
 * - **Garbage collection** ends nothing: a lease that your code no longer refers to stays.
 * - **Child processes**, by `fork()` or `cluster` too, start without leases; {@link Lease.inheritable} lets them inherit one.
 * - **The end of the process**, by any signal, ends all leases: the kernel does it. Held environments are cleaned up at the event
 *   `exit` of the process, so also by `process.exit()` and uncaught exceptions. After a signal their files stay until
 *   {@link cleanupStale}.
 * - **Variables**: each call uses `process.env` as its own code sees it, so the copy of a worker thread, of a test file in Jest, or
 *   of Bun counts. `TMPDIR` is always the process's, and a variable that is missing in a copy is looked up in the process.
 * - **Warnings**, such as of a pool that other programs use, are events `warning` of the process, each once, with the name
 *   `PortallocWarning` and a `code` that begins with `PORTALLOC_`.
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

/** The number of ports of the pool in each state. */
export interface Census {
  /** All ports that may be given out. */
  readonly pool: number;
  /** Held by a live process. */
  readonly held: number;
  /** Kept by a live environment. */
  readonly kept: number;
  /** Claimed by a stale environment; given out when needed. */
  readonly stale: number;
  /** In use by foreign processes, which do not use portalloc. */
  readonly foreign: number;
  /** Not allowed to this user. */
  readonly denied: number;
  readonly free: number;
  /** The longest run of free ones. */
  readonly longestRun: number;
}

/** An error of the operating system, as Node's own errors. */
export interface SystemErrorCause extends Error {
  /** The negated error number, such as -13. */
  readonly errno: number;
  /** Its name, such as `'EACCES'`. */
  readonly code: string;
}

/**
 * The class of all errors of this package: a code, what happened, and what to do next. `instanceof PortallocError` also holds for
 * errors of another realm, such as that of a test file in Jest.
 */
export class PortallocError extends Error {
  protected constructor();
  /** The code as Node's own errors have it, such as `'ERR_PORTALLOC_PORT_IN_USE'`. */
  readonly code: `ERR_PORTALLOC_${Uppercase<ErrorCode>}`;
  /** The stable code, such as `'port_in_use'`. */
  readonly portallocCode: ErrorCode;
  /** What to do next. `message` contains it, too, after what happened and a semicolon. */
  readonly remedy: string;
  /** For `port_in_use`: the ports that were not free. Empty for other errors. */
  readonly ports: readonly number[];
  /** For `pool_exhausted`, and for `timeout` of a wait for ports. */
  readonly census?: Census;
  /** The operating system's error, if that was the reason. */
  readonly cause?: SystemErrorCause;
}

/** A number, a string or a `PORTALLOC_*` variable is out of range or malformed. */
export class InvalidArgumentError extends PortallocError {
  protected constructor();
  readonly code: 'ERR_PORTALLOC_INVALID_ARGUMENT';
  readonly portallocCode: 'invalid_argument';
}

/** An argument has the wrong type, or an option does not exist. */
export class ArgumentTypeError extends InvalidArgumentError {
  private constructor();
}

/** The string is not an isolation ID: 12 lower-case hexadecimal digits. */
export class InvalidIdError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_INVALID_ID';
  readonly portallocCode: 'invalid_id';
}

/** The pool has no free run of that size; `census` says what its ports are doing. */
export class PoolExhaustedError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_POOL_EXHAUSTED';
  readonly portallocCode: 'pool_exhausted';
  readonly census: Census;
}

/** An exact port that was asked for is leased, or a process has it bound; `ports` says which. */
export class PortInUseError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_PORT_IN_USE';
  readonly portallocCode: 'port_in_use';
}

/** No environment has that ID, or there is no such process. */
export class NotFoundError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_NOT_FOUND';
  readonly portallocCode: 'not_found';
}

/** A live process holds the environment, so no other process can clean it up. */
export class EnvironmentInUseError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_IN_USE';
  readonly portallocCode: 'in_use';
}

/** The env file that was asked for exists, and portalloc did not write it. */
export class EnvFileExistsError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_ENV_FILE_EXISTS';
  readonly portallocCode: 'env_file_exists';
}

/** 999 isolation IDs in a row existed already: something is wrong with the random source or the registry. */
export class IdExhaustedError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_ID_EXHAUSTED';
  readonly portallocCode: 'id_exhausted';
}

/** The registry's directory is missing, replaced, damaged, full, or not trustworthy. */
export class RegistryUnusableError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_REGISTRY_UNUSABLE';
  readonly portallocCode: 'registry_unusable';
}

/** The operating system refused for lack of permission. */
export class PermissionDeniedError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_PERMISSION_DENIED';
  readonly portallocCode: 'permission_denied';
}

/** The wait ended without success. */
export class WaitTimeoutError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_TIMEOUT';
  readonly portallocCode: 'timeout';
}

/** Not available on this platform or kernel, or no addon is installed for it: the message says which and what to do. */
export class UnsupportedError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_UNSUPPORTED';
  readonly portallocCode: 'unsupported';
}

/** Any other failure of the operating system; see `cause`. */
export class SystemCallError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_IO';
  readonly portallocCode: 'io';
}

/** A bug in portalloc itself, caught before it could end the process. */
export class InternalError extends PortallocError {
  private constructor();
  readonly code: 'ERR_PORTALLOC_INTERNAL';
  readonly portallocCode: 'internal';
}

/** Where ports come from. By default `PORTALLOC_POOL` and `PORTALLOC_EXCLUDE`, else `portalloc.toml`, else 20000-29999. */
export interface PoolOptions {
  /** Ports to give out, such as `'20000-29999,31000'`. */
  pool?: string | undefined;
  /** Ports never to give out, such as `'27017,28000-28010'`. */
  exclude?: string | undefined;
}

/** Which ports are wanted: at most one of `exact`, `offsets` and `scattered`. */
export interface WantedOptions {
  /** The number of ports, which are consecutive by default. */
  count?: number | undefined;
  /** Exactly these ports, in the pool or not. */
  exact?: Iterable<number> | undefined;
  /** A base port and the ports at these distances from it, such as `[0, 1, 10000]`. */
  offsets?: Iterable<number> | undefined;
  /** Whether the `count` ports need not be consecutive. */
  scattered?: boolean | undefined;
}

/** Options of a lease. */
export interface LeaseOptions extends WantedOptions, PoolOptions {
  /** Whether to guard the ports against foreign processes, too: see {@link Lease.guard}. */
  guard?: boolean | undefined;
  /** Prefers the ports that the same key was given before on this machine. */
  stickyKey?: string | undefined;
  /** A first port to try before all others, or several in this order, in the pool or not. */
  prefer?: number | Iterable<number> | undefined;
  /** Milliseconds to wait for ports to come free; `Infinity` waits without a limit. By default the call fails at once. */
  waitMs?: number | undefined;
}

/** An `AbortSignal`, which ends a wait early. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  throwIfAborted(): void;
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: 'abort', listener: () => void): void;
}

/** Option of calls that wait. */
export interface SignalOption {
  /** When it is aborted, the promise is rejected with its reason, and nothing stays leased. */
  signal?: AbortSignalLike | undefined;
}

/**
 * Returns a port that nobody else is given until this process ends, or until {@link giveBack}. It replaces `listen(0)`, get-port
 * and everything else that only looks for a free port. Takes microseconds.
 *
 * ```js
 * server.listen(port());
 * ```
 *
 * It costs one file descriptor and belongs to the process: any thread may give it back, and it outlives the worker that asked for
 * it. Helpers of test runners give it back at the end of the file that asked for it. Use {@link lease} for several ports at once,
 * for guards and sockets, and to release ports at the end of a block or a test.
 *
 * @throws as {@link lease}. {@link PoolExhaustedError}, and {@link SystemCallError} at the limit of descriptors, name the lines of
 * this program that have taken the most ports and not given them back.
 */
export function port(options?: PoolOptions): number;

/**
 * Gives back a port that {@link port} returned in this process. Returns `false`, and does nothing, if it is not such a port, or
 * was given back before. From here on others may be given it, so close your own sockets first.
 */
export function giveBack(port: number): boolean;

/**
 * Leases ports: nobody else is given them until they are released or this process ends. One port by default; a number asks for so
 * many consecutive ones. Takes microseconds. With `waitMs` it waits, and blocks JavaScript meanwhile: use {@link leaseAsync}.
 *
 * ```js
 * using web = lease();
 * server.listen(web.port);
 * ```
 *
 * @throws {@link InvalidArgumentError}, {@link ArgumentTypeError}, {@link PoolExhaustedError}, {@link PortInUseError},
 * {@link WaitTimeoutError}, {@link RegistryUnusableError}, {@link PermissionDeniedError}, {@link SystemCallError}
 */
export function lease(countOrOptions?: number | LeaseOptions): Lease;

/**
 * As {@link lease}, on a thread of its own: to wait with `waitMs` while JavaScript goes on.
 *
 * Rejects as {@link lease} throws, and with the reason of `signal`.
 */
export function leaseAsync(countOrOptions?: number | (LeaseOptions & SignalOption)): Promise<Lease>;

/**
 * Ports that nobody else is given until they are released or the process that took them ends. The kernel enforces it, SIGKILL
 * included. Iterates over its ports; `using` releases it.
 *
 * It costs one file descriptor, which is closed on exec. It belongs to its thread: the leases of a worker end with the worker.
 * Garbage collection does not end it: `const { port } = lease()` holds the port until the thread ends.
 */
export class Lease implements Iterable<number>, Disposable, AsyncDisposable {
  private constructor();

  /** The ports: ascending for a run, in the order asked for otherwise. Also known after the release. */
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
   * Whether it still holds its ports: it was not released, and its descriptor is open. A program that closes all descriptors that
   * it does not know, as daemons do, ends its leases by that.
   */
  readonly held: boolean;
  /**
   * `'none'`: any program can bind the ports. `'shared'`: only servers that set `SO_REUSEADDR`, as Node's do. `'exclusive'`: no
   * program.
   */
  readonly guardState: 'none' | 'shared' | 'exclusive';

  /**
   * Gives the ports back. Safe to call twice. From here on others may be given these ports, so close your own sockets first. An
   * inherited lease ends when the last process that has it ends or releases it.
   */
  release(): void;

  /**
   * Guards the ports by sockets against foreign processes: no program, your own servers included, can bind the ports until
   * {@link shareGuard} or {@link dropGuard}. The sockets do not listen, so connections are refused. Costs two descriptors a port.
   * @throws {@link PortInUseError} if a foreign process has bound one already; {@link InvalidArgumentError} once released.
   */
  guard(): void;

  /**
   * Lets servers that set `SO_REUSEADDR`, as Node's do, bind the ports; the guard still keeps others off. UDP ports are not guarded
   * from then on. Without a guard it does nothing.
   * @throws {@link InvalidArgumentError} once released.
   */
  shareGuard(): void;

  /** Closes the guard's sockets, for servers that do not set `SO_REUSEADDR`. The lease stays. */
  dropGuard(): void;

  /**
   * Makes a socket that is bound to the port at `index`, and returns its descriptor, to pass to a server: `server.listen({ fd })`,
   * or for UDP `socket.bind({ fd })`. No other program can bind the port in between; a guard of this lease does not prevent it.
   *
   * The descriptor is yours. A server that uses it closes it by `server.close()`; otherwise call `fs.closeSync(fd)`. It outlives the
   * lease, so close it before you release the port. Child processes do not inherit it. In a `cluster` worker, `listen({ fd })` means
   * a descriptor of the primary: call this there, or listen by port.
   *
   * @throws {@link PortInUseError} if a foreign process was faster; {@link InvalidArgumentError}, {@link SystemCallError}.
   */
  fd(
    index?: number,
    options?: {
      /** By default `'tcp'`. */
      type?: 'tcp' | 'udp' | undefined;
      /** An IP address of this machine, or `'localhost'`, which is 127.0.0.1, the default; `'::'` for every address. */
      host?: string | undefined;
      /** Whether a TCP socket listens already, which is the default. */
      listen?: boolean | undefined;
    },
  ): number;

  /**
   * Lets child processes inherit the lease: those that are started until the result is closed. The lease then lasts until this
   * process and every child that inherited it have released it or ended. Guards are not inherited.
   *
   * ```js
   * using copy = lease.inheritable();
   * const child = spawn('server', [], { stdio: ['inherit', 'inherit', 'inherit', copy.fd] });
   * ```
   *
   * @throws {@link InvalidArgumentError} once released; {@link SystemCallError} at the descriptor limit.
   */
  inheritable(): Inheritable;

  toJSON(): { ports: readonly number[]; released: boolean; guardState: string };
  toString(): string;
  [Symbol.iterator](): IterableIterator<number>;
  [Symbol.dispose](): void;
  [Symbol.asyncDispose](): Promise<void>;
}

/** A copy of the descriptor of a lease or a hold, which child processes inherit that are started while it is open. */
export class Inheritable implements Disposable {
  private constructor();
  /** The descriptor, for `stdio`; `undefined` once closed. A child also inherits it under this number. */
  readonly fd: number | undefined;
  /** Closes this copy. Safe to call twice. */
  close(): void;
  [Symbol.dispose](): void;
}

/** Options of every environment. An option that is not given comes from `portalloc.toml` in the worktree, if set there. */
export interface CommonEnvironmentOptions extends PoolOptions {
  /** The number of ports; by default one for each name, else five. */
  count?: number | undefined;
  /** Names for the first ports; `'postgres'` becomes the variable `POSTGRES_PORT`. */
  names?: Iterable<string> | undefined;
  /** Tells the environment from others of its worktree. */
  instanceId?: string | undefined;
  /** An existing directory; by default the nearest one upwards with a `.git`, else that of `portalloc.toml`, else the current one. */
  worktree?: string | URL | undefined;
  /** Prefers the ports that the same worktree, instance ID and names had before. */
  sticky?: boolean | undefined;
  /** A first port to try before all others, or several in this order, in the pool or not. */
  prefer?: number | Iterable<number> | undefined;
  /** Milliseconds to wait for ports to come free. By default the call fails at once. */
  waitMs?: number | undefined;
}

/** Options of {@link currentEnvironment}. */
export interface CurrentOptions extends CommonEnvironmentOptions {
  /**
   * `true` writes `.env.isolation` in the worktree, or `.env.isolation.<id>` if that is in use; a path writes that file. By default
   * no env file is written.
   */
  envFile?: boolean | string | URL | undefined;
}

/** Options of {@link worktreeEnvironment}. All but the first two apply when it is made. It is sticky by default. */
export interface WorktreeOptions extends CommonEnvironmentOptions, WantedOptions {
  /** `false` returns `null` where there is none yet. */
  create?: boolean | undefined;
  /**
   * Moves it to other ports if it has others than `portalloc.toml` or the options say by now, or if somebody else's program is on
   * one of them.
   */
  repair?: boolean | undefined;
}

/** Options of an environment. */
export interface EnvironmentOptions extends CurrentOptions, WantedOptions {
  /** Whether it outlives this process, until a cleanup, its TTL or the end of its owner. */
  kept?: boolean | undefined;
  /** Milliseconds until a kept one ends. */
  ttlMs?: number | undefined;
  /** The process whose end ends a kept one. */
  ownerPid?: number | undefined;
  /** As for {@link lease}; only for a held one. */
  guard?: boolean | undefined;
}

/** How variables are written. `'shell'` is safe to `eval`. */
export type Syntax = 'shell' | 'fish' | 'powershell' | 'dotenv' | 'github';

/**
 * Makes an environment: an isolation ID with a lease, a temp directory, variables, and perhaps an env file. If it fails, nothing
 * is left. Takes a fraction of a millisecond; with `waitMs` it waits, and blocks JavaScript meanwhile.
 *
 * ```js
 * using environment = createEnvironment({ names: ['web', 'db'] });
 * server.listen(environment.port('web'));
 * ```
 *
 * @throws as {@link lease}, and {@link NotFoundError} (owner), {@link EnvFileExistsError}, {@link IdExhaustedError}.
 */
export function createEnvironment(countOrOptions?: number | EnvironmentOptions): Environment;

/** As {@link createEnvironment}, on a thread of its own. Rejects as that throws, and with the reason of `signal`. */
export function createEnvironmentAsync(countOrOptions?: number | (EnvironmentOptions & SignalOption)): Promise<Environment>;

/**
 * The live environment with this ID, by default the ID in the variable `ISOLATION_ID`, to read its ports, names and temp
 * directory. Only {@link Environment.cleanup} of the returned object ends it, `using` does not.
 * @throws {@link InvalidIdError}; {@link NotFoundError} if there is none or it has ended; {@link PermissionDeniedError} if it is
 * another user's; {@link RegistryUnusableError}, {@link SystemCallError}.
 */
export function attachEnvironment(id?: string): Environment;

/**
 * The environment of this run. If the variable `ISOLATION_ID` names a live one, attaches to it. Otherwise makes a new one and sets
 * its variables in `process.env`, so that processes started from then on share it. Its cleanup restores their former values.
 * @throws as {@link createEnvironment} and {@link attachEnvironment}.
 */
export function currentEnvironment(countOrOptions?: number | CurrentOptions): Environment;

/**
 * The environment of this worktree: made when it is first asked for, and the same ever after, from any subdirectory, shell or
 * process, as `portalloc env` gives it. It is kept: no object, `using` block or process ends it, {@link Environment.down} does, and
 * {@link Environment.cleanup}.
 *
 * ```js
 * const environment = worktreeEnvironment({ names: ['web'] });
 * server.listen(environment.port('web'));
 * ```
 *
 * Blocks JavaScript while another process makes, repairs or removes the same one, for at most 30 seconds.
 *
 * @throws as {@link createEnvironment}, and {@link EnvironmentInUseError} after those 30 seconds, or if a program that has a
 * {@link Environment.hold} on it keeps it from being repaired.
 */
export function worktreeEnvironment(countOrOptions?: number | (WorktreeOptions & { create?: true | undefined })): Environment;
export function worktreeEnvironment(countOrOptions?: number | WorktreeOptions): Environment | null;

/** As {@link worktreeEnvironment}, on a thread of its own. Rejects as that throws, and with the reason of `signal`. */
export function worktreeEnvironmentAsync(
  countOrOptions?: number | (WorktreeOptions & SignalOption & { create?: true | undefined }),
): Promise<Environment>;
export function worktreeEnvironmentAsync(countOrOptions?: number | (WorktreeOptions & SignalOption)): Promise<Environment | null>;

/** A process that is an environment's. */
export interface StoppedProcess {
  readonly pid: number;
  /** The name of its program. */
  readonly name: string;
  /** Its command line. May hold any characters. */
  readonly command: string;
  /** The ports on which it has a socket, or, for a supervisor, on which its servers had one again. */
  readonly ports: readonly number[];
  /** Why it counts as the environment's, as a stable word. */
  readonly reason: 'hold' | 'variable' | 'descent' | 'directory';
  /** The same as a phrase. */
  readonly why: string;
  /** Whether it has no socket on the ports, but started a server again that had been ended. */
  readonly supervisor: boolean;
  /** `'would_end'`: a dry run; `'ended'`: by SIGTERM; `'killed'`: by SIGKILL; `'gone'`: before it was asked to end. */
  readonly outcome: 'would_end' | 'ended' | 'killed' | 'gone' | 'remains';
}

/** A process that was left alone. */
export interface LeftProcess {
  readonly pid: number;
  /** The name of its program. */
  readonly name: string;
  /** Its command line. May hold any characters. */
  readonly command: string;
  /** The ports on which it has a socket, or starts servers again. */
  readonly ports: readonly number[];
  /** Its current directory, if it can be read. */
  readonly directory?: string;
}

/** What came of ending an environment's servers. */
export interface StopReport {
  /** The environment. */
  readonly isolationId: string;
  /** Whether nothing is left on its ports, or would be left after a dry run. */
  readonly clear: boolean;
  /** The processes that are its own, in the order in which they were asked to end. */
  readonly processes: readonly StoppedProcess[];
  /** The processes on its ports that were left alone, and why. */
  readonly foreign: readonly (LeftProcess & { readonly why: string })[];
  /** The sockets on its ports whose processes cannot be inspected. */
  readonly unknown: readonly { readonly port: number; readonly userId: number; readonly why: string }[];
  /** The processes that start its servers again, and were left alone. */
  readonly supervisors: readonly LeftProcess[];
  /** Whether the environment was removed, too: see {@link Environment.down}. */
  readonly removed: boolean;
}

/** Options of {@link Environment.down}. */
export interface DownOptions extends SignalOption {
  /** Milliseconds that a server has to end when it is asked to, before it is killed; 10,000 by default. */
  timeoutMs?: number | undefined;
  /** Only says what would be ended. */
  dryRun?: boolean | undefined;
}

/** Options of {@link Environment.stop}. */
export interface StopOptions extends DownOptions {
  /** Only servers on these of its ports, by number or name. */
  ports?: number | string | Iterable<number | string> | undefined;
}

/** Options of {@link Environment.waitUntilOurs}. */
export interface OursOptions extends ServerOptions {
  /** These ports, by number or name; by default all of the environment. */
  ports?: number | string | Iterable<number | string> | undefined;
}

/**
 * A share in a kept environment: until it is released, and every process that has inherited it has ended, nobody can remove the
 * environment. It ends with its thread, not by garbage collection. `using` releases it.
 */
export class Hold implements Disposable {
  private constructor();
  /** Whether this thread has given up its share. */
  readonly released: boolean;
  /**
   * Lets child processes inherit it that are started until the result is closed. They then count as the environment's own, whatever
   * becomes of their variables and their parents.
   *
   * ```js
   * using hold = environment.hold();
   * using copy = hold.inheritable();
   * const child = spawn('server', [], { stdio: ['inherit', 'inherit', 'inherit', copy.fd] });
   * ```
   *
   * @throws {@link InvalidArgumentError} once released; {@link SystemCallError} at the descriptor limit.
   */
  inheritable(): Inheritable;
  /** Gives up this thread's share. Safe to call twice. Child processes keep theirs. */
  release(): void;
  [Symbol.dispose](): void;
}

/**
 * An isolation ID with a lease, a temp directory, variables, and perhaps an env file, made and removed as one.
 *
 * A *held* one lasts until {@link cleanup}, the end of its `using` block, the end of its thread, or the event `exit` of the process,
 * which remove it. Garbage collection does not end it. After a signal that ends the process its ports are free, and its files stay
 * until {@link cleanupStale}. A *kept* one outlives the process. As a {@link Lease}, it belongs to its thread.
 */
export class Environment implements Disposable, AsyncDisposable {
  private constructor();

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
  /** Its temp directory, made with mode 0700. The cleanup removes it with everything in it. */
  readonly tempDir: string;
  /** Its env file, if it has one. */
  readonly envFile: string | undefined;
  /** The worktree it was made for. */
  readonly worktreePath: string;
  /** Tells it from others of its worktree; may be empty. */
  readonly instanceId: string;
  readonly lifetime: 'held' | 'kept';
  readonly createdAt: Date;
  /** The end of its TTL, if it has one. */
  readonly expiresAt: Date | undefined;
  /** Its variables, in the order in which they are written: a new object each time. */
  readonly variables: Record<string, string>;
  /** The lease of a held one that this thread made, until the cleanup: for guards, sockets and child processes. */
  readonly lease: Lease | undefined;

  /** Its variables as text, by default for `shell`. */
  render(syntax?: Syntax): string;

  /**
   * Ends the servers on its ports that are its own, and nothing else, and says what it ended and what is left.
   *
   * A process is its own if it has a {@link hold} on it, carries its `ISOLATION_ID`, descends from such a one, or runs as this user
   * in its worktree or temp directory without another `ISOLATION_ID`. This process, those that it descends from, and whatever has a
   * terminal to itself are spared. Each is asked to end (SIGTERM), and killed after `timeoutMs`.
   *
   * Rejects with {@link InvalidArgumentError}, {@link UnsupportedError} before Linux 5.3, {@link SystemCallError}, and the reason of
   * `signal`; not because of what is left on the ports.
   */
  stop(options?: StopOptions): Promise<StopReport>;

  /**
   * Ends its servers as {@link stop} does, waits until nobody has a {@link hold} on it, and removes it as {@link cleanup} does,
   * unless anything is left on its ports: `removed` of the report says so.
   *
   * Rejects with {@link EnvironmentInUseError} if a program has a hold on it that is no server, before anything is ended; else as
   * {@link stop} and {@link cleanup}.
   */
  down(options?: DownOptions): Promise<StopReport>;

  /**
   * Waits until the server on each of the ports accepts connections, or answers as `http` and `status` say, and is this environment's
   * own, as {@link stop} tells.
   *
   * Rejects at once with {@link PortInUseError} if somebody else's server listens, with its name and directory; with
   * {@link WaitTimeoutError}, which says what was last seen on each port; with {@link InvalidArgumentError}, {@link SystemCallError},
   * and the reason of `signal`.
   */
  waitUntilOurs(options?: OursOptions): Promise<void>;

  /**
   * Takes a hold on a kept environment, such as that of a worktree.
   * @throws {@link NotFoundError} if it has been removed or is stale; {@link InvalidArgumentError} if it is held;
   * {@link EnvironmentInUseError} if a process has been removing it for seconds; {@link RegistryUnusableError},
   * {@link SystemCallError}.
   */
  hold(): Hold;

  /**
   * Writes the variables of a worktree's environment into a block of this file, such as `.env.local`: between two marker lines, in a
   * file that people edit, too. Everything else in it stays as it is. The end of the environment removes the block.
   * @throws {@link InvalidArgumentError} if it is not the environment of its worktree, or if somebody has cut the block off;
   * {@link NotFoundError}, {@link EnvironmentInUseError}, {@link PermissionDeniedError}, {@link RegistryUnusableError},
   * {@link SystemCallError}.
   */
  writeBlock(path: string | URL): void;

  /**
   * Removes its temp directory, env file and record, and gives the ports back. Safe to call twice. Also removes a kept one that
   * this process attached to.
   * @throws {@link EnvironmentInUseError} if another process holds it; {@link PermissionDeniedError}, {@link SystemCallError},
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
  /** Cleans up an environment that this process made. Does nothing to one that it attached to, and to that of a worktree. */
  [Symbol.dispose](): void;
  /** The same on a thread of its own, for temp directories with many files. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** A process that took a lease. */
export interface LeaseHolder {
  /** Its process ID in its own PID namespace. */
  readonly pid: number;
  /** The name of its program, while it runs and can be read from here. */
  readonly name?: string;
}

/** An environment in the registry: the fields of `portalloc list --json`. */
export interface EnvironmentInfo {
  readonly isolationId: string;
  /** `'stale'`: its holder, TTL or owner has ended. `'damaged'`: labels are missing; see `portalloc reconcile`. */
  readonly status: 'active' | 'stale' | 'damaged';
  /** Why it is stale, as a stable word such as `'expired'`. */
  readonly staleReason?: string;
  /** Why it is not active, as a phrase. */
  readonly reason?: string;
  /** Missing if its record is damaged. */
  readonly lifetime?: 'held' | 'kept';
  /** In the order of the names. */
  readonly ports: readonly number[];
  readonly createdAt?: Date;
  /** The process that made a held one, or the owner of a kept one. */
  readonly holder?: LeaseHolder;
  readonly userId: number;
  /** The names of the first ports. Missing for another user's environment, as are the following. */
  readonly names?: readonly string[];
  readonly expiresAt?: Date;
  readonly instanceId?: string;
  readonly worktreePath?: string;
  readonly tempDir?: string;
  readonly envFile?: string;
  /** The path of its record. */
  readonly lockFile?: string;
}

/** A live lease that belongs to no environment. */
export interface LeaseInfo {
  /** Ascending. */
  readonly ports: readonly number[];
  readonly holder?: LeaseHolder;
  readonly userId: number;
  readonly since: Date;
}

/** All environments of this network namespace, oldest first. Locks and changes nothing. */
export function environments(): readonly EnvironmentInfo[];

/** All live leases that belong to no environment, by port. Locks and changes nothing. */
export function leases(): readonly LeaseInfo[];

/**
 * Removes an environment, kept or stale, from any directory; returns whether there was one.
 * @throws {@link InvalidIdError}; {@link EnvironmentInUseError} if a live process holds it; {@link PermissionDeniedError},
 * {@link RegistryUnusableError}, {@link SystemCallError}.
 */
export function cleanup(id: string): boolean;

/** Removes stale environments of this user, and what crashes have left; returns the IDs. Never touches a live one. */
export function cleanupStale(): string[];

/** The result of {@link validate}. */
export interface Validation {
  readonly isolationId: string;
  /** Whether every check passed. */
  readonly valid: boolean;
  /** Each part; `failure` says why its check failed. */
  readonly checks: readonly {
    readonly name: 'record' | 'tempDir' | 'envFile' | 'lease';
    readonly ok: boolean;
    readonly failure?: string;
  }[];
  /** Each port, and whether any program has a socket on it, as a server of the environment has. */
  readonly ports: readonly { readonly port: number; readonly inUse: boolean }[];
}

/**
 * Checks record, temp directory, env file and lease of an environment of this user, and looks at its ports.
 * @throws {@link InvalidIdError}, {@link NotFoundError}, {@link PermissionDeniedError}.
 */
export function validate(id: string): Validation;

/**
 * Whether a lease of this port could be had at this moment: it is not leased, and no program has bound it, TCP or UDP, on any
 * address. A moment later it may be in use: to have a port, lease it.
 */
export function isFree(port: number): boolean;

/** Options of waits for ports. */
export interface WaitOptions extends SignalOption {
  /** Milliseconds, 30000 by default; 0 looks once, `Infinity` waits without a limit. */
  waitMs?: number | undefined;
}

/** Options of waits for servers. */
export interface ServerOptions extends WaitOptions {
  /** A path such as `/health`, which the server must answer with a status below 400. */
  http?: string | undefined;
  /** The status that it must answer with. */
  status?: number | undefined;
}

/**
 * Waits until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1, or answers as `http` and `status` say.
 * Rejects with {@link WaitTimeoutError}, which says what was seen last of each port without such a server, or with the reason of
 * `signal`.
 */
export function waitUntilOpen(ports: number | Iterable<number>, options?: ServerOptions): Promise<void>;

/**
 * Waits until no program has bound any of the ports: TCP or UDP, on any address, listening or not, TIME_WAIT included. Leases make
 * no difference. Rejects as {@link waitUntilOpen}.
 */
export function waitUntilFree(ports: number | Iterable<number>, options?: WaitOptions): Promise<void>;

/** A process that has a socket on a port, or took its lease. */
export interface Holder {
  /** For a process that only has the lease: as seen from its own PID namespace. */
  readonly pid: number;
  /** The name of its program, where it can be read from here. */
  readonly name?: string;
  /** Its command line, if it has a socket on the port. May contain any characters. */
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
  /** The user who made it, if known. */
  readonly userId?: number;
  /** The processes that have it open, as far as this one may see. */
  readonly processes: readonly {
    readonly pid: number;
    readonly name: string;
    readonly command: string;
    readonly userId: number;
    readonly user?: string;
    readonly startedAt: Date;
  }[];
  /** Why no process is shown. */
  readonly hidden?: 'other_user' | 'elsewhere';
}

/** The lease or environment that has a port. */
export interface PortLease {
  readonly lifetime: 'held' | 'kept';
  /** The process that took the lease. Others may have inherited it. */
  readonly holder?: LeaseHolder;
  /** The environment, if it belongs to one. */
  readonly isolationId?: string;
  readonly since?: Date;
  /** The environment's worktree; missing for another user's, as is the following. */
  readonly worktreePath?: string;
  readonly instanceId?: string;
}

/** Who is on a port: the fields of `portalloc who --json`. As text it is one sentence; iterates over the processes. */
export class PortReport implements Iterable<Holder> {
  private constructor();
  readonly port: number;
  /** One sentence: who is on it, since when, and the lease or environment that has it. */
  readonly message: string;
  /** Whether there is a socket on it. */
  readonly inUse: boolean;
  /** The lease or environment that has it, if one has. */
  readonly lease?: PortLease;
  /** Whether a lease or an environment has it. */
  get leased(): boolean;
  readonly sockets: readonly SocketInfo[];
  readonly holders: readonly Holder[];
  /** Whether the kernel shows every kind of socket. Before Linux 6.8 it does not show all that are only bound. */
  readonly complete: boolean;
  toString(): string;
  [Symbol.iterator](): IterableIterator<Holder>;
}

/**
 * Who is on a port: processes, sockets, and the lease or environment that has it. Locks, probes and changes nothing. Only root sees
 * processes of other users.
 */
export function who(port: number): PortReport;

/** The registry and the pool that calls use. */
export interface Settings {
  /** The registry: the directory in which all leases of this machine meet. */
  directory: string;
  /** The pool as it was asked for, such as `20000-29999`. */
  pool: string;
  /** The ports that may be given out: the pool without the kernel's ephemeral range, well-known services, and exclusions. */
  ports: string;
  /** The number of those ports. */
  count: number;
  /** What a user should know about this pool. */
  warnings: readonly string[];
  /** The project file: `portalloc.toml` in the current directory or above it. */
  project?: string;
}

/** The registry and the pool that calls from the current directory use. */
export function settings(options?: PoolOptions): Settings;

/** One line of a {@link DoctorReport}. */
export interface DoctorCheck {
  /** A stable word for what was examined, such as `ephemeral_range`. */
  readonly code: string;
  /** `note`: every promise is kept, but a user should know this. `broken`: a promise is not kept here. */
  readonly status: 'ok' | 'note' | 'broken' | 'skipped';
  /** What was found, in one sentence. */
  readonly message: string;
  /** What to do about it, where something can be done. */
  readonly remedy?: string;
  /** Details by name, to compare reports of two processes. */
  readonly facts: Readonly<Record<string, string>>;
}

/** Whether a lease of `count` consecutive ports would be granted at the moment of the report. */
export interface LeaseExplanation {
  readonly count: number;
  readonly granted: boolean;
  /** Why. */
  readonly message: string;
  /** What to do if it would be refused. */
  readonly remedy?: string;
  /** How many ports of the pool are in each state; missing if the registry or the pool cannot be used. */
  readonly census?: {
    readonly pool: number;
    readonly held: number;
    readonly kept: number;
    readonly stale: number;
    /** In use by foreign processes, which have no lease on them. */
    readonly foreign: number;
    /** Not to be bound by this user. */
    readonly denied: number;
    readonly free: number;
    /** The longest run of ports that could be leased. */
    readonly longestRun: number;
  };
  /** Who has ports of the pool, most ports first: environments and processes. */
  readonly holders: readonly { readonly holder: string; readonly ports: number }[];
}

/** What {@link doctor} found: the fields of `portalloc doctor --json`. */
export interface DoctorReport {
  /** Whether portalloc keeps every promise here: no check is broken. */
  readonly ok: boolean;
  /** One for each thing that could be otherwise, always the same ones in the same order. */
  readonly checks: readonly DoctorCheck[];
  /** Whether a lease would be granted, if that was asked. */
  readonly explanation?: LeaseExplanation;
  /** What a bug report should contain beside the checks. */
  readonly machine: {
    readonly version: string;
    readonly system: string;
    readonly kernel: string;
    readonly architecture: string;
    readonly libc: string;
    readonly userId: number;
    /** The containers and sandboxes in which this process seems to run. */
    readonly sandboxes: readonly string[];
    /** The numbers of this thread's namespaces, by kind. */
    readonly namespaces: Readonly<Record<string, number>>;
    /** `TMPDIR`, `ISOLATION_ID` and every variable whose name begins with `PORTALLOC_`. */
    readonly variables: readonly { readonly name: string; readonly value: string }[];
  };
}

/** Options of {@link doctor}. */
export interface DoctorOptions extends PoolOptions {
  /** Also says whether a lease of so many consecutive ports would be granted at this moment, and why not. */
  explain?: number | undefined;
}

/**
 * Examines whether portalloc keeps its promises on this machine. Does not throw because of what it finds: a registry that cannot
 * be opened is a line of the report. Changes nothing, except that it creates a missing registry.
 */
export function doctor(options?: DoctorOptions): DoctorReport;

/** Writes variables, by name or as pairs, one a line, whatever the values contain; by default for `shell`. */
export function render(variables: Readonly<Record<string, string>> | Iterable<readonly [string, string]>, syntax?: Syntax): string;

/**
 * Returns the text, if it is an isolation ID: 12 lower-case hexadecimal digits.
 * @throws {@link InvalidIdError}
 */
export function parseId(text: string): string;

/** The stable codes of all errors, in the order of the documentation. */
export const errorCodes: readonly ErrorCode[];

/** The version of the package. */
export const version: string;
