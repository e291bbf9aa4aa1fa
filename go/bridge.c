#include "bridge.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* Those that no outcome has taken yet, the latest first. */
static _Atomic(pgo_warning *) warnings;

static void keep_warning(const char *code, const char *message, void *unused) {
    (void)unused;
    pgo_warning *warning = malloc(sizeof *warning);
    if (warning == NULL) {
        return;
    }
    warning->code = strdup(code);
    warning->message = strdup(message);
    warning->earlier = atomic_load(&warnings);
    while (!atomic_compare_exchange_weak(&warnings, &warning->earlier, warning)) {
    }
}

void pgo_collect_warnings(void) { portalloc_set_warning_handler(keep_warning, NULL); }

static pgo_outcome outcome(portalloc_result result) {
    pgo_outcome of = {NULL, NULL, NULL, result};
    if (atomic_load_explicit(&warnings, memory_order_relaxed) != NULL) {
        of.warnings = atomic_exchange(&warnings, NULL);
    }
    if (result != PORTALLOC_RESULT_OK) {
        of.message = strdup(portalloc_last_error_message());
        of.remedy = strdup(portalloc_last_error_remedy());
    }
    return of;
}

pgo_outcome pgo_lease_new(const portalloc_lease_options *options, portalloc_lease **out, uint16_t *ports,
                          size_t capacity) {
    pgo_outcome of = outcome(portalloc_lease_new(options, out));
    if (of.result == PORTALLOC_RESULT_OK) {
        portalloc_lease_ports(*out, ports, capacity);
    }
    return of;
}

pgo_outcome pgo_lease_free(portalloc_lease *lease) {
    portalloc_lease_free(lease);
    return outcome(PORTALLOC_RESULT_OK);
}

pgo_outcome pgo_lease_is_held(const portalloc_lease *lease, bool *out) {
    *out = portalloc_lease_is_held(lease);
    return outcome(PORTALLOC_RESULT_OK);
}

pgo_outcome pgo_lease_guard(const portalloc_lease *lease) { return outcome(portalloc_lease_guard(lease)); }

pgo_outcome pgo_lease_share_guard(const portalloc_lease *lease) { return outcome(portalloc_lease_share_guard(lease)); }

pgo_outcome pgo_lease_drop_guard(const portalloc_lease *lease) { return outcome(portalloc_lease_drop_guard(lease)); }

pgo_outcome pgo_lease_socket(const portalloc_lease *lease, int64_t index, const portalloc_socket_options *options,
                             int32_t *out) {
    return outcome(portalloc_lease_socket(lease, index, options, out));
}

pgo_outcome pgo_lease_inheritable(const portalloc_lease *lease, int32_t *out) {
    return outcome(portalloc_lease_inheritable(lease, out));
}

pgo_outcome pgo_port_at(const char *place, const portalloc_port_options *options, uint16_t *out) {
    return outcome(portalloc_port_at(place, options, out));
}

pgo_outcome pgo_give_back(int64_t port, bool *out) {
    *out = portalloc_give_back(port);
    return outcome(PORTALLOC_RESULT_OK);
}

pgo_outcome pgo_environment_free(portalloc_environment *environment) {
    portalloc_environment_free(environment);
    return outcome(PORTALLOC_RESULT_OK);
}

pgo_outcome pgo_environment_new(const portalloc_environment_options *options, portalloc_environment **out) {
    return outcome(portalloc_environment_new(options, out));
}

pgo_outcome pgo_environment_current(const portalloc_environment_options *options, portalloc_environment **out) {
    return outcome(portalloc_environment_current(options, out));
}

pgo_outcome pgo_environment_attach(const char *id, portalloc_environment **out) {
    return outcome(portalloc_environment_attach(id, out));
}

pgo_outcome pgo_environment_cleanup(const portalloc_environment *environment) {
    return outcome(portalloc_environment_cleanup(environment));
}

pgo_outcome pgo_environment_lease(const portalloc_environment *environment, portalloc_lease **out) {
    return outcome(portalloc_environment_lease(environment, out));
}

pgo_outcome pgo_environment_port(const portalloc_environment *environment, const char *name, uint16_t *out) {
    *out = portalloc_environment_port(environment, name);
    return outcome(*out == 0 ? PORTALLOC_RESULT_INVALID_ARGUMENT : PORTALLOC_RESULT_OK);
}

pgo_outcome pgo_cancel_new(portalloc_cancel **out) { return outcome(portalloc_cancel_new(out)); }

pgo_outcome pgo_wait_until_open(const uint16_t *ports, size_t count, int64_t wait_ms, const portalloc_cancel *cancel) {
    return outcome(portalloc_wait_until_open(ports, count, wait_ms, cancel));
}

pgo_outcome pgo_wait_until_free(const uint16_t *ports, size_t count, int64_t wait_ms, const portalloc_cancel *cancel) {
    return outcome(portalloc_wait_until_free(ports, count, wait_ms, cancel));
}

pgo_outcome pgo_is_free(int64_t port, bool *out) { return outcome(portalloc_is_free(port, out)); }

pgo_outcome pgo_who(int64_t port, char **json) { return outcome(portalloc_who(port, NULL, json)); }

pgo_outcome pgo_list(char **json) { return outcome(portalloc_list(json)); }

pgo_outcome pgo_validate(const char *id, char **json) { return outcome(portalloc_validate(id, NULL, json)); }

pgo_outcome pgo_settings(const char *pool, const char *exclude, char **json) {
    return outcome(portalloc_settings(pool, exclude, json));
}

pgo_outcome pgo_doctor(int64_t count, const char *pool, const char *exclude, char **json) {
    return outcome(portalloc_doctor(count, pool, exclude, NULL, json));
}

pgo_outcome pgo_leaks(const uint16_t *ports, size_t count, char **message) {
    return outcome(portalloc_leaks(ports, count, true, -1, message));
}

pgo_outcome pgo_explain_conflict(const char *text, char **message) {
    return outcome(portalloc_explain_conflict(text, message));
}

pgo_outcome pgo_cleanup(const char *id, bool *removed) { return outcome(portalloc_cleanup(id, removed)); }

pgo_outcome pgo_cleanup_stale(size_t *removed) { return outcome(portalloc_cleanup_stale(removed)); }

pgo_outcome pgo_check_id(const char *id) { return outcome(portalloc_check_id(id)); }

pgo_outcome pgo_render(const char *const *names, const char *const *values, size_t count, const char *syntax,
                       char **out) {
    return outcome(portalloc_render(names, values, count, syntax, out));
}
