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

static void settle(pgo_outcome *outcome, portalloc_result result) {
    outcome->result = result;
    if (atomic_load_explicit(&warnings, memory_order_relaxed) != NULL) {
        outcome->warnings = atomic_exchange(&warnings, NULL);
    }
    if (result != PORTALLOC_RESULT_OK) {
        outcome->message = strdup(portalloc_last_error_message());
        outcome->remedy = strdup(portalloc_last_error_remedy());
    }
}

void pgo_outcome_free(const pgo_outcome *outcome) {
    free(outcome->message);
    free(outcome->remedy);
    for (pgo_warning *warning = outcome->warnings; warning != NULL;) {
        pgo_warning *earlier = warning->earlier;
        free(warning->code);
        free(warning->message);
        free(warning);
        warning = earlier;
    }
}

void pgo_version(const char **out) { *out = portalloc_version(); }

void pgo_string_free(char *string) { portalloc_string_free(string); }

void pgo_lease_new(pgo_outcome *outcome, const portalloc_lease_options *options, portalloc_lease **out, uint16_t *ports,
                   size_t capacity) {
    settle(outcome, portalloc_lease_new(options, out));
    if (outcome->result == PORTALLOC_RESULT_OK) {
        portalloc_lease_ports(*out, ports, capacity);
    }
}

void pgo_lease_free(pgo_outcome *outcome, portalloc_lease *lease) {
    portalloc_lease_free(lease);
    settle(outcome, PORTALLOC_RESULT_OK);
}

void pgo_lease_is_held(pgo_outcome *outcome, const portalloc_lease *lease, bool *out) {
    *out = portalloc_lease_is_held(lease);
    settle(outcome, PORTALLOC_RESULT_OK);
}

void pgo_lease_guard(pgo_outcome *outcome, const portalloc_lease *lease) {
    settle(outcome, portalloc_lease_guard(lease));
}

void pgo_lease_share_guard(pgo_outcome *outcome, const portalloc_lease *lease) {
    settle(outcome, portalloc_lease_share_guard(lease));
}

void pgo_lease_drop_guard(pgo_outcome *outcome, const portalloc_lease *lease) {
    settle(outcome, portalloc_lease_drop_guard(lease));
}

void pgo_lease_guard_state(const portalloc_lease *lease, uint32_t *out) { *out = portalloc_lease_guard_state(lease); }

void pgo_lease_socket(pgo_outcome *outcome, const portalloc_lease *lease, int64_t index,
                      const portalloc_socket_options *options, int32_t *out) {
    settle(outcome, portalloc_lease_socket(lease, index, options, out));
}

void pgo_lease_inheritable(pgo_outcome *outcome, const portalloc_lease *lease, int32_t *out) {
    settle(outcome, portalloc_lease_inheritable(lease, out));
}

void pgo_port_at(pgo_outcome *outcome, const char *place, const portalloc_port_options *options, uint16_t *out) {
    settle(outcome, portalloc_port_at(place, options, out));
}

void pgo_give_back(pgo_outcome *outcome, int64_t port, bool *out) {
    *out = portalloc_give_back(port);
    settle(outcome, PORTALLOC_RESULT_OK);
}

void pgo_environment_new(pgo_outcome *outcome, const portalloc_environment_options *options,
                         portalloc_environment **out) {
    settle(outcome, portalloc_environment_new(options, out));
}

void pgo_environment_current(pgo_outcome *outcome, const portalloc_environment_options *options,
                             portalloc_environment **out) {
    settle(outcome, portalloc_environment_current(options, out));
}

void pgo_environment_attach(pgo_outcome *outcome, const char *id, portalloc_environment **out) {
    settle(outcome, portalloc_environment_attach(id, out));
}

void pgo_environment_free(pgo_outcome *outcome, portalloc_environment *environment) {
    portalloc_environment_free(environment);
    settle(outcome, PORTALLOC_RESULT_OK);
}

void pgo_environment_cleanup(pgo_outcome *outcome, const portalloc_environment *environment) {
    settle(outcome, portalloc_environment_cleanup(environment));
}

void pgo_environment_lease(pgo_outcome *outcome, const portalloc_environment *environment, portalloc_lease **out) {
    settle(outcome, portalloc_environment_lease(environment, out));
}

void pgo_environment_port(pgo_outcome *outcome, const portalloc_environment *environment, const char *name,
                          uint16_t *out) {
    *out = portalloc_environment_port(environment, name);
    settle(outcome, *out == 0 ? PORTALLOC_RESULT_INVALID_ARGUMENT : PORTALLOC_RESULT_OK);
}

void pgo_environment_facts(const portalloc_environment *environment, pgo_facts *out) {
    out->id = portalloc_environment_id(environment);
    out->temp_dir = portalloc_environment_temp_dir(environment);
    out->env_file = portalloc_environment_env_file(environment);
    out->worktree = portalloc_environment_worktree(environment);
    out->instance_id = portalloc_environment_instance_id(environment);
    out->port_count = portalloc_environment_ports(environment, NULL, 0);
    out->variable_count = portalloc_environment_variable_count(environment);
    out->is_kept = portalloc_environment_is_kept(environment);
    out->is_attached = portalloc_environment_is_attached(environment);
}

void pgo_environment_ports(const portalloc_environment *environment, uint16_t *out, size_t capacity) {
    portalloc_environment_ports(environment, out, capacity);
}

void pgo_environment_name(const portalloc_environment *environment, size_t index, const char **out) {
    *out = portalloc_environment_name(environment, index);
}

