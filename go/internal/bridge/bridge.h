/* What Go calls instead of portalloc.h: the same functions, each with its error in one crossing.
 *
 * With cgo, Go compiles this; without, it is part of the shared library that Go loads. So every function returns
 * nothing, and all arguments are pointers and integers: Go can pass those without a C compiler.
 *
 * The library keeps the message of an error for the thread in which it happened, and a goroutine may be on another
 * thread at its next call. So these copy the texts before the crossing ends. */
#ifndef PORTALLOC_GO_BRIDGE_H
#define PORTALLOC_GO_BRIDGE_H

#include <portalloc.h>

#ifndef __GLIBC__
#error "portalloc: with musl, build without cgo (CGO_ENABLED=0): the library to be linked is for glibc"
#endif

/* A warning. */
typedef struct pgo_warning {
    struct pgo_warning *earlier;
    char *code;
    char *message;
} pgo_warning;

/* The result of a call, all zero before it. If the call failed or brought warnings, it needs pgo_outcome_free. */
typedef struct {
    /* NULL unless the call failed. */
    char *message;
    char *remedy;
    /* All warnings since the last outcome, of any thread; the latest first. */
    pgo_warning *warnings;
    uint32_t result;
} pgo_outcome;

void pgo_outcome_free(const pgo_outcome *outcome);

/* From now on, outcomes bring warnings. Calling back into Go would cost each call more than a lease does. */
void pgo_collect_warnings(void);

/* The version of the library, a text of its own. */
void pgo_version(const char **out);
void pgo_string_free(char *string);

/* Also writes up to `capacity` of the ports. */
void pgo_lease_new(pgo_outcome *outcome, const portalloc_lease_options *options, portalloc_lease **out, uint16_t *ports,
                   size_t capacity);
void pgo_lease_free(pgo_outcome *outcome, portalloc_lease *lease);
void pgo_lease_is_held(pgo_outcome *outcome, const portalloc_lease *lease, bool *out);
void pgo_lease_guard(pgo_outcome *outcome, const portalloc_lease *lease);
void pgo_lease_share_guard(pgo_outcome *outcome, const portalloc_lease *lease);
void pgo_lease_drop_guard(pgo_outcome *outcome, const portalloc_lease *lease);
void pgo_lease_guard_state(const portalloc_lease *lease, uint32_t *out);
void pgo_lease_socket(pgo_outcome *outcome, const portalloc_lease *lease, int64_t index,
                      const portalloc_socket_options *options, int32_t *out);
void pgo_lease_inheritable(pgo_outcome *outcome, const portalloc_lease *lease, int32_t *out);

void pgo_port_at(pgo_outcome *outcome, const char *place, const portalloc_port_options *options, uint16_t *out);
void pgo_give_back(pgo_outcome *outcome, int64_t port, bool *out);

void pgo_environment_new(pgo_outcome *outcome, const portalloc_environment_options *options,
                         portalloc_environment **out);
void pgo_environment_current(pgo_outcome *outcome, const portalloc_environment_options *options,
                             portalloc_environment **out);
void pgo_environment_attach(pgo_outcome *outcome, const char *id, portalloc_environment **out);
void pgo_environment_free(pgo_outcome *outcome, portalloc_environment *environment);
void pgo_environment_cleanup(pgo_outcome *outcome, const portalloc_environment *environment);
void pgo_environment_lease(pgo_outcome *outcome, const portalloc_environment *environment, portalloc_lease **out);
void pgo_environment_port(pgo_outcome *outcome, const portalloc_environment *environment, const char *name,
                          uint16_t *out);

/* What an environment is. The texts live as long as the handle. */
typedef struct {
    const char *id;
    const char *temp_dir;
    const char *env_file;
    const char *worktree;
    const char *instance_id;
    size_t port_count;
    size_t variable_count;
    bool is_kept;
    bool is_attached;
} pgo_facts;

void pgo_environment_facts(const portalloc_environment *environment, pgo_facts *out);
void pgo_environment_ports(const portalloc_environment *environment, uint16_t *out, size_t capacity);
/* The text is NULL for a port without a name. */
void pgo_environment_name(const portalloc_environment *environment, size_t index, const char **out);
void pgo_environment_variable(const portalloc_environment *environment, size_t index, const char **name,
                              const char **value);

void pgo_worktree_environment(pgo_outcome *outcome, const portalloc_environment_options *options,
                              portalloc_environment **out);
void pgo_worktree_environment_find(pgo_outcome *outcome, const portalloc_environment_options *options,
                                   portalloc_environment **out);
void pgo_worktree_environment_repair(pgo_outcome *outcome, const portalloc_environment_options *options,
                                     portalloc_environment **out);
void pgo_environment_stop(pgo_outcome *outcome, const portalloc_environment *environment,
                          const portalloc_stop_options *options, char **out);
void pgo_environment_down(pgo_outcome *outcome, const portalloc_environment *environment,
                          const portalloc_stop_options *options, char **out);
void pgo_wait_until_ours(pgo_outcome *outcome, const portalloc_environment *environment, const uint16_t *ports,
                         size_t count, const portalloc_ready_options *options, int64_t wait_ms,
                         const portalloc_cancel *cancel);
void pgo_environment_write_block(pgo_outcome *outcome, const portalloc_environment *environment, const char *path);
void pgo_environment_hold(pgo_outcome *outcome, const portalloc_environment *environment, portalloc_hold **out);
void pgo_hold_inheritable(pgo_outcome *outcome, const portalloc_hold *hold, int32_t *out);
void pgo_hold_free(pgo_outcome *outcome, portalloc_hold *hold);

void pgo_cancel_new(pgo_outcome *outcome, portalloc_cancel **out);
void pgo_cancel_now(const portalloc_cancel *cancel);
void pgo_cancel_free(portalloc_cancel *cancel);
void pgo_wait_until_open(pgo_outcome *outcome, const uint16_t *ports, size_t count, int64_t wait_ms,
                         const portalloc_cancel *cancel);
void pgo_wait_until_ready(pgo_outcome *outcome, const uint16_t *ports, size_t count,
                          const portalloc_ready_options *options, int64_t wait_ms, const portalloc_cancel *cancel);
void pgo_wait_until_free(pgo_outcome *outcome, const uint16_t *ports, size_t count, int64_t wait_ms,
                         const portalloc_cancel *cancel);

void pgo_is_free(pgo_outcome *outcome, int64_t port, bool *out);

/* Each of these writes a string for pgo_string_free. */
void pgo_who(pgo_outcome *outcome, int64_t port, char **out);
void pgo_list(pgo_outcome *outcome, char **out);
void pgo_validate(pgo_outcome *outcome, const char *id, char **out);
void pgo_settings(pgo_outcome *outcome, const char *pool, const char *exclude, char **out);
void pgo_doctor(pgo_outcome *outcome, int64_t count, const char *pool, const char *exclude, char **out);
void pgo_leaks(pgo_outcome *outcome, const uint16_t *ports, size_t count, char **out);
void pgo_explain_conflict(pgo_outcome *outcome, const char *text, char **out);
void pgo_render(pgo_outcome *outcome, const char *const *names, const char *const *values, size_t count,
                const char *syntax, char **out);

void pgo_cleanup(pgo_outcome *outcome, const char *id, bool *removed);
void pgo_cleanup_stale(pgo_outcome *outcome, size_t *removed);
void pgo_check_id(pgo_outcome *outcome, const char *id);

#endif
