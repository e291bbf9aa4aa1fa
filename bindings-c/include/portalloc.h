#ifndef PORTALLOC_H
#define PORTALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/** The version of this header; portalloc_version() is that of the library. */
#define PORTALLOC_VERSION_MAJOR 0
#define PORTALLOC_VERSION_MINOR 1
#define PORTALLOC_VERSION_PATCH 0
#define PORTALLOC_VERSION "0.1.0"

/** A time in milliseconds: wait without limit. */
#define PORTALLOC_FOREVER INT64_MAX

/** The number 0 where a member says that 0 means "not given". For wrappers of other languages, whose users can pass a 0. */
#define PORTALLOC_ZERO INT64_MIN

/*
 * Conventions, for every function unless it says otherwise:
 *
 * Results. Functions that can fail return a portalloc_result, 0 for success; its numbers are never changed or reused.
 * They write out-parameters on success only. portalloc_last_error_message() says what went wrong in this thread.
 * Functions that return a value return 0, false or NULL instead. NULL where a pointer is needed is an error, not a crash.
 *
 * Memory. Free what a ..._new function returns with the ..._free function of its type, once, and a char * that the library
 * writes to an out-parameter with portalloc_string_free; both accept NULL. Other texts belong to the library and live as long
 * as the handle they come from. The library reads what you pass during the call only. All texts are UTF-8 and end with a zero
 * byte. NULL for a text, an array or a struct of options means "not given". An array that is not NULL but has no elements is
 * an empty list. As everywhere in C, you must pass pointers that are NULL or valid, and not use a handle that you have freed.
 *
 * Threads. Any thread may call any function at any time, and several may use the same handle at once, but not while another
 * thread frees it.
 *
 * Fork. A lease and an environment belong to the process that made them. A forked child may read its copy of a handle, but
 * cannot end anything with it: freeing it closes the child's copy and releases nothing. Exec closes leases. The child's copies
 * of guards are closed before fork() returns; a child of a raw clone() keeps them until it calls exec or ends.
 *
 * Descriptors. The library never closes a descriptor that is not its own, and never uses 0 to 2. A program that closes or
 * replaces the descriptor of a lease ends that lease, which portalloc_lease_is_held() tells. Anything else that the program
 * has closed, the next call opens again.
 *
 * Structs of options begin with their size, so that a program built for an older header works with a newer library: make them
 * with the ..._default function and set the members you need. An older library refuses members that it does not know, if they
 * are set.
 *
 * Exit. Exit handlers and destructors of C++'s global objects may call the library, but get no error messages.
 */

/**
 * The result of a call. Numbers are never changed or reused; new ones may be added.
 */
typedef enum {
    /**
     * Success.
     */
    PORTALLOC_RESULT_OK = 0,
    /**
     * An argument, a `PORTALLOC_*` variable or the project file is out of range or malformed.
     */
    PORTALLOC_RESULT_INVALID_ARGUMENT = 1,
    /**
     * The text is not an isolation ID (12 lower-case hexadecimal digits).
     */
    PORTALLOC_RESULT_INVALID_ID = 2,
    /**
     * The pool has no free ports of the kind asked for.
     */
    PORTALLOC_RESULT_POOL_EXHAUSTED = 3,
    /**
     * An exact port is leased, or a socket is bound to it.
     */
    PORTALLOC_RESULT_PORT_IN_USE = 4,
    /**
     * There is no environment with that ID, or no such process.
     */
    PORTALLOC_RESULT_NOT_FOUND = 5,
    /**
     * A live process holds the environment, so it cannot be cleaned up from outside.
     */
    PORTALLOC_RESULT_IN_USE = 6,
    /**
     * The env file exists already, and portalloc did not write it.
     */
    PORTALLOC_RESULT_ENV_FILE_EXISTS = 7,
    /**
     * 999 random isolation IDs in a row existed already: the random source or the registry is broken.
     */
    PORTALLOC_RESULT_ID_EXHAUSTED = 8,
    /**
     * The registry directory is missing, replaced, damaged, full, or not trustworthy.
     */
    PORTALLOC_RESULT_REGISTRY_UNUSABLE = 9,
    /**
     * The operating system denied permission.
     */
    PORTALLOC_RESULT_PERMISSION_DENIED = 10,
    /**
     * The time to wait is over, or the wait was cancelled.
     */
    PORTALLOC_RESULT_TIMEOUT = 11,
    /**
     * Not available on this platform or kernel, or in a forked child.
     */
    PORTALLOC_RESULT_UNSUPPORTED = 12,
    /**
     * Another system call failed.
     */
    PORTALLOC_RESULT_IO = 13,
    /**
     * A defect in portalloc, caught before it could end the program.
     */
    PORTALLOC_RESULT_INTERNAL = 14,
} portalloc_result;

