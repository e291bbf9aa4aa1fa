#ifndef PORTALLOC_H
#define PORTALLOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Conventions, for every function unless it says otherwise:
 *
 * Results. Functions that can fail return a portalloc_result, 0 for success. Its numbers are never reused or changed.
 * Out-parameters are written on success only. portalloc_last_error_message() says what happened, in this thread.
 *
 * Memory. What a ..._new function (or another that says so) gives is freed by the ..._free function of its type, once;
 * NULL may be freed. Texts that are returned belong to the library and live as long as what they are read from.
 * Texts that are given are only read during the call. All texts are UTF-8 and end with a zero byte. NULL for a text,
 * an array or a struct of options means: not given. Using a handle after it was freed is undefined, as everywhere in C.
 *
 * Threads. Every function may be called by any thread at any time, the same handle by several at once; but nobody may
 * use a handle that another thread frees.
 *
 * Fork. A lease and an environment belong to the process that made them. A forked child may read its copy and must not
 * count on ending it: freeing it there closes the child's copy and releases nothing. Exec closes it. The copies
 * of guards are closed before fork() returns in the child. A child of a raw clone() has them until exec or its end.
 *
 * Descriptors. The library closes none that is not its own, and takes none of 0 to 2. A program that closes or replaces
 * the descriptor of a lease ends that lease: portalloc_lease_is_held tells. What else was closed the next call opens anew.
 *
 * Structs of options begin with their size, so that a program built for an older header works with a newer library:
 * make them with the ..._default function, and set what you need. A library that is older than the header refuses what
 * it does not know, if that is set.
 *
 * Arrays. An array without elements that is not NULL was given: an empty list of ports is refused.
 *
 * Exit. In handlers of exit() and destructors of C++'s global objects everything works, but there are no messages.
 */

/**
 * The result of a call. The numbers are never reused or changed; new ones may be added.
 */
typedef enum {
    /**
     * Done.
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
     * No free run of that size is left in the pool.
     */
    PORTALLOC_RESULT_POOL_EXHAUSTED = 3,
    /**
     * A specific port that was asked for is leased, or something is bound to it.
     */
    PORTALLOC_RESULT_PORT_IN_USE = 4,
    /**
     * No environment with that ID, or no such process.
     */
    PORTALLOC_RESULT_NOT_FOUND = 5,
    /**
     * The environment is held by a live process, so it cannot be cleaned up from outside.
     */
    PORTALLOC_RESULT_IN_USE = 6,
    /**
     * The env file asked for exists and is not portalloc's to overwrite.
     */
    PORTALLOC_RESULT_ENV_FILE_EXISTS = 7,
    /**
     * 999 isolation IDs in a row were taken: something is wrong with the random source or the registry.
     */
    PORTALLOC_RESULT_ID_EXHAUSTED = 8,
    /**
     * The registry folder is missing, replaced, damaged, full, or not trustworthy.
     */
    PORTALLOC_RESULT_REGISTRY_UNUSABLE = 9,
    /**
     * The operating system refused for lack of rights.
     */
    PORTALLOC_RESULT_PERMISSION_DENIED = 10,
    /**
     * The deadline passed, or the wait was cancelled.
     */
    PORTALLOC_RESULT_TIMEOUT = 11,
    /**
     * Not available on this platform or kernel, or to a forked child.
     */
    PORTALLOC_RESULT_UNSUPPORTED = 12,
    /**
     * Any other failure of the operating system.
     */
    PORTALLOC_RESULT_IO = 13,
    /**
     * A defect in portalloc itself, caught before it could end the program.
     */
    PORTALLOC_RESULT_INTERNAL = 14,
} portalloc_result;

/**
 * Whether sockets keep strangers off the ports of a lease.
 */
typedef enum {
    /**
     * No guard.
     */
    PORTALLOC_GUARD_STATE_NONE = 0,
    /**
     * Servers that set SO_REUSEADDR can bind, others cannot.
     */
    PORTALLOC_GUARD_STATE_REUSE = 1,
    /**
     * Nobody can bind.
     */
    PORTALLOC_GUARD_STATE_SHUT = 2,
} portalloc_guard_state;

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
 * Where an env file goes.
 */
