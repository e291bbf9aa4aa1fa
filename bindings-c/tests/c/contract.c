/* What portalloc.h says, in one process. Argument: the version. */
#define _GNU_SOURCE

#include "check.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <sys/stat.h>

static void nothing_is_given(void) {
    portalloc_lease *lease = NULL;
    portalloc_environment *environment = NULL;
    portalloc_socket_options socket_options = portalloc_socket_options_default();
    int32_t number = -7;
    bool flag = true;
    char *message = NULL;

    FAILS(portalloc_lease_new(NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_environment_new(NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_environment_current(NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_list(NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_cancel_new(NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_port(NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_is_free(20000, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_settings(NULL, NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_render(NULL, NULL, 0, NULL, NULL), INVALID_ARGUMENT, "out is NULL");

    FAILS(portalloc_lease_release(NULL), INVALID_ARGUMENT, "lease is NULL");
    FAILS(portalloc_lease_guard(NULL), INVALID_ARGUMENT, "lease is NULL");
    FAILS(portalloc_lease_share_guard(NULL), INVALID_ARGUMENT, "lease is NULL");
    FAILS(portalloc_lease_drop_guard(NULL), INVALID_ARGUMENT, "lease is NULL");
    FAILS(portalloc_lease_socket(NULL, 0, &socket_options, &number), INVALID_ARGUMENT, "lease is NULL");
    FAILS(portalloc_lease_inheritable(NULL, &number), INVALID_ARGUMENT, "lease is NULL");
    CHECK(number == -7);
    FAILS(portalloc_environment_cleanup(NULL), INVALID_ARGUMENT, "environment is NULL");
    FAILS(portalloc_environment_lease(NULL, &lease), INVALID_ARGUMENT, "environment is NULL");
    FAILS(portalloc_cleanup(NULL, &flag), INVALID_ARGUMENT, "id is NULL");
    FAILS(portalloc_validate(NULL, &flag, NULL), INVALID_ARGUMENT, "id is NULL");
    FAILS(portalloc_leaks(NULL, 0, true, 0, NULL), INVALID_ARGUMENT, "out is NULL");
    FAILS(portalloc_explain_conflict(NULL, &message), INVALID_ARGUMENT, "text is NULL");
    CHECK(flag);
    FAILS(portalloc_check_id(NULL), INVALID_ARGUMENT, "id is NULL");
    FAILS(portalloc_wait_until_open(NULL, 3, 0, NULL), INVALID_ARGUMENT, "ports is NULL");
    FAILS(portalloc_wait_until_ready(NULL, 3, NULL, 0, NULL), INVALID_ARGUMENT, "ports is NULL");
    FAILS(portalloc_wait_until_free(NULL, 3, 0, NULL), INVALID_ARGUMENT, "ports is NULL");
    FAILS(portalloc_environment_attach(NULL, &environment), NOT_FOUND, "ISOLATION_ID");
    CHECK(lease == NULL && environment == NULL && message == NULL);
    OK(portalloc_who(20000, NULL, NULL));

    CHECK(portalloc_lease_is_released(NULL) && !portalloc_lease_is_held(NULL) && !portalloc_give_back(0));
    CHECK(portalloc_lease_count(NULL) == 0 && portalloc_lease_port(NULL, 0) == 0);
    CHECK(portalloc_lease_ports(NULL, NULL, 0) == 0);
    CHECK(portalloc_lease_guard_state(NULL) == PORTALLOC_GUARD_NONE);
    CHECK(portalloc_environment_id(NULL) == NULL && portalloc_environment_temp_dir(NULL) == NULL);
    CHECK(portalloc_environment_env_file(NULL) == NULL && portalloc_environment_worktree(NULL) == NULL);
    CHECK(portalloc_environment_instance_id(NULL) == NULL && portalloc_environment_name(NULL, 0) == NULL);
    CHECK(portalloc_environment_variable_count(NULL) == 0);
    CHECK(portalloc_environment_variable_name(NULL, 0) == NULL);
    CHECK(portalloc_environment_variable_value(NULL, 0) == NULL);
    CHECK(portalloc_environment_ports(NULL, NULL, 0) == 0 && portalloc_environment_port(NULL, "a") == 0);
    CHECK(!portalloc_environment_is_kept(NULL) && !portalloc_environment_is_attached(NULL));

    portalloc_lease_free(NULL);
    portalloc_environment_free(NULL);
    portalloc_cancel_free(NULL);
    portalloc_cancel_now(NULL);
    portalloc_string_free(NULL);
}

static void codes(const char *version) {
    char header[32];
    snprintf(header, sizeof header, "%d.%d.%d", PORTALLOC_VERSION_MAJOR, PORTALLOC_VERSION_MINOR, PORTALLOC_VERSION_PATCH);
    CHECK(strcmp(portalloc_version(), version) == 0 && strcmp(PORTALLOC_VERSION, version) == 0);
    CHECK(strcmp(header, version) == 0);
    CHECK(strcmp(portalloc_error_code(PORTALLOC_RESULT_OK), "ok") == 0);
    CHECK(strcmp(portalloc_error_code(PORTALLOC_RESULT_POOL_EXHAUSTED), "pool_exhausted") == 0);
    CHECK(strcmp(portalloc_error_code(PORTALLOC_RESULT_INTERNAL), "internal") == 0);
    CHECK(portalloc_error_code(PORTALLOC_RESULT_INTERNAL + 1) == NULL && portalloc_error_code(UINT32_MAX) == NULL);
}

static void misuse(void) {
    uint16_t port = 0;
    portalloc_lease *lease = (portalloc_lease *)&port;
    portalloc_lease_options options = portalloc_lease_options_default();

    options.pool = "\xff\xfe";
    FAILS(portalloc_lease_new(&options, &lease), INVALID_ARGUMENT, "pool is not valid UTF-8");
    options = portalloc_lease_options_default();
    options.exact = &port;
    FAILS(portalloc_lease_new(&options, &lease), INVALID_ARGUMENT, "");
    options.exact_count = 1;
    FAILS(portalloc_lease_new(&options, &lease), INVALID_ARGUMENT, "port 0");
    options.scattered = true;
    FAILS(portalloc_lease_new(&options, &lease), INVALID_ARGUMENT, "more than one of");
    options = portalloc_lease_options_default();
    options.count = PORTALLOC_ZERO;
    FAILS(portalloc_lease_new(&options, &lease), INVALID_ARGUMENT, "0 ports");
    options.count = -3;
    FAILS(portalloc_lease_new(&options, &lease), INVALID_ARGUMENT, "-3 ports");
    options = portalloc_lease_options_default();
    options.wait_ms = -20;
    FAILS(portalloc_lease_new(&options, &lease), INVALID_ARGUMENT, "-20 is not a valid time");
    int64_t offsets[] = {0, 70000};
    options = portalloc_lease_options_default();
    options.offsets = offsets;
    options.offsets_count = 2;
    FAILS(portalloc_lease_new(&options, &lease), INVALID_ARGUMENT, "offset 70000");

    portalloc_environment *environment = (portalloc_environment *)&port;
    portalloc_environment_options kept = portalloc_environment_options_default();
    kept.kept = true;
    kept.owner_pid = -1;
    FAILS(portalloc_environment_new(&kept, &environment), INVALID_ARGUMENT, "-1 is not a process ID");
    kept.owner_pid = PORTALLOC_ZERO;
    FAILS(portalloc_environment_new(&kept, &environment), NOT_FOUND, "ID 0");
    kept.owner_pid = 0;
    kept.ttl_ms = -1;
    FAILS(portalloc_environment_new(&kept, &environment), INVALID_ARGUMENT, "TTL");
    CHECK(environment == (portalloc_environment *)&port);

    bool free = false;
    FAILS(portalloc_is_free(65536 + 80, &free), INVALID_ARGUMENT, "port 65616");
    FAILS(portalloc_who(-1, NULL, NULL), INVALID_ARGUMENT, "port -1");
    CHECK(!portalloc_give_back(65536 + 80) && !portalloc_give_back(-1));
    FAILS(portalloc_check_id("52C48279EC80"), INVALID_ID, "52C48279EC80");
    OK(portalloc_check_id("52c48279ec80"));
    FAILS(portalloc_wait_until_open(NULL, 0, 0, NULL), INVALID_ARGUMENT, "no port");
    /* On failure nothing was written. */
    CHECK(lease == (portalloc_lease *)&port);

    const char *names[] = {"A", NULL};
    char *text = NULL;
    FAILS(portalloc_render(names, names, 2, "shell", &text), INVALID_ARGUMENT, "names is NULL");
    FAILS(portalloc_render(names, NULL, 1, "shell", &text), INVALID_ARGUMENT, "values is NULL");
    FAILS(portalloc_render(names, names, 1, "cmd.exe", &text), INVALID_ARGUMENT, "cmd.exe");
    CHECK(text == NULL);
    OK(portalloc_render(names, names, 1, NULL, &text));
    CHECK(strcmp(text, "export A='A'\n") == 0);
    portalloc_string_free(text);
}

/* A program of another age than the library. */
static void structs_of_other_sizes(void) {
    portalloc_lease *lease;
    union {
        portalloc_lease_options options;
        unsigned char bytes[sizeof(portalloc_lease_options) + 24];
    } newer;
    memset(&newer, 0, sizeof newer);
    newer.options.size = sizeof newer;
    newer.options.count = 2;
    OK(portalloc_lease_new(&newer.options, &lease));
    CHECK(portalloc_lease_count(lease) == 2);
    portalloc_lease_free(lease);
    newer.bytes[sizeof newer - 1] = 1;
    FAILS(portalloc_lease_new(&newer.options, &lease), INVALID_ARGUMENT, "size");

    /* On the heap, so that reading on would be seen. */
    size_t older_size = offsetof(portalloc_lease_options, exact);
    portalloc_lease_options *older = malloc(older_size);
    CHECK(older != NULL);
    older->size = older_size;
    older->count = 3;
    OK(portalloc_lease_new(older, &lease));
    CHECK(portalloc_lease_count(lease) == 3);
    int32_t number;
    size_t *size_only = malloc(sizeof *size_only);
    CHECK(size_only != NULL);
    *size_only = sizeof *size_only;
    OK(portalloc_lease_socket(lease, 0, (portalloc_socket_options *)size_only, &number));
    CHECK(close(number) == 0);
    portalloc_lease_free(lease);
    free(size_only);

    portalloc_environment *environment;
    older->size = offsetof(portalloc_environment_options, names);
    OK(portalloc_environment_new((portalloc_environment_options *)older, &environment));
    CHECK(portalloc_environment_ports(environment, NULL, 0) == 3);
    portalloc_environment_free(environment);
    size_t wrong[] = {0, 1, sizeof(size_t) - 1, 4097, SIZE_MAX};
    for (size_t index = 0; index < sizeof wrong / sizeof *wrong; index++) {
        older->size = wrong[index];
        FAILS(portalloc_lease_new(older, &lease), INVALID_ARGUMENT, "size");
    }
    free(older);
}

static void a_lease(void) {
    portalloc_lease *lease;
    uint16_t ports[4] = {0, 0, 0, 7};
    OK(portalloc_lease_new(NULL, &lease));
    CHECK(portalloc_lease_count(lease) == 1);
    portalloc_lease_free(lease);

    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = 3;
    OK(portalloc_lease_new(&options, &lease));
    CHECK(portalloc_lease_ports(lease, NULL, 0) == 3);
    CHECK(portalloc_lease_ports(lease, ports, 2) == 3 && ports[1] == ports[0] + 1 && ports[2] == 0);
    CHECK(portalloc_lease_ports(lease, ports, 4) == 3 && ports[2] == ports[0] + 2 && ports[3] == 7);
    CHECK(portalloc_lease_port(lease, 2) == ports[2] && portalloc_lease_port(lease, 3) == 0);
    CHECK(strstr(portalloc_last_error_message(), "index 3") != NULL);

    bool free = true;
    OK(portalloc_is_free(ports[1], &free));
    CHECK(!free);
    portalloc_lease *other = NULL;
    FAILS(lease_these(&ports[1], 1, &other), PORT_IN_USE, "is held");
    CHECK(other == NULL);
    CHECK(portalloc_lease_is_held(lease));
    OK(portalloc_lease_release(lease));
    OK(portalloc_lease_release(lease));
    CHECK(portalloc_lease_is_released(lease) && portalloc_lease_port(lease, 0) == ports[0]);
    CHECK(!portalloc_lease_is_held(lease));
    CHECK(could_be_leased(ports[1]));
    portalloc_lease_free(lease);

    int64_t offsets[] = {0, 2};
    options = portalloc_lease_options_default();
    options.offsets = offsets;
    options.offsets_count = 2;
    OK(portalloc_lease_new(&options, &lease));
    CHECK(portalloc_lease_port(lease, 1) == portalloc_lease_port(lease, 0) + 2);
    portalloc_lease_free(lease);
}

static void guards_and_sockets(void) {
    portalloc_lease *lease;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.guard = true;
    OK(portalloc_lease_new(&options, &lease));
    uint16_t port = portalloc_lease_port(lease, 0);
    CHECK(portalloc_lease_guard_state(lease) == PORTALLOC_GUARD_EXCLUSIVE && bound(SOCK_STREAM, port, true) < 0);
    OK(portalloc_lease_share_guard(lease));
    CHECK(portalloc_lease_guard_state(lease) == PORTALLOC_GUARD_SHARED && bound(SOCK_STREAM, port, false) < 0);
    int number = bound(SOCK_STREAM, port, true);
    CHECK(number >= 0 && close(number) == 0);
    OK(portalloc_lease_drop_guard(lease));
    CHECK(portalloc_lease_guard_state(lease) == PORTALLOC_GUARD_NONE);
    number = bound(SOCK_STREAM, port, false);
    FAILS(portalloc_lease_guard(lease), PORT_IN_USE, "");
    CHECK(number >= 0 && close(number) == 0);
    OK(portalloc_lease_guard(lease));

    int32_t listening = -1;
    OK(portalloc_lease_socket(lease, 0, NULL, &listening));
    CHECK((fcntl(listening, F_GETFD) & FD_CLOEXEC) != 0);
    OK(portalloc_wait_until_open(&port, 1, 0, NULL));
    OK(portalloc_wait_until_ready(&port, 1, NULL, 0, NULL));
    portalloc_ready_options answer = portalloc_ready_options_default();
    answer.http = "/health";
    FAILS(portalloc_wait_until_ready(&port, 1, &answer, 0, NULL), TIMEOUT, "GET /health failed");
    answer.http = "health";
    FAILS(portalloc_wait_until_ready(&port, 1, &answer, 0, NULL), INVALID_ARGUMENT, "health");
    FAILS(portalloc_wait_until_free(&port, 1, 0, NULL), TIMEOUT, "");
    OK(portalloc_lease_drop_guard(lease));
    portalloc_socket_options wanted = portalloc_socket_options_default();
    wanted.type = PORTALLOC_SOCKET_TYPE_UDP;
    OK(portalloc_lease_socket(lease, 0, &wanted, &number));
    int type = 0;
    socklen_t length = sizeof type;
    CHECK(getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &length) == 0 && type == SOCK_DGRAM && close(number) == 0);
    wanted.type = 7;
    FAILS(portalloc_lease_socket(lease, 0, &wanted, &number), INVALID_ARGUMENT, "7");
    wanted = portalloc_socket_options_default();
    wanted.host = "example.org";
    FAILS(portalloc_lease_socket(lease, 0, &wanted, &number), INVALID_ARGUMENT, "example.org");
    FAILS(portalloc_lease_socket(lease, 9, NULL, &number), INVALID_ARGUMENT, "index 9");
    FAILS(portalloc_lease_socket(lease, -1, NULL, &number), INVALID_ARGUMENT, "index -1");
    FAILS(portalloc_lease_socket(lease, 0, NULL, NULL), INVALID_ARGUMENT, "out is NULL");
    CHECK(close(listening) == 0);
    OK(portalloc_wait_until_free(&port, 1, PORTALLOC_FOREVER, NULL));
    wanted = portalloc_socket_options_default();
    wanted.bound_only = true;
    OK(portalloc_lease_socket(lease, 0, &wanted, &number));
    FAILS(portalloc_wait_until_open(&port, 1, 0, NULL), TIMEOUT, "");
    CHECK(close(number) == 0);

    OK(portalloc_lease_inheritable(lease, &number));
    CHECK((fcntl(number, F_GETFD) & FD_CLOEXEC) == 0);
    /* From now on the lease is held by whoever has a copy. */
    portalloc_lease_free(lease);
    CHECK(!could_be_leased(port));
    CHECK(close(number) == 0);
    CHECK(could_be_leased(port));
}

static void an_environment(void) {
    const char *names[] = {"web", "my-db"};
    portalloc_environment_options options = portalloc_environment_options_default();
    options.names = names;
    options.names_count = 2;
    options.count = 3;
    options.instance_id = "worker 1";
    options.env_file_place = PORTALLOC_ENV_FILE_WORKTREE;
    portalloc_environment *environment;
    OK(portalloc_environment_new(&options, &environment));
    uint16_t ports[3];
    CHECK(portalloc_environment_ports(environment, ports, 3) == 3);
    CHECK(portalloc_environment_port(environment, "web") == ports[0]);
    CHECK(portalloc_environment_port(environment, "my-db") == ports[1]);
    CHECK(portalloc_environment_port(environment, "2") == ports[2]);
    CHECK(portalloc_environment_port(environment, "no") == 0);
    CHECK(strstr(portalloc_last_error_message(), "no") != NULL);
    CHECK(portalloc_environment_port(environment, NULL) == 0);
    CHECK(strcmp(portalloc_environment_name(environment, 1), "my-db") == 0);
    CHECK(portalloc_environment_name(environment, 2) == NULL);
    CHECK(!portalloc_environment_is_kept(environment) && !portalloc_environment_is_attached(environment));

    const char *id = portalloc_environment_id(environment);
    const char *temp_dir = portalloc_environment_temp_dir(environment);
    const char *env_file = portalloc_environment_env_file(environment);
    const char *value = NULL;
    for (size_t index = 0; index < portalloc_environment_variable_count(environment); index++) {
        if (strcmp(portalloc_environment_variable_name(environment, index), "MY_DB_PORT") == 0) {
            value = portalloc_environment_variable_value(environment, index);
        }
    }
    CHECK(value != NULL && strtoul(value, NULL, 10) == ports[1]);
    CHECK(portalloc_environment_variable_name(environment, 99) == NULL);
    OK(portalloc_check_id(id));
    CHECK(access(temp_dir, W_OK) == 0 && access(env_file, R_OK) == 0);
    CHECK(strcmp(portalloc_environment_instance_id(environment), "worker 1") == 0);
    CHECK(access(portalloc_environment_worktree(environment), X_OK) == 0);

    portalloc_environment *attached;
    OK(portalloc_environment_attach(id, &attached));
    CHECK(portalloc_environment_is_attached(attached));
    CHECK(portalloc_environment_port(attached, "web") == ports[0]);
    portalloc_lease *lease = NULL;
    FAILS(portalloc_environment_lease(attached, &lease), INVALID_ARGUMENT, "");
    portalloc_environment_free(attached);
    CHECK(access(temp_dir, W_OK) == 0 && !could_be_leased(ports[0]));

    OK(portalloc_environment_lease(environment, &lease));
    CHECK(portalloc_lease_count(lease) == 3);
    OK(portalloc_lease_guard(lease));
    CHECK(portalloc_lease_guard_state(lease) == PORTALLOC_GUARD_EXCLUSIVE);

    char *listing;
    OK(portalloc_list(&listing));

    FAILS(portalloc_cleanup(id, NULL), IN_USE, id);
    OK(portalloc_environment_cleanup(environment));
    OK(portalloc_environment_cleanup(environment));
    CHECK(access(temp_dir, F_OK) != 0 && access(env_file, F_OK) != 0);
    /* Texts live until the handle is freed, also after the cleanup. */
    CHECK(id == portalloc_environment_id(environment) && strlen(id) == 12);
    CHECK(strstr(listing, id) != NULL && strstr(listing, "\"status\":\"active\"") != NULL);
    CHECK(strstr(listing, temp_dir) != NULL && strstr(listing, env_file) != NULL);
    CHECK(strstr(listing, "\"names\":[\"web\",\"my-db\"]") != NULL && strstr(listing, "\"leases\":[]") != NULL);
    portalloc_string_free(listing);
    CHECK(portalloc_lease_is_released(lease) && portalloc_lease_port(lease, 2) == ports[2]);
    CHECK(!portalloc_lease_is_held(lease));
    FAILS(portalloc_lease_guard(lease), INVALID_ARGUMENT, "");
    portalloc_environment_free(environment);
    CHECK(portalloc_lease_is_released(lease));
    portalloc_lease_free(lease);

    /* Freeing the environment gives its ports back, although a handle of its lease is still there. */
    options.env_file_place = PORTALLOC_ENV_FILE_NONE;
    OK(portalloc_environment_new(&options, &environment));
    CHECK(portalloc_environment_env_file(environment) == NULL);
    CHECK(portalloc_environment_ports(environment, ports, 3) == 3);
    OK(portalloc_environment_lease(environment, &lease));
    portalloc_environment_free(environment);
    CHECK(portalloc_lease_is_released(lease) && could_be_leased(ports[0]));
    portalloc_lease_free(lease);
}

static void a_kept_environment(void) {
    portalloc_environment_options options = portalloc_environment_options_default();
    options.kept = true;
    options.ttl_ms = 3600000;
    options.owner_pid = getpid();
    portalloc_environment *environment;
    OK(portalloc_environment_new(&options, &environment));
    char id[16];
    char temp_dir[4096];
    snprintf(id, sizeof id, "%s", portalloc_environment_id(environment));
    snprintf(temp_dir, sizeof temp_dir, "%s", portalloc_environment_temp_dir(environment));
    uint16_t port = portalloc_environment_port(environment, "0");
    CHECK(portalloc_environment_is_kept(environment));
    portalloc_environment_free(environment);
    CHECK(!could_be_leased(port));

    CHECK(setenv("ISOLATION_ID", id, 1) == 0);
    OK(portalloc_environment_attach(NULL, &environment));
    CHECK(strcmp(portalloc_environment_id(environment), id) == 0);
    portalloc_environment_free(environment);
    OK(portalloc_environment_current(NULL, &environment));
    CHECK(strcmp(portalloc_environment_id(environment), id) == 0);
    portalloc_environment_free(environment);
    CHECK(unsetenv("ISOLATION_ID") == 0);

    bool valid = false;
    OK(portalloc_validate(id, &valid, NULL));
    CHECK(valid);
    CHECK(rmdir(temp_dir) == 0);
    char *found;
    OK(portalloc_validate(id, &valid, &found));
    CHECK(!valid && strstr(found, temp_dir) != NULL);
    portalloc_string_free(found);
    FAILS(portalloc_validate("000000000000", &valid, NULL), NOT_FOUND, "000000000000");
    FAILS(portalloc_validate("x", &valid, NULL), INVALID_ID, "x");

    bool removed = false;
    OK(portalloc_cleanup(id, &removed));
    CHECK(removed);
    OK(portalloc_cleanup(id, &removed));
    CHECK(!removed);
    size_t stale = 7;
    OK(portalloc_cleanup_stale(&stale));
    CHECK(stale == 0);
    OK(portalloc_cleanup_stale(NULL));
    CHECK(could_be_leased(port));
}

static bool has_number(const char *json, const char *name, unsigned number) {
    char member[64];
    snprintf(member, sizeof member, "\"%s\":%u", name, number);
    return strstr(json, member) != NULL;
}

static void what_is_told(void) {
    portalloc_lease *lease;
    OK(portalloc_lease_new(NULL, &lease));
    uint16_t port = portalloc_lease_port(lease, 0);
    char *told, *json, shown[64];
    OK(portalloc_list(&json));
    snprintf(shown, sizeof shown, "\"ports\":[%u]", (unsigned)port);
    CHECK(strstr(json, shown) != NULL && has_number(json, "pid", (unsigned)getpid()));
    CHECK(has_number(json, "user_id", getuid()) && strstr(json, "\"environments\":[]") != NULL);
    portalloc_string_free(json);

    OK(portalloc_leaks(&port, 1, true, 0, &told));
    CHECK(told == NULL);
    int32_t number;
    OK(portalloc_lease_socket(lease, 0, NULL, &number));
    OK(portalloc_who(port, &told, &json));
    snprintf(shown, sizeof shown, "port %u is in use by this process, PID %d", (unsigned)port, (int)getpid());
    CHECK(strstr(told, shown) == told);
    CHECK(has_number(json, "port", port) && strstr(json, "\"in_use\":true") != NULL);
    CHECK(strstr(json, "\"leased\":true,\"listening\":true") != NULL && strstr(json, "\"sockets\":[{") != NULL);
    portalloc_string_free(told);
    portalloc_string_free(json);
    FAILS(portalloc_who(0, NULL, &json), INVALID_ARGUMENT, "port 0");

    OK(portalloc_leaks(&port, 1, false, -1, &told));
    CHECK(told == NULL);
    OK(portalloc_leaks(&port, 1, true, 0, &told));
    snprintf(shown, sizeof shown, "port %u is given back, but still listened on by", (unsigned)port);
    CHECK(strstr(told, shown) == told && strchr(told, '\n') == NULL);
    portalloc_string_free(told);

    snprintf(shown, sizeof shown, "bind: Address already in use: port %u", (unsigned)port);
    OK(portalloc_explain_conflict(shown, &told));
    snprintf(shown, sizeof shown, "port %u is in use by this process, PID %d", (unsigned)port, (int)getpid());
    CHECK(told != NULL && strstr(told, shown) == told);
    portalloc_string_free(told);
    OK(portalloc_explain_conflict("all is well", &told));
    CHECK(told == NULL);
    CHECK(close(number) == 0);
    portalloc_lease_free(lease);

    OK(portalloc_settings("21100-21109", "21105", &json));
    CHECK(strstr(json, getenv("PORTALLOC_DIR")) != NULL && strstr(json, "\"pool\":\"21100-21109\"") != NULL);
    CHECK(strstr(json, "\"ports\":\"21100-21104,21106-21109\"") != NULL && has_number(json, "count", 9));
    CHECK(strstr(json, "\"warnings\":[]") != NULL);
    portalloc_string_free(json);

    bool is_sound = false;
    OK(portalloc_doctor(10, "21100-21109", "21105", &is_sound, &json));
    CHECK(strstr(json, is_sound ? "{\"ok\":true," : "{\"ok\":false,") != NULL);
    CHECK(strstr(json, "\"code\":\"registry\",\"status\":\"ok\"") != NULL);
    CHECK(strstr(json, "\"asked\":\"21100-21109\"") != NULL);
    CHECK(strstr(json, "\"explanation\":{\"count\":10,\"granted\":false") != NULL);
    portalloc_string_free(json);
    OK(portalloc_doctor(0, "nonsense", NULL, &is_sound, &json));
    CHECK(!is_sound && strstr(json, "\"explanation\":null") != NULL);
    portalloc_string_free(json);
    OK(portalloc_doctor(0, NULL, NULL, NULL, NULL));
    FAILS(portalloc_doctor(-1, NULL, NULL, NULL, &json), INVALID_ARGUMENT, "-1 ports");
}

/* The project file, and what overrides it. */
static void switches(void) {
    FILE *file = fopen("portalloc.toml", "w");
    CHECK(file != NULL && fputs("guard = true\n", file) >= 0 && fclose(file) == 0);
    portalloc_environment_options options = portalloc_environment_options_default();
    const portalloc_guard expected[] = {PORTALLOC_GUARD_EXCLUSIVE, PORTALLOC_GUARD_EXCLUSIVE, PORTALLOC_GUARD_NONE};
    for (uint32_t guard = PORTALLOC_SWITCH_UNSET; guard <= PORTALLOC_SWITCH_OFF; guard++) {
        portalloc_environment *environment;
        portalloc_lease *lease;
        options.guard = guard;
        OK(portalloc_environment_new(&options, &environment));
        OK(portalloc_environment_lease(environment, &lease));
        CHECK(portalloc_lease_guard_state(lease) == expected[guard]);
        portalloc_lease_free(lease);
        portalloc_environment_free(environment);
    }
    CHECK(remove("portalloc.toml") == 0);
}

static portalloc_cancel *cancelled;

static void *wait_for_ports(void *all) {
    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = 2;
    options.pool = all;
    options.wait_ms = PORTALLOC_FOREVER;
    options.cancel = cancelled;
    portalloc_lease *lease = NULL;
    CHECK(portalloc_last_error_message()[0] == '\0');
    FAILS(portalloc_lease_new(&options, &lease), TIMEOUT, "");
    return NULL;
}

static void cancel_now(int signal) {
    (void)signal;
    portalloc_cancel_now(cancelled);
}

static void waits_and_threads(void) {
    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = 2;
    portalloc_lease *lease;
    OK(portalloc_lease_new(&options, &lease));
    char all[16];
    uint16_t ports[2];
    portalloc_lease_ports(lease, ports, 2);
    snprintf(all, sizeof all, "%u-%u", (unsigned)ports[0], (unsigned)ports[1]);

    options.pool = all;
    options.wait_ms = 20;
    portalloc_lease *other = NULL;
    FAILS(portalloc_lease_new(&options, &other), TIMEOUT, "");
    options.wait_ms = 0;
    FAILS(portalloc_lease_new(&options, &other), POOL_EXHAUSTED, "2 are held");

    OK(portalloc_cancel_new(&cancelled));
    pthread_t threads[3];
    for (int index = 0; index < 3; index++) {
        CHECK(pthread_create(&threads[index], NULL, wait_for_ports, all) == 0);
    }
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = cancel_now;
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && raise(SIGUSR1) == 0);
    for (int index = 0; index < 3; index++) {
        CHECK(pthread_join(threads[index], NULL) == 0);
    }
    /* The other threads' errors are theirs, and success leaves the last one as it was. */
    OK(portalloc_check_id("52c48279ec80"));
    CHECK(strstr(portalloc_last_error_message(), "2 are held") != NULL);
    /* It stays turned. */
    FAILS(portalloc_wait_until_open(ports, 2, PORTALLOC_FOREVER, cancelled), TIMEOUT, "");
    portalloc_cancel_free(cancelled);
    portalloc_lease_free(lease);
}

/* The thread's own variables are gone when these run. */
static void at_exit(void) {
    portalloc_lease *lease;
    CHECK(portalloc_check_id("x") == PORTALLOC_RESULT_INVALID_ID);
    CHECK(portalloc_last_error_message()[0] == '\0' && portalloc_last_error_remedy()[0] == '\0');
    OK(portalloc_lease_new(NULL, &lease));
    portalloc_lease_free(lease);
    fputs("left well\n", stdout);
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    CHECK(portalloc_last_error_message()[0] == '\0' && portalloc_last_error_remedy()[0] == '\0');
    CHECK(atexit(at_exit) == 0);
    nothing_is_given();
    codes(arguments[1]);
    misuse();
    structs_of_other_sizes();
    a_lease();
    guards_and_sockets();
    an_environment();
    a_kept_environment();
    what_is_told();
    switches();
    waits_and_threads();
    return 0;
}