/**
 * Whether sockets keep foreign processes off the ports of a lease.
 */
typedef enum {
    /**
     * There is no guard.
     */
    PORTALLOC_GUARD_NONE = 0,
    /**
     * Servers that set SO_REUSEADDR can bind the ports, others cannot.
     */
    PORTALLOC_GUARD_SHARED = 1,
    /**
     * No program can bind the ports.
     */
    PORTALLOC_GUARD_EXCLUSIVE = 2,
} portalloc_guard;

/**
 * The kind of a socket.
 */
typedef enum {
    /**
     * TCP.
     */
    PORTALLOC_SOCKET_TYPE_TCP = 0,
    /**
     * UDP.
     */
    PORTALLOC_SOCKET_TYPE_UDP = 1,
} portalloc_socket_type;

/**
 * Whether an environment gets an env file if `env_file` names none.
 */
typedef enum {
    /**
     * It gets none.
     */
    PORTALLOC_ENV_FILE_NONE = 0,
    /**
     * `.env.isolation` in the worktree, or `.env.isolation.<id>` if that is another environment's.
     */
    PORTALLOC_ENV_FILE_WORKTREE = 1,
} portalloc_env_file;

/**
 * A setting that portalloc.toml may have, too.
 */
typedef enum {
    /**
     * As portalloc.toml says, else off.
     */
    PORTALLOC_SWITCH_UNSET = 0,
    /**
     * On.
     */
    PORTALLOC_SWITCH_ON = 1,
    /**
     * Off, whatever portalloc.toml says.
     */
    PORTALLOC_SWITCH_OFF = 2,
} portalloc_switch;

/**
 * Ends waits early: pass it to calls that wait, and use it from another thread or a signal handler.
 */
typedef struct portalloc_cancel portalloc_cancel;

/**
 * A lease with an isolation ID, a temp directory, variables and, if you ask for it, an env file, made and removed as one. A
 * *held* environment lives until you free it or clean it up, or its process ends; a *kept* one outlives its process.
 */
typedef struct portalloc_environment portalloc_environment;

/**
 * A share in a kept environment: while a process has it, no cleanup removes the environment.
 */
typedef struct portalloc_hold portalloc_hold;

/**
 * Ports that no other process is given until you free or release the lease, or this process ends, whichever comes first: the
 * kernel sees to it, SIGKILL included. A lease costs one file descriptor, closed on exec.
 */
typedef struct portalloc_lease portalloc_lease;

/**
 * What environment to make. Make it with portalloc_environment_options_default(). The project file portalloc.toml, in the
 * worktree or the current directory or above, fills in what you leave out.
 */
typedef struct {
    /**
     * sizeof(portalloc_environment_options).
     */
    size_t size;
    /**
     * Number of consecutive ports. 0 means as many as `names`, `exact` or `offsets` has, else five.
     */
    int64_t count;
    /**
     * Names for the first ports: "postgres" becomes the variable POSTGRES_PORT.
     */
    const char *const *names;
    /**
     * Number of elements of `names`.
     */
    size_t names_count;
    /**
     * Lease exactly these ports. Use at most one of `exact`, `offsets` and `scattered`.
     */
    const uint16_t *exact;
    /**
     * Number of elements of `exact`.
     */
    size_t exact_count;
    /**
     * Lease a base port and the ports at these distances from it. The first offset is 0.
     */
    const int64_t *offsets;
    /**
     * Number of elements of `offsets`.
     */
    size_t offsets_count;
    /**
     * As in portalloc_lease_options.
     */
    const char *pool;
    /**
     * As in portalloc_lease_options.
     */
    const char *exclude;
    /**
     * Tells this environment from others of the same worktree.
     */
    const char *instance_id;
    /**
     * The worktree, an existing directory. If NULL, the nearest directory upwards with a `.git`, else that of portalloc.toml,
     * else the current one.
     */
    const char *worktree;
    /**
     * Write the env file to this path.
     */
    const char *env_file;
    /**
     * As in portalloc_lease_options.
     */
    const char *place;
    /**
     * Milliseconds until a kept environment is stale. 0 means never.
     */
    int64_t ttl_ms;
    /**
     * A kept environment is stale once this process has ended. 0 means none.
     */
    int64_t owner_pid;
    /**
     * As in portalloc_lease_options.
     */
    int64_t wait_ms;
    /**
     * Ends the wait early.
     */
    const portalloc_cancel *cancel;
    /**
     * A portalloc_env_file: whether to write an env file if `env_file` is NULL.
     */
    uint32_t env_file_place;
    /**
     * A portalloc_switch; only for a held environment. `true` switches it on.
     */
    uint32_t guard;
    /**
     * A portalloc_switch: prefer the ports that the same worktree, instance ID and names had before. `true` switches it on.
     */
    uint32_t sticky;
    /**
     * The ports need not be consecutive.
     */
    bool scattered;
    /**
     * Outlive this process, until a cleanup, the TTL or the end of the owner.
     */
    bool kept;
    /**
     * Base ports to try before all others, in this order. At most 100.
     */
    const uint16_t *prefer;
    /**
     * Number of elements of `prefer`.
     */
    size_t prefer_count;
} portalloc_environment_options;