typedef enum {
    /**
     * `.env.isolation` in the work tree, or `.env.isolation.<id>` if that is taken; or `env_file`, if that is given.
     */
    PORTALLOC_ENV_FILE_PLACE_USUAL = 0,
    /**
     * None.
     */
    PORTALLOC_ENV_FILE_PLACE_NONE = 1,
} portalloc_env_file_place;

/**
 * A switch that ends waits: give it to calls that wait, and turn it from another thread or a signal handler.
 */
typedef struct portalloc_cancel portalloc_cancel;

/**
 * An isolation ID with a lease, a temp dir, an env file and variables around it, made and removed as one. A *held* one
 * lives until it is freed or cleaned up, or until its process is gone; a *kept* one outlives its process.
 */
typedef struct portalloc_environment portalloc_environment;

/**
 * Ports that are nobody else's until it is freed or released, or until the process that took it is gone, whichever
 * comes first: the kernel sees to it, SIGKILL included. It costs one file descriptor, which is closed on exec.
 */
typedef struct portalloc_lease portalloc_lease;

/**
 * All environments and leases of this network namespace, as they were when it was made.
 */
typedef struct portalloc_listing portalloc_listing;

/**
 * Who is on a port: the processes that have sockets on it or took its lease.
 */
typedef struct portalloc_report portalloc_report;

/**
 * The registry and the pool that calls go by.
 */
typedef struct portalloc_settings portalloc_settings;

/**
 * What an environment is asked for. Make it with portalloc_environment_options_default(). Whatever is not given, the
 * project file portalloc.toml in the work tree or above it may say.
 */
typedef struct {
    /**
     * sizeof(portalloc_environment_options).
     */
    size_t size;
    /**
     * So many consecutive ports; 0 is as many as names, `ports` or `offsets`, else five.
     */
    size_t count;
    /**
     * Names for the first ports: "postgres" becomes the variable POSTGRES_PORT.
     */
    const char *const *names;
    /**
     * How many those are.
     */
    size_t names_count;
    /**
     * Exactly these ports; at most one of `ports`, `offsets` and `scattered`.
     */
    const uint16_t *ports;
    /**
     * How many those are.
     */
    size_t ports_count;
    /**
     * A base port and the ports at these distances from it; the first is 0.
     */
    const uint16_t *offsets;
    /**
     * How many those are.
     */
    size_t offsets_count;
    /**
     * As for a lease.
     */
    const char *pool;
    /**
     * As for a lease.
     */
    const char *exclude;
    /**
     * What tells it from others of its work tree.
     */
    const char *instance_id;
    /**
     * The work tree, an existing folder; else the current one.
     */
    const char *worktree;
    /**
     * This very path for the env file.
     */
    const char *env_file;
    /**
     * Milliseconds after which a kept one is over; 0 is never.
     */
    uint64_t ttl_ms;
    /**
     * The process whose end ends a kept one; 0 is none.
     */
    uint32_t owner_pid;
    /**
     * A portalloc_env_file_place: whether there is an env file at all.
     */
    uint32_t env_file_place;
    /**
     * As for a lease.
     */
    uint64_t timeout_ms;
    /**
     * Ends the wait early.
     */
    const portalloc_cancel *cancel;
    /**
     * Ports that need not be consecutive.
     */
    bool scattered;
    /**
     * As for a lease; only for a held one.
     */
    bool guard;
    /**
     * Prefers the ports that the same work tree, instance ID and names had before.
     */
    bool sticky;
    /**
     * Outlives this process, until a cleanup, its TTL or the end of its owner.
     */
    bool kept;
} portalloc_environment_options;

/**
 * What a port that is held until the process ends is asked for. Make it with portalloc_port_options_default().
 */
typedef struct {
    /**
     * sizeof(portalloc_port_options).
     */
    size_t size;
    /**
     * As for a lease.
     */
    const char *pool;
    /**
     * As for a lease.
     */
    const char *exclude;
} portalloc_port_options;

/**
 * What a lease is asked for. Make it with portalloc_lease_options_default().
 */
