/* What Go calls instead of portalloc.h: the same calls, each with its error in one crossing.
 *
 * The message of an error is kept for the thread it happened in, and a goroutine may be on another thread at its next
 * call. So the texts are fetched, and copied, before the crossing ends. Knows nothing of Go's memory. */
#ifndef PORTALLOC_GO_BRIDGE_H
#define PORTALLOC_GO_BRIDGE_H

#include <portalloc.h>

/* What the user should know though nothing failed. It is Go's to free, and so are its texts. */
typedef struct pgo_warning {
    struct pgo_warning *earlier;
    char *code;
    char *message;
} pgo_warning;

/* What a call came to; the texts, which are NULL unless it failed, are Go's to free. */
typedef struct {
    char *message;
    char *remedy;
    /* What has come up since the last outcome, in whatever thread; the last one first. */
    pgo_warning *warnings;
    portalloc_result result;
} pgo_outcome;

/* From now on, warnings come with outcomes. Calls back into Go would cost every call more than a lease does. */
void pgo_collect_warnings(void);

/* With its ports, as many as there is room for. */
pgo_outcome pgo_lease_new(const portalloc_lease_options *options, portalloc_lease **out, uint16_t *ports,
                          size_t capacity);
/* These do not fail, but may have warnings. */
pgo_outcome pgo_lease_free(portalloc_lease *lease);
pgo_outcome pgo_lease_is_held(const portalloc_lease *lease, bool *out);
pgo_outcome pgo_lease_guard(const portalloc_lease *lease);
pgo_outcome pgo_lease_open_guard(const portalloc_lease *lease);
pgo_outcome pgo_lease_drop_guard(const portalloc_lease *lease);
pgo_outcome pgo_lease_socket(const portalloc_lease *lease, size_t index, const portalloc_socket_options *options,
                             int32_t *out);
pgo_outcome pgo_lease_inheritable(const portalloc_lease *lease, int32_t *out);

pgo_outcome pgo_port_at(const char *place, const portalloc_port_options *options, uint16_t *out);
pgo_outcome pgo_give_back(uint16_t port, bool *out);

/* It does not fail, but may have warnings. */
pgo_outcome pgo_environment_free(portalloc_environment *environment);
pgo_outcome pgo_environment_new(const portalloc_environment_options *options, portalloc_environment **out);
pgo_outcome pgo_environment_current(const portalloc_environment_options *options, portalloc_environment **out);
pgo_outcome pgo_environment_attach(const char *id, portalloc_environment **out);
pgo_outcome pgo_environment_cleanup(const portalloc_environment *environment);
pgo_outcome pgo_environment_lease(const portalloc_environment *environment, portalloc_lease **out);

pgo_outcome pgo_cancel_new(portalloc_cancel **out);
pgo_outcome pgo_wait_for(const uint16_t *ports, size_t count, uint64_t timeout_ms, const portalloc_cancel *cancel);
pgo_outcome pgo_wait_free(const uint16_t *ports, size_t count, uint64_t timeout_ms, const portalloc_cancel *cancel);

pgo_outcome pgo_is_free(uint16_t port, bool *out);
pgo_outcome pgo_who(uint16_t port, portalloc_report **out);
pgo_outcome pgo_report_holder(const portalloc_report *report, size_t index, portalloc_holder *out);
pgo_outcome pgo_listing_new(portalloc_listing **out);
pgo_outcome pgo_listing_environment(const portalloc_listing *listing, size_t index, portalloc_environment_info *out);
pgo_outcome pgo_listing_lease(const portalloc_listing *listing, size_t index, portalloc_lease_info *out);

pgo_outcome pgo_cleanup(const char *id, bool *removed);
pgo_outcome pgo_cleanup_stale(size_t *removed);
/* The message says of one that is not valid what is wrong with it. */
pgo_outcome pgo_validate(const char *id, bool *valid);

pgo_outcome pgo_settings_new(const char *pool, const char *exclude, portalloc_settings **out);
pgo_outcome pgo_check_id(const char *id);
pgo_outcome pgo_render(const char *const *names, const char *const *values, size_t count, const char *syntax,
                       char **out);

#endif