/**
 * Where portalloc_port takes its port from. Make it with portalloc_port_options_default().
 */
typedef struct {
    /**
     * sizeof(portalloc_port_options).
     */
    size_t size;
    /**
     * As in portalloc_lease_options.
     */
    const char *pool;
    /**
     * As in portalloc_lease_options.
     */
    const char *exclude;
} portalloc_port_options;

/**
 * What to lease. Make it with portalloc_lease_options_default().
 */
typedef struct {
    /**
     * sizeof(portalloc_lease_options).
     */
    size_t size;
    /**
     * Number of consecutive ports. 0 means one, or as many as `exact` or `offsets` has.
     */
    int64_t count;
    /**
     * Lease exactly these ports, whether or not they are in the pool. Use at most one of `exact`, `offsets` and `scattered`.
     */
    const uint16_t *exact;
    /**
     * Number of elements of `exact`.
     */
    size_t exact_count;
    /**
     * Lease a base port and the ports at these distances from it. The first offset is 0.
     */
    const int64_t *offsets;
    /**
     * Number of elements of `offsets`.
     */
    size_t offsets_count;
    /**
     * The pool, such as "20000-29999". Overrides PORTALLOC_POOL, which overrides portalloc.toml and the default.
     */
    const char *pool;
    /**
     * Ports never to lease. Overrides PORTALLOC_EXCLUDE, which overrides portalloc.toml.
     */
    const char *exclude;
    /**
     * Prefer the ports that this key got before on this machine.
     */
    const char *sticky_key;
    /**
     * Where in the program the lease is taken, such as "server.c:14": for the message of a port conflict within this process.
     */
    const char *place;
    /**
     * Milliseconds to wait until ports are free. 0 fails at once; PORTALLOC_FOREVER waits without limit.
     */
    int64_t wait_ms;
    /**
     * Ends the wait early.
     */
    const portalloc_cancel *cancel;
    /**
     * The ports need not be consecutive.
     */
    bool scattered;
    /**
     * Guard the ports against foreign processes: see portalloc_lease_guard.
     */
    bool guard;
    /**
     * Base ports to try before all others, in this order. At most 100.
     */
    const uint16_t *prefer;
    /**
     * Number of elements of `prefer`.
     */
    size_t prefer_count;
} portalloc_lease_options;

/**
 * What portalloc_lease_socket makes. Make it with portalloc_socket_options_default().
 */
typedef struct {
    /**
     * sizeof(portalloc_socket_options).
     */
    size_t size;
    /**
     * An IP address, "localhost", or "" for every IPv4 address ("::" for every address). 127.0.0.1 if NULL.
     */
    const char *host;
    /**
     * A portalloc_socket_type.
     */
    uint32_t type;
    /**
     * Bind a TCP socket without listening on it. Until you call listen(), another program that sets SO_REUSEADDR can
     * listen on the port first.
     */
    bool bound_only;
} portalloc_socket_options;

/**
 * When a server counts as ready. Make it with portalloc_ready_options_default(), which means once it accepts a connection.
 */
typedef struct {
    /**
     * sizeof(portalloc_ready_options).
     */
    size_t size;
    /**
     * Once it answers a GET of this path, such as "/health", with a status below 400.
     */
    const char *http;
    /**
     * Only with this status, from 200 to 599. 0 means any below 400.
     */
    int64_t status;
} portalloc_ready_options;

/**
 * Receives a warning: `code` is a stable word such as "pool", `message` says what happened and what to do, `data` is the
 * pointer that was set with the handler. The texts live until it returns. It must return: no longjmp, no exception.
 */
typedef void (*portalloc_warning_handler)(const char *code, const char *message, void *data);

/**
 * How portalloc_environment_stop and portalloc_environment_down end servers. Make it with portalloc_stop_options_default().
 */
typedef struct {
    /**
     * sizeof(portalloc_stop_options).
     */
    size_t size;
    /**
     * Only servers on these ports of the environment; all of them if NULL. portalloc_environment_down ends all.
     */
    const uint16_t *ports;
    /**
     * Number of elements of `ports`.
     */
    size_t ports_count;
    /**
     * Milliseconds that a process may take to end (SIGTERM) before it is killed (SIGKILL). 0 means ten seconds.
     */
    int64_t timeout_ms;
    /**
     * Ends the wait early. What has not ended by then is not killed.
     */
    const portalloc_cancel *cancel;
    /**
     * Send no signal, and report what would be ended.
     */
    bool dry_run;
} portalloc_stop_options;

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a portalloc_cancel, for any number of calls. Free it with portalloc_cancel_free.
 */
