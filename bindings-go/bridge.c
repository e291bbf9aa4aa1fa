#include "bridge.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

/* What no outcome has taken yet, the last one first. */
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

pgo_outcome pgo_lease_open_guard(const portalloc_lease *lease) { return outcome(portalloc_lease_open_guard(lease)); }

pgo_outcome pgo_lease_drop_guard(const portalloc_lease *lease) { return outcome(portalloc_lease_drop_guard(lease)); }

pgo_outcome pgo_lease_socket(const portalloc_lease *lease, size_t index, const portalloc_socket_options *options,
                             int32_t *out) {
    return outcome(portalloc_lease_socket(lease, index, options, out));
}

pgo_outcome pgo_lease_inheritable(const portalloc_lease *lease, int32_t *out) {
    return outcome(portalloc_lease_inheritable(lease, out));
}

pgo_outcome pgo_port_at(const char *place, const portalloc_port_options *options, uint16_t *out) {
    return outcome(portalloc_port_at(place, options, out));
}

pgo_outcome pgo_give_back(uint16_t port, bool *out) {
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

pgo_outcome pgo_cancel_new(portalloc_cancel **out) { return outcome(portalloc_cancel_new(out)); }

pgo_outcome pgo_wait_for(const uint16_t *ports, size_t count, uint64_t timeout_ms, const portalloc_cancel *cancel) {
    return outcome(portalloc_wait_for(ports, count, timeout_ms, cancel));
}

pgo_outcome pgo_wait_free(const uint16_t *ports, size_t count, uint64_t timeout_ms, const portalloc_cancel *cancel) {
    return outcome(portalloc_wait_free(ports, count, timeout_ms, cancel));
}

pgo_outcome pgo_is_free(uint16_t port, bool *out) { return outcome(portalloc_is_free(port, out)); }

pgo_outcome pgo_who(uint16_t port, portalloc_report **out) { return outcome(portalloc_who(port, out)); }

pgo_outcome pgo_report_holder(const portalloc_report *report, size_t index, portalloc_holder *out) {
    return outcome(portalloc_report_holder(report, index, out));
}

pgo_outcome pgo_listing_new(portalloc_listing **out) { return outcome(portalloc_listing_new(out)); }

pgo_outcome pgo_listing_environment(const portalloc_listing *listing, size_t index, portalloc_environment_info *out) {
    return outcome(portalloc_listing_environment(listing, index, out));
}

pgo_outcome pgo_listing_lease(const portalloc_listing *listing, size_t index, portalloc_lease_info *out) {
    return outcome(portalloc_listing_lease(listing, index, out));
}

pgo_outcome pgo_cleanup(const char *id, bool *removed) { return outcome(portalloc_cleanup(id, removed)); }

pgo_outcome pgo_cleanup_stale(size_t *removed) { return outcome(portalloc_cleanup_stale(removed)); }

pgo_outcome pgo_validate(const char *id, bool *valid) {
    pgo_outcome of = outcome(portalloc_validate(id, valid));
    if (of.result == PORTALLOC_RESULT_OK && !*valid) {
        of.message = strdup(portalloc_last_error_message());
    }
    return of;
}

pgo_outcome pgo_settings_new(const char *pool, const char *exclude, portalloc_settings **out) {
    return outcome(portalloc_settings_new(pool, exclude, out));
}

pgo_outcome pgo_check_id(const char *id) { return outcome(portalloc_check_id(id)); }

pgo_outcome pgo_render(const char *const *names, const char *const *values, size_t count, const char *syntax,
                       char **out) {
    return outcome(portalloc_render(names, values, count, syntax, out));
}