typedef struct {
    /**
     * sizeof(portalloc_lease_options).
     */
    size_t size;
    /**
     * So many consecutive ports; 0 is one port, or as many as `ports` or `offsets` name.
     */
    size_t count;
    /**
     * Exactly these ports, in the pool or not; at most one of `ports`, `offsets` and `scattered`.
     */
    const uint16_t *ports;
    /**
     * How many those are.
     */
    size_t ports_count;
    /**
     * A base port and the ports at these distances from it; the first is 0.
     */
    const uint16_t *offsets;
    /**
     * How many those are.
     */
    size_t offsets_count;
    /**
     * Ports to give out, such as "20000-29999"; else PORTALLOC_POOL, else portalloc.toml, else the default.
     */
    const char *pool;
    /**
     * Ports never to give out; else PORTALLOC_EXCLUDE, else portalloc.toml, else none.
     */
    const char *exclude;
    /**
     * Prefers the ports that this key was given before, on this machine.
     */
    const char *sticky;
    /**
     * Milliseconds to wait for ports to come free; 0 fails at once, UINT64_MAX waits as long as it takes.
     */
    uint64_t timeout_ms;
    /**
     * Ends the wait early.
     */
    const portalloc_cancel *cancel;
    /**
     * Ports that need not be consecutive.
     */
    bool scattered;
    /**
     * Holds the ports against programs that know nothing of portalloc, too: see portalloc_lease_guard.
     */
    bool guard;
} portalloc_lease_options;

/**
 * What a socket to hand over is asked for. Make it with portalloc_socket_options_default().
 */
typedef struct {
    /**
     * sizeof(portalloc_socket_options).
     */
    size_t size;
    /**
     * An IP address, "localhost", or "" for every IPv4 address ("::" for every one); else 127.0.0.1.
     */
    const char *host;
    /**
     * A portalloc_socket_type.
     */
    uint32_t type;
    /**
     * A TCP socket that is bound and does not listen yet. Until it listens, a program that names the port and sets
     * SO_REUSEADDR can listen on it first.
     */
    bool bound_only;
} portalloc_socket_options;

/**
 * An environment. Its texts and ports live as long as the listing.
 */
typedef struct {
    /**
     * Its isolation ID.
     */
    const char *id;
    /**
     * "active", "stale" (its holder, TTL or owner is gone) or "damaged".
     */
    const char *status;
    /**
     * Why it is not active; NULL if it is.
     */
    const char *reason;
    /**
     * Its ports, in the order of the names.
     */
    const uint16_t *ports;
    /**
     * How many those are.
     */
    size_t ports_count;
    /**
     * The process that made a held one, or the owner of a kept one; 0 if there is none.
     */
    uint32_t holder_pid;
    /**
     * The user it belongs to.
     */
    uint32_t user_id;
    /**
     * When it was made, in milliseconds since 1970 (UTC); 0 if that is not known.
     */
    uint64_t created_at_unix_ms;
    /**
     * When its TTL is over, in milliseconds since 1970 (UTC); 0 for never.
     */
    uint64_t expires_at_unix_ms;
    /**
     * Its work tree; NULL for another user's, as are the following.
     */
    const char *worktree;
    /**
     * Its temp dir.
     */
    const char *temp_dir;
    /**
     * Its env file; NULL also if it has none.
     */
    const char *env_file;
    /**
     * Whether it is a kept one.
     */
    bool is_kept;
} portalloc_environment_info;

/**
 * A live lease that belongs to no environment. Its texts and ports live as long as the listing.
 */
typedef struct {
    /**
     * Its ports, ascending.
     */
    const uint16_t *ports;
    /**
     * How many those are.
     */
    size_t ports_count;
    /**
     * The process that took it; 0 if that is not known.
     */
    uint32_t holder_pid;
    /**
     * The user it belongs to.
     */
    uint32_t user_id;
    /**
     * That process's command name, while it runs; else NULL.
     */
    const char *holder_name;
    /**
     * When it was taken, in milliseconds since 1970 (UTC).
     */
    uint64_t since_unix_ms;
} portalloc_lease_info;

/**
 * A process that has a socket on a port, or took its lease. Its texts live as long as the report.
 */
typedef struct {
    /**
     * Its process ID; of one that only has the lease, as seen from its own PID namespace.
     */
    uint32_t pid;
    /**
     * Whether it took the port's lease.
     */
    bool leased;
    /**
     * Whether clients can reach it: it has a TCP socket that listens, or a UDP socket that is not connected.
     */
    bool listening;
    /**
     * Its command name; NULL where it cannot be read from here.
     */
    const char *name;
    /**
     * Its command line; NULL if it has no socket on the port.
     */
    const char *command;
    /**
     * The user it runs as, by name or else by number; NULL if it has no socket on the port.
     */
    const char *user;
    /**
     * When it started, in milliseconds since 1970 (UTC); 0 if it has no socket on the port.
     */
    uint64_t started_at_unix_ms;
} portalloc_holder;