portalloc_result portalloc_cancel_new(portalloc_cancel **out);

/**
 * Ends all waits that were given `cancel` with PORTALLOC_RESULT_TIMEOUT, within a quarter of a second, and every later one
 * at once. Async-signal-safe. Does nothing if `cancel` is NULL.
 */
void portalloc_cancel_now(const portalloc_cancel *cancel);

/**
 * Frees it. Waits that were given it go on.
 */
void portalloc_cancel_free(portalloc_cancel *cancel);

/**
 * Makes an environment. Free it with portalloc_environment_free. If the call fails, it leaves nothing behind. Without options:
 * held, five ports, in the current directory, as the project file says.
 *
 * Fails as portalloc_lease_new does, and with PORTALLOC_RESULT_NOT_FOUND (owner), _ENV_FILE_EXISTS or _ID_EXHAUSTED.
 */
portalloc_result portalloc_environment_new(const portalloc_environment_options *options,
                                           portalloc_environment **out);

/**
 * Attaches to the environment that the variable ISOLATION_ID names, if it is alive; else makes a new one, as
 * portalloc_environment_new does. It sets no variables: in C that is not safe while other threads read the process's
 * variables. Free it with portalloc_environment_free.
 */
portalloc_result portalloc_environment_current(const portalloc_environment_options *options,
                                               portalloc_environment **out);

/**
 * Attaches to the live environment with this ID, or for NULL to the one that the variable ISOLATION_ID names, to read its
 * ports, names and temp directory. Free the handle with portalloc_environment_free, which leaves the environment alone.
 *
 * Fails with PORTALLOC_RESULT_INVALID_ID, with _NOT_FOUND if there is no such environment or it is stale, or with
 * _PERMISSION_DENIED.
 */
portalloc_result portalloc_environment_attach(const char *id,
                                              portalloc_environment **out);

/**
 * Frees the handle. Cleans up a held environment that this process made; whatever cannot be removed now is left to
 * portalloc_cleanup_stale.
 */
void portalloc_environment_free(portalloc_environment *environment);

/**
 * Removes the temp directory, the env file and the record, gives the ports back, and keeps the handle. Safe to call twice. It
 * also removes an attached environment, if that is a kept one.
 *
 * Fails with PORTALLOC_RESULT_IN_USE if another process holds the environment, such as the parent of a forked child; with
 * _PERMISSION_DENIED, _IO or _REGISTRY_UNUSABLE, after which you can repeat it.
 */
portalloc_result portalloc_environment_cleanup(const portalloc_environment *environment);

/**
 * Returns a handle for the lease of a held environment, in the process that made it: for guards, sockets and inheritance.
 * Free it with portalloc_lease_free, before or after the environment. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT for any
 * other environment.
 */
portalloc_result portalloc_environment_lease(const portalloc_environment *environment,
                                             portalloc_lease **out);

/**
 * Returns the isolation ID. Texts of an environment live until it is freed; all are NULL for NULL.
 */
const char *portalloc_environment_id(const portalloc_environment *environment);

/**
 * Returns the path of the temp directory.
 */
const char *portalloc_environment_temp_dir(const portalloc_environment *environment);

/**
 * Returns the path of the env file; NULL if there is none.
 */
const char *portalloc_environment_env_file(const portalloc_environment *environment);

/**
 * Returns the worktree that the environment belongs to.
 */
const char *portalloc_environment_worktree(const portalloc_environment *environment);

/**
 * Returns the instance ID, which tells the environment from others of its worktree; may be empty.
 */
const char *portalloc_environment_instance_id(const portalloc_environment *environment);

/**
 * Returns the name of the port at `index`; NULL if it has none.
 */
const char *portalloc_environment_name(const portalloc_environment *environment, size_t index);

/**
 * Returns how many variables there are.
 */
size_t portalloc_environment_variable_count(const portalloc_environment *environment);

/**
 * Returns the name of the variable at `index`, such as "POSTGRES_PORT"; NULL if there is none.
 */
const char *portalloc_environment_variable_name(const portalloc_environment *environment, size_t index);

/**
 * Returns the value of the variable at `index`; NULL if there is none.
 */
const char *portalloc_environment_variable_value(const portalloc_environment *environment, size_t index);

/**
 * Fills `out` with up to `capacity` of the ports, in the order of the names, and returns how many there are.
 */
size_t portalloc_environment_ports(const portalloc_environment *environment, uint16_t *out, size_t capacity);

/**
 * Returns the port of this name, or at this index written in digits. If there is none, returns 0, and
 * portalloc_last_error_message() says which there are.
 */
