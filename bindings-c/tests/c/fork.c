/* What a forked child can do with its copies, and what it cannot. */
#define _GNU_SOURCE

#include "check.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>

enum { FILES = 4000 };

/* The sanitizer's own allocator may be locked in the child of a process with threads. */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = 1 };
#else
enum { SANITIZED = 0 };
#endif

static void copies(void) {
    portalloc_lease *lease;
    portalloc_environment *environment;
    OK(portalloc_lease_new(NULL, &lease));
    OK(portalloc_environment_new(NULL, &environment));
    uint16_t port = portalloc_lease_port(lease, 0);
    uint16_t other = portalloc_environment_port(environment, "0");
    int told[2], go_on[2];
    CHECK(pipe(told) == 0 && pipe(go_on) == 0);

    pid_t child = fork();
    if (child == 0) {
        /* If this hangs, it ends. */
        alarm(60);
        int32_t number;
        portalloc_lease *mine;
        CHECK(close(go_on[1]) == 0);
        CHECK(portalloc_lease_port(lease, 0) == port && portalloc_environment_port(environment, "0") == other);
        FAILS(portalloc_lease_inheritable(lease, &number), UNSUPPORTED, "forked");
        FAILS(portalloc_lease_socket(lease, 0, NULL, &number), UNSUPPORTED, "forked");
        FAILS(portalloc_lease_guard(lease), UNSUPPORTED, "forked");
        FAILS(portalloc_environment_cleanup(environment), IN_USE, portalloc_environment_id(environment));
        FAILS(portalloc_environment_lease(environment, &mine), INVALID_ARGUMENT, "not held by this process");
        CHECK(portalloc_lease_is_held(lease));
        OK(portalloc_lease_release(lease));
        CHECK(!could_be_leased(port) && !could_be_leased(other));
        portalloc_lease_free(lease);
        portalloc_environment_free(environment);
        CHECK(!could_be_leased(port) && !could_be_leased(other));
        OK(portalloc_lease_new(NULL, &mine));
        uint16_t own = portalloc_lease_port(mine, 0);
        CHECK(write(told[1], &own, sizeof own) == sizeof own);
        char byte;
        CHECK(read(go_on[0], &byte, 1) == 0);
        portalloc_lease_free(mine);
        _exit(0);
    }
    uint16_t own = 0;
    CHECK(close(told[1]) == 0 && read(told[0], &own, sizeof own) == sizeof own);
    CHECK(own != port && own != other && !could_be_leased(own));
    CHECK(!could_be_leased(port) && !could_be_leased(other));
    CHECK(access(portalloc_environment_temp_dir(environment), W_OK) == 0);
    CHECK(close(go_on[1]) == 0);
    ends_well(child);
    CHECK(could_be_leased(own) && !could_be_leased(port) && !could_be_leased(other));

    /* A child that does nothing with its copy does not keep the ports when the parent gives them back. */
    CHECK(pipe(go_on) == 0);
    child = fork();
    if (child == 0) {
        alarm(60);
        char byte;
        CHECK(close(go_on[1]) == 0 && read(go_on[0], &byte, 1) == 0);
        _exit(0);
    }
    portalloc_lease_free(lease);
    portalloc_environment_free(environment);
    CHECK(could_be_leased(port) && could_be_leased(other));
    CHECK(close(go_on[1]) == 0);
    ends_well(child);
}

/* A child that waits for the end of its parent's pipe, and does nothing with what it has copies of. Returns once it runs:
 * before that it has closed nothing yet. */
static pid_t bystander(int *pipe_end) {
    int runs[2], go_on[2];
    char byte = 0;
    CHECK(pipe(runs) == 0 && pipe(go_on) == 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        CHECK(write(runs[1], &byte, 1) == 1);
        CHECK(close(go_on[1]) == 0 && read(go_on[0], &byte, 1) == 0);
        _exit(0);
    }
    CHECK(child > 0 && read(runs[0], &byte, 1) == 1);
    CHECK(close(runs[0]) == 0 && close(runs[1]) == 0 && close(go_on[0]) == 0);
    *pipe_end = go_on[1];
    return child;
}

static bool can_be_bound(uint16_t port) {
    int stream = bound(SOCK_STREAM, port, false), datagram = bound(SOCK_DGRAM, port, false);
    if (stream >= 0) {
        close(stream);
    }
    if (datagram >= 0) {
        close(datagram);
    }
    return stream >= 0 && datagram >= 0;
}

/* Its copies of a guard's sockets must not keep the port bound when the parent is done with the guard. */
static void guards(void) {
    portalloc_lease *lease;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.guard = true;
    OK(portalloc_lease_new(&options, &lease));
    uint16_t port = portalloc_lease_port(lease, 0);
    CHECK(!can_be_bound(port));

    int first_end, second_end;
    pid_t first = bystander(&first_end);
    CHECK(!can_be_bound(port));
    OK(portalloc_lease_drop_guard(lease));
    CHECK(can_be_bound(port) && !could_be_leased(port));

    OK(portalloc_lease_guard(lease));
    OK(portalloc_lease_share_guard(lease));
    pid_t second = bystander(&second_end);
    OK(portalloc_lease_release(lease));
    CHECK(can_be_bound(port) && could_be_leased(port));

    CHECK(close(first_end) == 0 && close(second_end) == 0);
    ends_well(first);
    ends_well(second);
    portalloc_lease_free(lease);
}

static void *cleanup(void *environment) {
    OK(portalloc_environment_cleanup(environment));
    return NULL;
}

static int files_in(const char *path) {
    DIR *directory = opendir(path);
    int count = 0;
    if (directory == NULL) {
        return 0;
    }
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count - 2;
}

/* A thread that the child does not have was in the middle of a cleanup. */
static void in_the_middle(void) {
    portalloc_environment *environment;
    portalloc_lease *lease;
    OK(portalloc_environment_new(NULL, &environment));
    OK(portalloc_environment_lease(environment, &lease));
    const char *directory = portalloc_environment_temp_dir(environment);
    char path[4096];
    for (int index = 0; index < FILES; index++) {
        snprintf(path, sizeof path, "%s/%d", directory, index);
        int file = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        CHECK(file >= 0 && close(file) == 0);
    }
    CHECK(files_in(directory) == FILES);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, cleanup, environment) == 0);
    while (files_in(directory) == FILES) {
    }
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        CHECK(!portalloc_environment_is_attached(environment));
        CHECK(portalloc_environment_port(environment, "0") != 0);
        portalloc_lease *own;
        FAILS(portalloc_environment_lease(environment, &own), INVALID_ARGUMENT, "not held by this process");
        portalloc_lease_is_released(lease);
        portalloc_lease_free(lease);
        portalloc_environment_free(environment);
        OK(portalloc_lease_new(NULL, &own));
        portalloc_lease_free(own);
        _exit(0);
    }
    ends_well(child);
    CHECK(pthread_join(thread, NULL) == 0);
    portalloc_lease_free(lease);
    portalloc_environment_free(environment);
}

int main(void) {
    copies();
    guards();
    if (!SANITIZED) {
        in_the_middle();
    }
    puts("left well");
    return 0;
}