void pgo_environment_variable(const portalloc_environment *environment, size_t index, const char **name,
                              const char **value) {
    *name = portalloc_environment_variable_name(environment, index);
    *value = portalloc_environment_variable_value(environment, index);
}

void pgo_worktree_environment(pgo_outcome *outcome, const portalloc_environment_options *options,
                              portalloc_environment **out) {
    settle(outcome, portalloc_worktree_environment(options, out));
}

void pgo_worktree_environment_find(pgo_outcome *outcome, const portalloc_environment_options *options,
                                   portalloc_environment **out) {
    settle(outcome, portalloc_worktree_environment_find(options, out));
}

void pgo_worktree_environment_repair(pgo_outcome *outcome, const portalloc_environment_options *options,
                                     portalloc_environment **out) {
    settle(outcome, portalloc_worktree_environment_repair(options, out));
}

void pgo_environment_stop(pgo_outcome *outcome, const portalloc_environment *environment,
                          const portalloc_stop_options *options, char **out) {
    settle(outcome, portalloc_environment_stop(environment, options, out));
}

void pgo_environment_down(pgo_outcome *outcome, const portalloc_environment *environment,
                          const portalloc_stop_options *options, char **out) {
    settle(outcome, portalloc_environment_down(environment, options, out));
}

void pgo_wait_until_ours(pgo_outcome *outcome, const portalloc_environment *environment, const uint16_t *ports,
                         size_t count, const portalloc_ready_options *options, int64_t wait_ms,
                         const portalloc_cancel *cancel) {
    settle(outcome, portalloc_wait_until_ours(environment, ports, count, options, wait_ms, cancel));
}

void pgo_environment_write_block(pgo_outcome *outcome, const portalloc_environment *environment, const char *path) {
    settle(outcome, portalloc_environment_write_block(environment, path));
}

void pgo_environment_hold(pgo_outcome *outcome, const portalloc_environment *environment, portalloc_hold **out) {
    settle(outcome, portalloc_environment_hold(environment, out));
}

void pgo_hold_inheritable(pgo_outcome *outcome, const portalloc_hold *hold, int32_t *out) {
    settle(outcome, portalloc_hold_inheritable(hold, out));
}

void pgo_hold_free(pgo_outcome *outcome, portalloc_hold *hold) {
    portalloc_hold_free(hold);
    settle(outcome, PORTALLOC_RESULT_OK);
}

void pgo_cancel_new(pgo_outcome *outcome, portalloc_cancel **out) { settle(outcome, portalloc_cancel_new(out)); }

void pgo_cancel_now(const portalloc_cancel *cancel) { portalloc_cancel_now(cancel); }

void pgo_cancel_free(portalloc_cancel *cancel) { portalloc_cancel_free(cancel); }

void pgo_wait_until_open(pgo_outcome *outcome, const uint16_t *ports, size_t count, int64_t wait_ms,
                         const portalloc_cancel *cancel) {
    settle(outcome, portalloc_wait_until_open(ports, count, wait_ms, cancel));
}

void pgo_wait_until_ready(pgo_outcome *outcome, const uint16_t *ports, size_t count,
                          const portalloc_ready_options *options, int64_t wait_ms, const portalloc_cancel *cancel) {
    settle(outcome, portalloc_wait_until_ready(ports, count, options, wait_ms, cancel));
}

void pgo_wait_until_free(pgo_outcome *outcome, const uint16_t *ports, size_t count, int64_t wait_ms,
                         const portalloc_cancel *cancel) {
    settle(outcome, portalloc_wait_until_free(ports, count, wait_ms, cancel));
}

void pgo_is_free(pgo_outcome *outcome, int64_t port, bool *out) { settle(outcome, portalloc_is_free(port, out)); }

void pgo_who(pgo_outcome *outcome, int64_t port, char **out) { settle(outcome, portalloc_who(port, NULL, out)); }

void pgo_list(pgo_outcome *outcome, char **out) { settle(outcome, portalloc_list(out)); }

void pgo_validate(pgo_outcome *outcome, const char *id, char **out) {
    settle(outcome, portalloc_validate(id, NULL, out));
}

void pgo_settings(pgo_outcome *outcome, const char *pool, const char *exclude, char **out) {
    settle(outcome, portalloc_settings(pool, exclude, out));
}

void pgo_doctor(pgo_outcome *outcome, int64_t count, const char *pool, const char *exclude, char **out) {
    settle(outcome, portalloc_doctor(count, pool, exclude, NULL, out));
}

void pgo_leaks(pgo_outcome *outcome, const uint16_t *ports, size_t count, char **out) {
    settle(outcome, portalloc_leaks(ports, count, true, -1, out));
}

void pgo_explain_conflict(pgo_outcome *outcome, const char *text, char **out) {
    settle(outcome, portalloc_explain_conflict(text, out));
}

void pgo_render(pgo_outcome *outcome, const char *const *names, const char *const *values, size_t count,
                const char *syntax, char **out) {
    settle(outcome, portalloc_render(names, values, count, syntax, out));
}

void pgo_cleanup(pgo_outcome *outcome, const char *id, bool *removed) {
    settle(outcome, portalloc_cleanup(id, removed));
}

void pgo_cleanup_stale(pgo_outcome *outcome, size_t *removed) { settle(outcome, portalloc_cleanup_stale(removed)); }

void pgo_check_id(pgo_outcome *outcome, const char *id) { settle(outcome, portalloc_check_id(id)); }