uint16_t portalloc_environment_port(const portalloc_environment *environment, const char *name);

/**
 * Returns whether the environment is a kept one.
 */
bool portalloc_environment_is_kept(const portalloc_environment *environment);

/**
 * Returns whether the handle is attached to an environment that another call made.
 */
bool portalloc_environment_is_attached(const portalloc_environment *environment);

/**
 * Leases one port and holds it until this process ends or calls portalloc_give_back. Call it through the macro
 * `portalloc_port`, which passes the calling file and line as `place`; NULL means unknown. If the pool is exhausted or the
 * process is out of file descriptors, the message names the places that have leased the most ports and not given them back.
 *
 * Costs one file descriptor, closed on exec. Does not block. A forked child holds none of its parent's ports: it cannot give
 * them back, and they stay leased until both have ended or the parent gives them back. Fails as portalloc_lease_new does.
 */
portalloc_result portalloc_port_at(const char *place,
                                   const portalloc_port_options *options,
                                   uint16_t *out);

/**
 * Gives back a port of portalloc_port. Close your own sockets first: from now on another process may be given the port.
 * Returns false, and does nothing, if this process does not hold `port` by portalloc_port.
 */
bool portalloc_give_back(int64_t port);

/**
 * Leases ports. Free the lease with portalloc_lease_free. Without options: one port.
 *
 * Blocks only if `wait_ms` is set. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT, _POOL_EXHAUSTED, _PORT_IN_USE, _TIMEOUT,
 * _REGISTRY_UNUSABLE, _PERMISSION_DENIED or _IO.
 */
portalloc_result portalloc_lease_new(const portalloc_lease_options *options,
                                     portalloc_lease **out);

/**
 * Releases the lease and frees the handle. In a forked child it only closes the child's copy. The lease of an environment
 * ends with the environment instead.
 */
void portalloc_lease_free(portalloc_lease *lease);

/**
 * Gives the ports back and keeps the handle. Close your own sockets first: from now on another process may be given these
 * ports. Safe to call twice; does nothing in a forked child. An inherited lease ends only with the last process that has it.
 */
portalloc_result portalloc_lease_release(const portalloc_lease *lease);

/**
 * Returns whether the lease was released, or its environment cleaned up. True for NULL.
 */
bool portalloc_lease_is_released(const portalloc_lease *lease);

/**
 * Returns whether the lease still has its ports: it was not released, its environment was not cleaned up, and its descriptor
 * is still open. A program that closes descriptors it does not know, as daemons do when they start, ends its leases that way.
 * In a forked child: whether the child's copy keeps the lease alive. False for NULL.
 */
bool portalloc_lease_is_held(const portalloc_lease *lease);

/**
 * Returns how many ports the lease has; 0 for NULL.
 */
size_t portalloc_lease_count(const portalloc_lease *lease);

/**
 * Returns the port at `index`, also after the release; 0 if there is none. Consecutive ports ascend, others are in the order
 * you asked for.
 */
uint16_t portalloc_lease_port(const portalloc_lease *lease,
                              size_t index);

/**
 * Fills `out` with up to `capacity` of the ports, and returns how many there are.
 */
size_t portalloc_lease_ports(const portalloc_lease *lease, uint16_t *out, size_t capacity);

/**
 * Guards the ports with sockets that do not listen: no foreign process can bind them, and neither can your own server until
 * portalloc_lease_share_guard or portalloc_lease_drop_guard. Fails with PORTALLOC_RESULT_PORT_IN_USE if a foreign process has
 * bound one of them already.
 */
portalloc_result portalloc_lease_guard(const portalloc_lease *lease);

/**
 * Lets servers that set SO_REUSEADDR, as nearly all do, bind over the guard. It still keeps other programs off, except from
 * UDP ports. Does nothing without a guard.
 */
portalloc_result portalloc_lease_share_guard(const portalloc_lease *lease);

/**
 * Closes the sockets of the guard, for servers that do not set SO_REUSEADDR. The lease stays.
 */
portalloc_result portalloc_lease_drop_guard(const portalloc_lease *lease);

/**
 * Returns the state of the guard; PORTALLOC_GUARD_NONE for NULL and after the release.
 */
portalloc_guard portalloc_lease_guard_state(const portalloc_lease *lease);

/**
 * Binds the port at `index` and returns the socket, ready to be passed to the server: a descriptor with close-on-exec, which
 * you close and which outlives the lease. A TCP socket is bound over the guard of this lease, so no other program can come in
 * between. Without options: TCP, listening on 127.0.0.1. Fails with PORTALLOC_RESULT_PORT_IN_USE if a foreign process has
 * bound the port.
 */
portalloc_result portalloc_lease_socket(const portalloc_lease *lease,
                                        int64_t index,
                                        const portalloc_socket_options *options,
                                        int32_t *out);

