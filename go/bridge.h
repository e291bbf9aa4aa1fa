/* What Go calls instead of portalloc.h: the same functions, each with its error in one crossing.
 *
 * The library keeps the message of an error for the thread in which it happened, and a goroutine may be on another thread at
 * its next call. So these copy the texts before the crossing ends. */
#ifndef PORTALLOC_GO_BRIDGE_H
#define PORTALLOC_GO_BRIDGE_H

#include <portalloc.h>

/* A warning. Go frees it and its texts. */
typedef struct pgo_warning {
    struct pgo_warning *earlier;
    char *code;
    char *message;
} pgo_warning;

/* The result of a call. Go frees the texts, which are NULL unless it failed. */
typedef struct {
    char *message;
    char *remedy;
    /* All warnings since the last outcome, of any thread; the latest first. */
    pgo_warning *warnings;
    portalloc_result result;
} pgo_outcome;

/* From now on, outcomes bring warnings. Calling back into Go would cost each call more than a lease does. */
void pgo_collect_warnings(void);

/* Also writes up to `capacity` of the ports. */
pgo_outcome pgo_lease_new(const portalloc_lease_options *options, portalloc_lease **out, uint16_t *ports,
                          size_t capacity);
pgo_outcome pgo_lease_free(portalloc_lease *lease);
pgo_outcome pgo_lease_is_held(const portalloc_lease *lease, bool *out);
pgo_outcome pgo_lease_guard(const portalloc_lease *lease);
pgo_outcome pgo_lease_share_guard(const portalloc_lease *lease);
pgo_outcome pgo_lease_drop_guard(const portalloc_lease *lease);
pgo_outcome pgo_lease_socket(const portalloc_lease *lease, int64_t index, const portalloc_socket_options *options,
                             int32_t *out);
pgo_outcome pgo_lease_inheritable(const portalloc_lease *lease, int32_t *out);

pgo_outcome pgo_port_at(const char *place, const portalloc_port_options *options, uint16_t *out);
pgo_outcome pgo_give_back(int64_t port, bool *out);

pgo_outcome pgo_environment_free(portalloc_environment *environment);
pgo_outcome pgo_environment_new(const portalloc_environment_options *options, portalloc_environment **out);
pgo_outcome pgo_environment_current(const portalloc_environment_options *options, portalloc_environment **out);
pgo_outcome pgo_environment_attach(const char *id, portalloc_environment **out);
pgo_outcome pgo_environment_cleanup(const portalloc_environment *environment);
pgo_outcome pgo_environment_lease(const portalloc_environment *environment, portalloc_lease **out);
pgo_outcome pgo_environment_port(const portalloc_environment *environment, const char *name, uint16_t *out);

pgo_outcome pgo_cancel_new(portalloc_cancel **out);
pgo_outcome pgo_wait_until_open(const uint16_t *ports, size_t count, int64_t wait_ms, const portalloc_cancel *cancel);
pgo_outcome pgo_wait_until_free(const uint16_t *ports, size_t count, int64_t wait_ms, const portalloc_cancel *cancel);

pgo_outcome pgo_is_free(int64_t port, bool *out);
pgo_outcome pgo_who(int64_t port, char **json);
pgo_outcome pgo_list(char **json);
pgo_outcome pgo_validate(const char *id, char **json);
pgo_outcome pgo_settings(const char *pool, const char *exclude, char **json);
pgo_outcome pgo_doctor(int64_t count, const char *pool, const char *exclude, char **json);
pgo_outcome pgo_leaks(const uint16_t *ports, size_t count, char **message);
pgo_outcome pgo_explain_conflict(const char *text, char **message);

pgo_outcome pgo_cleanup(const char *id, bool *removed);
pgo_outcome pgo_cleanup_stale(size_t *removed);
pgo_outcome pgo_check_id(const char *id);
pgo_outcome pgo_render(const char *const *names, const char *const *values, size_t count, const char *syntax,
                       char **out);

#endif