/**
 * What is called with a warning: `code` is a stable word such as "pool", `message` says what happened and what to do, `data`
 * is what was given with the handler. The texts live until it returns. It must return: no longjmp, no exception.
 */
typedef void (*portalloc_warning_handler)(const char *code, const char *message, void *data);

#ifdef __cplusplus
extern "C" {
#endif // __cplusplus

/**
 * Makes a switch, to be freed by `portalloc_cancel_free`. One may serve several calls, and stays turned.
 *
 * # Safety
 * `out` must be NULL or writable.
 */
portalloc_result portalloc_cancel_new(portalloc_cancel **out);

/**
 * Turns it: waits that were given it end with PORTALLOC_RESULT_TIMEOUT within a quarter of a second, and so do those that
 * begin later. Safe in a signal handler. NULL does nothing.
 *
 * # Safety
 * `cancel` must be NULL or a live handle.
 */
void portalloc_cancel_now(const portalloc_cancel *cancel);

/**
 * Frees it. Waits that were given it go on. NULL does nothing.
 *
 * # Safety
 * `cancel` must be NULL or a live handle.
 */
void portalloc_cancel_free(portalloc_cancel *cancel);

/**
 * Makes an environment, to be freed by `portalloc_environment_free`. If it fails, nothing of it is left. Without options:
 * held, five ports, in the current folder, as the project file says.
 *
 * Fails as portalloc_lease_new, and with PORTALLOC_RESULT_NOT_FOUND (owner), _ENV_FILE_EXISTS or _ID_EXHAUSTED.
 *
 * # Safety
 * `options` must be NULL or as its members' comments say, `out` NULL or writable.
 */
portalloc_result portalloc_environment_new(const portalloc_environment_options *options,
                                           portalloc_environment **out);

/**
 * The environment of this run: attached to the one that the variable ISOLATION_ID names, if that lives; else a new one, as
 * by portalloc_environment_new. Setting its variables for other processes is yours to do: in C it is not safe while other
 * threads read the environment. To be freed by `portalloc_environment_free`.
 *
 * # Safety
 * As for portalloc_environment_new.
 */
portalloc_result portalloc_environment_current(const portalloc_environment_options *options,
                                               portalloc_environment **out);

/**
 * The live environment with this ID, or for NULL with that in the variable ISOLATION_ID, to read its ports, names and temp
 * dir. Freeing it, by `portalloc_environment_free`, ends nothing.
 *
 * Fails with PORTALLOC_RESULT_INVALID_ID, _NOT_FOUND if there is none or it is over, or _PERMISSION_DENIED.
 *
 * # Safety
 * `id` must be NULL or a text, `out` NULL or writable.
 */
portalloc_result portalloc_environment_attach(const char *id,
                                              portalloc_environment **out);

/**
 * Frees the handle. A held environment that was made by this process is cleaned up; what cannot be removed now keeps its
 * record, for a cleanup of what is stale. NULL does nothing.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
void portalloc_environment_free(portalloc_environment *environment);

/**
 * Removes its temp dir, env file and record, gives the ports back, and keeps the handle. Again does nothing. An attached
 * one is removed too, if it is a kept one.
 *
 * Fails with PORTALLOC_RESULT_IN_USE if another process holds it, such as the parent of a forked child; with
 * _PERMISSION_DENIED, _IO or _REGISTRY_UNUSABLE: then it can be repeated.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
portalloc_result portalloc_environment_cleanup(const portalloc_environment *environment);

/**
 * A handle for the lease of a held environment, in the process that made it: for guards, hand-off, and passing it on. To
 * be freed by `portalloc_lease_free`, before or after the environment. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT for any
 * other environment.
 *
 * # Safety
 * `environment` must be NULL or a live handle, `out` NULL or writable.
 */
portalloc_result portalloc_environment_lease(const portalloc_environment *environment,
                                             portalloc_lease **out);

/**
 * Its isolation ID; NULL for NULL, as for all texts of an environment. They live until it is freed.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
const char *portalloc_environment_id(const portalloc_environment *environment);

/**
 * Its temp dir.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
const char *portalloc_environment_temp_dir(const portalloc_environment *environment);

/**
 * Its env file; NULL if it has none.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
const char *portalloc_environment_env_file(const portalloc_environment *environment);

/**
 * The work tree it was made for.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
const char *portalloc_environment_worktree(const portalloc_environment *environment);

/**
 * What tells it from others of its work tree; may be empty.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
const char *portalloc_environment_instance_id(const portalloc_environment *environment);

/**
 * The name of its port at `index`; NULL if that has none.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
const char *portalloc_environment_name(const portalloc_environment *environment, size_t index);

/**
 * How many variables it has.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
size_t portalloc_environment_variable_count(const portalloc_environment *environment);

/**
 * The name of the variable at `index`, such as "POSTGRES_PORT"; NULL if there is none.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
const char *portalloc_environment_variable_name(const portalloc_environment *environment, size_t index);

/**
 * The value of the variable at `index`; NULL if there is none.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
const char *portalloc_environment_variable_value(const portalloc_environment *environment, size_t index);

/**
 * Fills `out` with its ports in the order of the names, as many as there is room for, and returns how many it has.
 *
 * # Safety
 * `environment` must be NULL or a live handle, and `out` NULL or have room for `capacity` ports.
 */
size_t portalloc_environment_ports(const portalloc_environment *environment, uint16_t *out, size_t capacity);

/**
 * Its port of this name, or at this index written in digits; 0 if there is none.
 *
 * # Safety
 * `environment` must be NULL or a live handle, `name` NULL or a text.
 */
uint16_t portalloc_environment_port(const portalloc_environment *environment, const char *name);

/**
 * Whether it is a kept one.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
bool portalloc_environment_is_kept(const portalloc_environment *environment);

/**
 * Whether it was found, rather than made by this handle.
 *
 * # Safety
 * `environment` must be NULL or a live handle.
 */
bool portalloc_environment_is_attached(const portalloc_environment *environment);

/**
 * Leases one port and holds it until this process ends, or until portalloc_give_back. Call it by the macro `portalloc_port`,
 * which says where it stands: `place` is that place, such as "server_test.c:14"; NULL is not known. Where the pool is
 * exhausted, or the process has no descriptor left, the message names the places that have taken the most ports and not
 * given them back.
 *
 * Costs one file descriptor, closed on exec. Does not block. A forked child holds none of its parent's: it cannot give them
 * back, and they stay leased until parent and child are gone, or the parent gives them back. Fails as portalloc_lease_new.
 *
 * # Safety
 * `place` must be NULL or a text, `options` NULL or as its members' comments say, `out` NULL or writable.
 */
portalloc_result portalloc_port_at(const char *place,
                                   const portalloc_port_options *options,
                                   uint16_t *out);

/**
 * Gives back a port of `portalloc_port` before this process ends. Close your own sockets first: from here on others may be
 * given it. False, and nothing else, if it is not one of those, or no longer, or a forked child's parent's.
 */
bool portalloc_give_back(uint16_t port);

/**
 * Leases ports, to be given back by `portalloc_lease_free`. Without options: one port.
 *
 * Blocks only if a timeout is given. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT, _POOL_EXHAUSTED, _PORT_IN_USE,
 * _TIMEOUT, _REGISTRY_UNUSABLE, _PERMISSION_DENIED or _IO.
 *
 * # Safety
 * `options` must be NULL or as its members' comments say, `out` NULL or writable.
 */
portalloc_result portalloc_lease_new(const portalloc_lease_options *options, portalloc_lease **out);

/**
 * Releases it and frees the handle. In a forked child it only closes the child's copy. That of an environment is not
 * released by this, but by the environment's cleanup. NULL does nothing.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
void portalloc_lease_free(portalloc_lease *lease);

/**
 * Gives the ports back and keeps the handle. Again does nothing, and neither does a forked child's call. Close your own
 * sockets first: from here on others may be given these ports. A lease that was passed on ends only when the last process
 * that has it is gone.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
portalloc_result portalloc_lease_release(const portalloc_lease *lease);

/**
 * Whether it was released, or its environment cleaned up. NULL counts as released.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
bool portalloc_lease_is_released(const portalloc_lease *lease);

/**
 * Whether the ports are still this lease's: it was not released, its environment not cleaned up, and its descriptor is still
 * its own. A program that closes descriptors that it does not know, as daemons do when they start, ends its leases by that.
 * In a forked child: whether the child's copy keeps the lease alive. False for NULL.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
bool portalloc_lease_is_held(const portalloc_lease *lease);

/**
 * How many ports it has; 0 for NULL.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
size_t portalloc_lease_count(const portalloc_lease *lease);

/**
 * Its port at `index`, known also after the release; 0 if there is none. Those of a run ascend, others are in the order
 * asked for.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
uint16_t portalloc_lease_port(const portalloc_lease *lease, size_t index);

/**
 * Fills `out` with its ports, as many as there is room for, and returns how many it has.
 *
 * # Safety
 * `lease` must be NULL or a live handle, and `out` NULL or have room for `capacity` ports.
 */
size_t portalloc_lease_ports(const portalloc_lease *lease, uint16_t *out, size_t capacity);

/**
 * Holds the ports by sockets, against programs that know nothing of portalloc: none of them, and no server of your own,
 * can bind the ports until portalloc_lease_open_guard or portalloc_lease_drop_guard. The sockets do not listen. Fails with
 * PORTALLOC_RESULT_PORT_IN_USE if a stranger is there already.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
portalloc_result portalloc_lease_guard(const portalloc_lease *lease);

/**
 * Lets servers that set SO_REUSEADDR, as nearly all do, bind over the guard, which goes on keeping others off. UDP ports
 * are not guarded from then on. Without a guard does nothing.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
portalloc_result portalloc_lease_open_guard(const portalloc_lease *lease);

/**
 * Closes the guard's sockets, for servers that do not set SO_REUSEADDR. The lease stays.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
portalloc_result portalloc_lease_drop_guard(const portalloc_lease *lease);

/**
 * The state of its guard; none for NULL and once released.
 *
 * # Safety
 * `lease` must be NULL or a live handle.
 */
portalloc_guard_state portalloc_lease_guard_state(const portalloc_lease *lease);

/**
 * A socket bound to the port at `index`, to hand to the server itself: a descriptor of yours to close, with close-on-exec,
 * which outlives the lease. Nobody can come in between: a TCP socket is bound over a guard of this lease. Without options:
 * TCP, listening on 127.0.0.1. Fails with PORTALLOC_RESULT_PORT_IN_USE if a stranger was there first.
 *
 * # Safety
 * `lease` must be NULL or a live handle, `options` NULL or as its members' comments say, `out` NULL or writable.
 */
portalloc_result portalloc_lease_socket(const portalloc_lease *lease,
                                        size_t index,
                                        const portalloc_socket_options *options,
                                        int32_t *out);

/**
 * A copy of the lease's descriptor, without close-on-exec, so that processes started while it is open inherit the lease:
 * it then lives until this process and every one of them have closed it or ended. Close it once the child is started.
 * Guards are not passed on. From now on releasing the lease gives up only this process's part in it. Fails with
 * PORTALLOC_RESULT_UNSUPPORTED in a forked child.
 *
 * # Safety
 * `lease` must be NULL or a live handle, `out` NULL or writable.
 */
portalloc_result portalloc_lease_inheritable(const portalloc_lease *lease,
                                             int32_t *out);

/**
 * Reads all environments, oldest first, and all live leases, by port; to be freed by `portalloc_listing_free`. Nothing is
 * locked or changed.
 *
 * # Safety
 * `out` must be NULL or writable.
 */
portalloc_result portalloc_listing_new(portalloc_listing **out);

/**
 * How many environments there are.
 *
 * # Safety
 * `listing` must be NULL or a live handle.
 */
size_t portalloc_listing_environment_count(const portalloc_listing *listing);

/**
 * How many leases there are.
 *
 * # Safety
 * `listing` must be NULL or a live handle.
 */
size_t portalloc_listing_lease_count(const portalloc_listing *listing);

/**
 * The environment at `index`. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT if there is none.
 *
 * # Safety
 * `listing` must be NULL or a live handle, `out` NULL or writable.
 */
portalloc_result portalloc_listing_environment(const portalloc_listing *listing,
                                               size_t index,
                                               portalloc_environment_info *out);

/**
 * The lease at `index`. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT if there is none.
 *
 * # Safety
 * `listing` must be NULL or a live handle, `out` NULL or writable.
 */
portalloc_result portalloc_listing_lease(const portalloc_listing *listing, size_t index, portalloc_lease_info *out);

/**
 * Frees it. NULL does nothing.
 *
 * # Safety
 * `listing` must be NULL or a live handle.
 */
void portalloc_listing_free(portalloc_listing *listing);

/**
 * Whether a lease of this port could be had at this moment: not leased, and nothing bound to it, TCP or UDP, on any
 * address. What is free now may be taken a moment later: to have a port, lease it.
 *
 * # Safety
 * `out` must be NULL or writable.
 */
portalloc_result portalloc_is_free(uint16_t port, bool *out);

/**
 * Blocks until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1, for at most `timeout_ms`
 * milliseconds (0 looks once, UINT64_MAX waits as long as it takes) or until `cancel`, if given, is turned.
 *
 * Fails with PORTALLOC_RESULT_TIMEOUT; the message says of each port that is not there what was seen last.
 *
 * # Safety
 * `ports` must have `count` elements, `cancel` be NULL or a live handle.
 */
portalloc_result portalloc_wait_for(const uint16_t *ports,
                                    size_t count,
                                    uint64_t timeout_ms,
                                    const portalloc_cancel *cancel);

/**
 * Blocks until nothing is bound to any of the ports, TCP or UDP, TIME_WAIT included; leased or not. As for
 * portalloc_wait_for.
 *
 * # Safety
 * As for portalloc_wait_for.
 */
portalloc_result portalloc_wait_free(const uint16_t *ports,
                                     size_t count,
                                     uint64_t timeout_ms,
                                     const portalloc_cancel *cancel);

/**
 * Removes the environment with this ID, kept or stale. `removed`, if given, tells whether there was one: it may be called
 * again. Fails with PORTALLOC_RESULT_IN_USE if a live process holds it.
 *
 * # Safety
 * `id` must be NULL or a text, `removed` NULL or writable.
 */
portalloc_result portalloc_cleanup(const char *id,
                                   bool *removed);

/**
 * Removes what is over: stale environments of this user, and what crashes have left. `removed`, if given, tells how many
 * environments that were. Never touches a live one. If one cannot be removed it fails, after all others were.
 *
 * # Safety
 * `removed` must be NULL or writable.
 */
portalloc_result portalloc_cleanup_stale(size_t *removed);

/**
 * Checks record, temp dir, env file and lease of an environment of this user. `valid` tells whether every check passed; if
 * not, portalloc_last_error_message() says which did not, and why.
 *
 * # Safety
 * `id` must be NULL or a text, `valid` NULL or writable.
 */
portalloc_result portalloc_validate(const char *id,
                                    bool *valid);

/**
 * Who is on this port, in a report to be freed by `portalloc_report_free`. Nothing is locked, probed or changed. Processes
 * of other users can be seen by root only.
 *
 * # Safety
 * `out` must be NULL or writable.
 */
portalloc_result portalloc_who(uint16_t port,
                               portalloc_report **out);

/**
 * One sentence: who is on it, since when, and the lease or environment that has it. NULL for NULL.
 *
 * # Safety
 * `report` must be NULL or a live handle.
 */
const char *portalloc_report_message(const portalloc_report *report);

/**
 * Whether there is a socket on the port.
 *
 * # Safety
 * `report` must be NULL or a live handle.
 */
bool portalloc_report_in_use(const portalloc_report *report);

/**
 * Whether a lease or an environment has the port.
 *
 * # Safety
 * `report` must be NULL or a live handle.
 */
bool portalloc_report_leased(const portalloc_report *report);

/**
 * How many processes there are.
 *
 * # Safety
 * `report` must be NULL or a live handle.
 */
size_t portalloc_report_holder_count(const portalloc_report *report);

/**
 * The process at `index`. Fails with PORTALLOC_RESULT_INVALID_ARGUMENT if there is none.
 *
 * # Safety
 * `report` must be NULL or a live handle, `out` NULL or writable.
 */
portalloc_result portalloc_report_holder(const portalloc_report *report, size_t index, portalloc_holder *out);

/**
 * Frees it. NULL does nothing.
 *
 * # Safety
 * `report` must be NULL or a live handle.
 */
void portalloc_report_free(portalloc_report *report);

/**
 * The stable code of a result, the same in every language: "pool_exhausted"; "ok" for 0, and NULL for a number that is
 * none of this library's. The text lives as long as the library.
 */
const char *portalloc_error_code(uint32_t result);

/**
 * What happened when a call of this thread failed the last time, with the value in it; "" if none has. The text lives
 * until the next call of this thread that fails.
 */
const char *portalloc_last_error_message(void);

/**
 * What to do next about the error of `portalloc_last_error_message()`. The text lives as long as that.
 */
const char *portalloc_last_error_remedy(void);

/**
 * The registry and the pool that calls from the current folder go by: arguments, which may be NULL, else variables, else
 * the project file, else the defaults. To be freed by `portalloc_settings_free`.
 *
 * # Safety
 * `pool` and `exclude` must be NULL or texts, `out` NULL or writable.
 */
portalloc_result portalloc_settings_new(const char *pool,
                                        const char *exclude,
                                        portalloc_settings **out);

/**
 * The registry's folder, in which all leases of this machine meet. NULL for NULL.
 *
 * # Safety
 * `settings` must be NULL or a live handle.
 */
const char *portalloc_settings_directory(const portalloc_settings *settings);

/**
 * The pool as it was asked for, such as "20000-29999".
 *
 * # Safety
 * `settings` must be NULL or a live handle.
 */
const char *portalloc_settings_pool(const portalloc_settings *settings);

/**
 * The ports that may be given out: the pool without the kernel's ephemeral range, known services, and exclusions.
 *
 * # Safety
 * `settings` must be NULL or a live handle.
 */
const char *portalloc_settings_ports(const portalloc_settings *settings);

/**
 * How many those are.
 *
 * # Safety
 * `settings` must be NULL or a live handle.
 */
size_t portalloc_settings_port_count(const portalloc_settings *settings);

/**
 * Frees it. NULL does nothing.
 *
 * # Safety
 * `settings` must be NULL or a live handle.
 */
void portalloc_settings_free(portalloc_settings *settings);

/**
 * Whether a text is an isolation ID, 12 lower-case hexadecimal digits: if not, PORTALLOC_RESULT_INVALID_ID.
 *
 * # Safety
 * `id` must be NULL or a text.
 */
portalloc_result portalloc_check_id(const char *id);

/**
 * Writes variables, a line each, whatever the values contain, in the syntax "shell" (safe to eval), "fish", "powershell",
 * "dotenv" or "github". The text is to be freed by `portalloc_text_free`.
 *
 * # Safety
 * `names` and `values` must have `count` texts each, `syntax` be NULL or a text, `out` NULL or writable.
 */
portalloc_result portalloc_render(const char *const *names,
                                  const char *const *values,
                                  size_t count,
                                  const char *syntax,
                                  char **out);

/**
 * Frees a text of `portalloc_render`. NULL does nothing.
 *
 * # Safety
 * `text` must be NULL or such a text that was not freed before.
 */
void portalloc_text_free(char *text);

/**
 * The library's version, such as "0.1.0". Programs that were built for an older header of the same major version (for
 * 0.x: of the same minor version) work with it. The text lives as long as the library.
 */
const char *portalloc_version(void);

/**
 * Has `handler` called with every warning, each once in a process: what the user should know though no call failed, such
 * as a pool that was asked for and is used in part only. It replaces the handler before it; NULL switches warnings off,
 * which then wait for the next handler. Warnings that came up before are told at once. Without a handler nothing is told.
 *
 * The handler is called at the end of a call of this library, by the thread that made that call; so several threads may
 * call it at once. It may call the library, except for handles that the interrupted call frees, and it does not change
 * portalloc_last_error_message(). Just after a change, another thread may still call the handler before. A forked child
 * keeps the handler, and may be told again what its parent was told.
 *
 * # Safety
 * `handler` must be NULL or a function that may be called with `data` by any thread, as long as the process lives.
 */
void portalloc_set_warning_handler(portalloc_warning_handler handler,
                                   void *data);

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

/** The place where it is written, such as "server_test.c:14". */
#define PORTALLOC_PLACE __FILE__ ":" PORTALLOC_DIGITS(__LINE__)
#define PORTALLOC_DIGITS(number) PORTALLOC_QUOTED(number)
#define PORTALLOC_QUOTED(number) #number

/**
 * portalloc_port(options, &port): one port that is nobody else's until this process ends, or until portalloc_give_back. In
 * place of binding port 0 and closing the socket. As portalloc_port_at with the place of the call; `options` may be NULL.
 */
#define portalloc_port(...) portalloc_port_at(PORTALLOC_PLACE, __VA_ARGS__)

#endif /* PORTALLOC_H */