/**
 * Duplicates the descriptor of the lease without close-on-exec, so that processes started while it is open inherit the lease.
 * The lease then ends when the last of them and this process have closed it or ended. Close the copy once the child runs.
 * Guards are not inherited. Fails with PORTALLOC_RESULT_UNSUPPORTED in a forked child.
 */
portalloc_result portalloc_lease_inheritable(const portalloc_lease *lease,
                                             int32_t *out);

/**
 * Tells whether a lease of this port would succeed now: no lease has it, and no socket is bound to it, TCP or UDP, on any
 * address. That can change at any moment: to have a port, lease it.
 */
portalloc_result portalloc_is_free(int64_t port,
                                   bool *out);

/**
 * Removes the environment with this ID, kept or stale. Safe to call twice: `removed`, if it is not NULL, tells whether there
 * was one. Fails with PORTALLOC_RESULT_IN_USE if a live process holds it.
 */
portalloc_result portalloc_cleanup(const char *id,
                                   bool *removed);

/**
 * Removes all stale environments of this user and what crashes have left, never a live one. `removed`, if it is not NULL,
 * tells how many environments. If one of them cannot be removed, the call fails after removing all others.
 */
portalloc_result portalloc_cleanup_stale(size_t *removed);

/**
 * Finds out who is on this port, without locking, probing or changing anything. Only root sees processes of other users.
 *
 * `message`, if it is not NULL, becomes one sentence: the processes on the port, since when, and the lease or environment
 * that has it. `json`, if it is not NULL, becomes the report as JSON, as `portalloc who --json` prints it for one port. Free
 * both with portalloc_string_free.
 */
portalloc_result portalloc_who(int64_t port,
                               char **message,
                               char **json);

/**
 * Lists all environments, oldest first, and all live leases, by port, as `portalloc list --json` prints them. Locks and changes
 * nothing. Free `json` with portalloc_string_free.
 */
portalloc_result portalloc_list(char **json);

/**
 * Checks record, temp directory, env file and lease of an environment of this user. `valid`, if it is not NULL, tells whether
 * every check passed; `json`, if it is not NULL, what each found, as `portalloc validate --json` prints it. Free `json` with
 * portalloc_string_free.
 */
portalloc_result portalloc_validate(const char *id,
                                    bool *valid,
                                    char **json);

/**
 * Tells which registry and which pool calls from the current directory use, as a JSON object: "directory", "pool" (as it was
 * asked for), "ports" (those that can be leased: the pool without the kernel's ephemeral range, well-known services, and
 * exclusions), their number "count", and "warnings". `pool` and `exclude` are as in portalloc_lease_options. Free `json` with
 * portalloc_string_free.
 */
portalloc_result portalloc_settings(const char *pool,
                                    const char *exclude,
                                    char **json);

/**
 * Examines whether portalloc keeps its promises on this machine. `ok`, if it is not NULL, tells whether it does; `json`, if it is
 * not NULL, what was found, as `portalloc doctor --json` prints it. Succeeds whatever was found: a registry that cannot be opened
 * is a line of the report.
 *
 * If `count` is not 0, the report also says whether a lease of so many consecutive ports would be granted at this moment, and
 * why not. `pool` and `exclude` are as in portalloc_lease_options. Free `json` with portalloc_string_free.
 */
portalloc_result portalloc_doctor(int64_t count,
                                  const char *pool,
                                  const char *exclude,
                                  bool *ok,
                                  char **json);

/**
 * Finds servers that still listen on `ports`, which you are about to give back. `message` becomes NULL if there are none, else
 * a line for each such port that names its processes. Free it with portalloc_string_free. Drop a guard first: its sockets
 * look like a server.
 *
 * Returns within microseconds if there are none, and else waits up to `grace_ms` milliseconds for the servers to end. A
 * negative `grace_ms` means 250 ms, as in the test helpers of every language. `own` says whether sockets of this process count.
 */
portalloc_result portalloc_leaks(const uint16_t *ports,
                                 size_t count,
                                 bool own,
                                 int64_t grace_ms,
                                 char **message);

/**
 * Explains a port conflict: `text` is an error message or the output of a program. `message` becomes a line for each port that
 * the text names and that is in use or leased, with the processes on it; NULL if the text tells of no conflict, or no such port
 * is in use. Free it with portalloc_string_free.
 */
portalloc_result portalloc_explain_conflict(const char *text,
                                            char **message);

/**
 * Returns the stable code of a result, the same in every language, such as "pool_exhausted"; "ok" for 0, and NULL for a number
 * that this library does not know. The text lives as long as the library.
 */
const char *portalloc_error_code(uint32_t result);

/**
 * Returns what went wrong in the last call of this thread that failed; "" if none has. The text lives until the next call of
 * this thread that fails.
 */
const char *portalloc_last_error_message(void);

/**
 * Returns what to do about the error of portalloc_last_error_message(). The text lives as long as that one.
 */
const char *portalloc_last_error_remedy(void);

/**
 * Checks that a text is an isolation ID, 12 lower-case hexadecimal digits; fails with PORTALLOC_RESULT_INVALID_ID if not.
 */
portalloc_result portalloc_check_id(const char *id);

/**
 * Writes `count` variables, one per line and quoted as needed, in the syntax "shell" (safe to eval), "fish", "powershell",
 * "dotenv" or "github"; NULL means "shell". Free `out` with portalloc_string_free.
 */
portalloc_result portalloc_render(const char *const *names,
                                  const char *const *values,
                                  size_t count,
                                  const char *syntax,
                                  char **out);

/**
 * Frees a string that the library returned through an out-parameter.
 */
void portalloc_string_free(char *string);

/**
 * Returns the version of the library, such as "0.1.0"; PORTALLOC_VERSION is that of the header. Programs built for an older
 * header of the same major version (for 0.x: of the same minor version) work with it. The text lives as long as the library.
 */
const char *portalloc_version(void);

/**
 * Blocks until a server accepts connections on each of the ports, on 127.0.0.1 or ::1, for at most `wait_ms` milliseconds (0
 * checks once, PORTALLOC_FOREVER waits without limit), or until `cancel`, if it is not NULL, is used.
 *
 * Fails with PORTALLOC_RESULT_TIMEOUT; the message says for each missing port what the last check found.
 */
portalloc_result portalloc_wait_until_open(const uint16_t *ports,
                                           size_t count,
                                           int64_t wait_ms,
                                           const portalloc_cancel *cancel);

/**
 * As portalloc_wait_until_open, until the server on each of the ports is ready: until it accepts a connection, or with `http`
 * or `status` in `options` until it answers a GET as they say. `options` may be NULL.
 */
portalloc_result portalloc_wait_until_ready(const uint16_t *ports,
                                            size_t count,
                                            const portalloc_ready_options *options,
                                            int64_t wait_ms,
                                            const portalloc_cancel *cancel);

/**
 * Blocks until no socket is bound to any of the ports, TCP or UDP, TIME_WAIT included, whether or not they are leased. The
 * arguments are those of portalloc_wait_until_open.
 */
portalloc_result portalloc_wait_until_free(const uint16_t *ports,
                                           size_t count,
                                           int64_t wait_ms,
                                           const portalloc_cancel *cancel);

/**
 * Sets the handler for warnings: problems that made no call fail, such as a pool of which only a part can be used. It receives
 * each warning once per process, those from before at once. It replaces the previous handler; with NULL, warnings wait for the
 * next one. Without a handler, the library prints nothing.
 *
 * A thread that calls the library calls the handler at the end of that call, so several threads may call it at once. It may
 * call the library, but not with handles that the call around it frees, and it does not change
 * portalloc_last_error_message(). Just after a change, another thread may still call the previous handler, so function and data
 * must stay valid as long as the process lives. A forked child keeps the handler, and may repeat its parent's warnings.
 */
void portalloc_set_warning_handler(portalloc_warning_handler handler,
                                   void *data);

/**
 * Returns the environment of the worktree: makes it if there is none, and returns the same one ever after, in every process.
 * It is kept: portalloc_environment_free leaves it alone, portalloc_environment_down or portalloc_environment_cleanup end it.
 * It prefers the ports that it had before. What `options` say about ports and names applies when it is made; if an existing
 * one has others, a warning says so. Free the handle with portalloc_environment_free.
 *
 * Waits while another process makes, repairs or removes the same one, for at most 30 seconds. Fails as
 * portalloc_environment_new does, and with PORTALLOC_RESULT_IN_USE if that process does not finish.
 */
portalloc_result portalloc_worktree_environment(const portalloc_environment_options *options,
                                                portalloc_environment **out);

/**
 * As portalloc_worktree_environment, but never makes one: fails with PORTALLOC_RESULT_NOT_FOUND if there is none.
 */
portalloc_result portalloc_worktree_environment_find(const portalloc_environment_options *options,
                                                     portalloc_environment **out);

/**
 * As portalloc_worktree_environment, but moves the environment to other ports if a foreign process is on one of them, or if it
 * has other names or another number of ports than `options` and portalloc.toml say.
 *
 * Fails with PORTALLOC_RESULT_IN_USE while a server of its own, or a command that holds it, still runs.
 */
portalloc_result portalloc_worktree_environment_repair(const portalloc_environment_options *options,
                                                       portalloc_environment **out);

/**
 * Ends what is this environment's on its ports, and nothing else: processes with a socket there that hold the environment,
 * carry its ISOLATION_ID, descend from such a process, or run as this user in its worktree or temp directory without another
 * ISOLATION_ID. Never this process or one that it descends from, and never one that leads the session of a terminal. Blocks
 * until they have ended.
 *
 * `json`, if it is not NULL, becomes the report, as `portalloc stop --json` prints it; free it with portalloc_string_free.
 * What is left on the ports is in the report, and no error. `options` may be NULL. Fails with PORTALLOC_RESULT_TIMEOUT once
 * `cancel` is used, with _UNSUPPORTED before Linux 5.3.
 */
portalloc_result portalloc_environment_stop(const portalloc_environment *environment,
                                            const portalloc_stop_options *options,
                                            char **json);

/**
 * Stops the environment's servers as portalloc_environment_stop does, and then removes the environment. Leaves it if anything
 * is left on its ports: the report says what, and `"removed"` is false.
 *
 * Fails with PORTALLOC_RESULT_IN_USE, before it has ended anything, while a command that is no server holds the environment.
 */
portalloc_result portalloc_environment_down(const portalloc_environment *environment,
                                            const portalloc_stop_options *options,
                                            char **json);

/**
 * Blocks until a server that is the environment's own is ready on each of the ports, for at most `wait_ms` milliseconds (0
 * checks once, PORTALLOC_FOREVER waits without limit), or until `cancel`, if it is not NULL, is used. No ports (NULL and 0)
 * mean all of the environment's; no `options` (NULL) mean once it accepts a connection. See portalloc_environment_stop for
 * what is its own.
 *
 * Fails at once with PORTALLOC_RESULT_PORT_IN_USE on somebody else's server, and says whose and where; with _TIMEOUT, whose
 * message says for each port what the last check found.
 */
portalloc_result portalloc_wait_until_ours(const portalloc_environment *environment,
                                           const uint16_t *ports,
                                           size_t count,
                                           const portalloc_ready_options *options,
                                           int64_t wait_ms,
                                           const portalloc_cancel *cancel);

/**
 * Keeps the variables of a kept environment in a block between two marker lines of this file, and leaves everything else in it
 * as it is. The block goes with the environment. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT, with file and line, if somebody
 * has cut a marker line off, and with _IO.
 */
portalloc_result portalloc_environment_write_block(const portalloc_environment *environment,
                                                   const char *path);

/**
 * Takes a hold on a kept environment, which keeps it from being removed. Free it with portalloc_hold_free. Fails with
 * PORTALLOC_RESULT_NOT_FOUND if the environment has been removed or is stale, with _INVALID_ARGUMENT for a held one.
 */
portalloc_result portalloc_environment_hold(const portalloc_environment *environment, portalloc_hold **out);

/**
 * Duplicates the descriptor of the hold without close-on-exec, so that processes started while it is open inherit the hold, and
 * count as the environment's own. Close the copy once the child runs.
 */
portalloc_result portalloc_hold_inheritable(const portalloc_hold *hold,
                                            int32_t *out);

/**
 * Gives up this process's share. Processes that have inherited it keep theirs.
 */
void portalloc_hold_free(portalloc_hold *hold);

#ifdef __cplusplus
}  // extern "C"
#endif  // __cplusplus

/** Options with nothing set. */
static inline portalloc_lease_options portalloc_lease_options_default(void) {
    portalloc_lease_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

/** Options with nothing set. */
static inline portalloc_port_options portalloc_port_options_default(void) {
    portalloc_port_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

/** Options with nothing set. */
static inline portalloc_environment_options portalloc_environment_options_default(void) {
    portalloc_environment_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

/** Options with nothing set: a TCP socket that listens on 127.0.0.1. */
static inline portalloc_socket_options portalloc_socket_options_default(void) {
    portalloc_socket_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

/** Options with nothing set: all ports, ten seconds. */
static inline portalloc_stop_options portalloc_stop_options_default(void) {
    portalloc_stop_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

/** Options with nothing set: a server that accepts connections. */
static inline portalloc_ready_options portalloc_ready_options_default(void) {
    portalloc_ready_options options;
    memset(&options, 0, sizeof options);
    options.size = sizeof options;
    return options;
}

/** The file and line of its use, such as "server_test.c:14". */
#define PORTALLOC_PLACE __FILE__ ":" PORTALLOC_DIGITS(__LINE__)
#define PORTALLOC_DIGITS(number) PORTALLOC_QUOTED(number)
#define PORTALLOC_QUOTED(number) #number

/**
 * portalloc_port(options, &port): leases one port until this process ends or calls portalloc_give_back. Use it instead of
 * binding port 0 and closing the socket. It is portalloc_port_at with the place of the call; `options` may be NULL.
 */
#define portalloc_port(...) portalloc_port_at(PORTALLOC_PLACE, __VA_ARGS__)

#endif /* PORTALLOC_H */
