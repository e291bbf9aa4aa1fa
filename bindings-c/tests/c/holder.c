/*
 * Leases two ports and says which; then waits for the end of its standard input, or to be killed. With "pass" or "keep" it
 * has a child by then, another program, which waits alike and has inherited the lease or not. With "daemon" it has no
 * descriptors 0 to 2 when it leases, and afterwards /dev/null as every daemon has.
 */
#define _GNU_SOURCE

#include "check.h"

#include <fcntl.h>

static const char TOLD_NOBODY[] = "what a daemon writes to its standard error";

static void wait_for_the_end(void) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

static void as_a_daemon(void) {
    /* Above whatever the library might take. */
    int in = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 500), out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 500);
    CHECK(in >= 0 && out >= 0);
    for (int number = 0; number <= 2; number++) {
        CHECK(close(number) == 0);
    }
    portalloc_lease *lease;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = 2;
    options.guard = true;
    OK(portalloc_lease_new(&options, &lease));
    if (write(STDERR_FILENO, TOLD_NOBODY, sizeof TOLD_NOBODY) >= 0) {
        dprintf(out, "something of the library's is descriptor 2\n");
        _exit(1);
    }
    int null = open("/dev/null", O_RDWR);
    for (int number = 0; number <= 2; number++) {
        CHECK(dup2(null, number) == number);
    }
    CHECK(null <= 2 || close(null) == 0);
    CHECK(write(STDERR_FILENO, TOLD_NOBODY, sizeof TOLD_NOBODY) == sizeof TOLD_NOBODY);
    dprintf(out, "%u %u\n%s\n", (unsigned)portalloc_lease_port(lease, 0), (unsigned)portalloc_lease_port(lease, 1),
            portalloc_lease_is_held(lease) ? "started" : "the lease is lost");
    char byte;
    while (read(in, &byte, 1) > 0) {
    }
    portalloc_lease_free(lease);
}

int main(int count, char **arguments) {
    if (count == 2 && strcmp(arguments[1], "daemon") == 0) {
        as_a_daemon();
        return 0;
    }
    if (count == 2 && strcmp(arguments[1], "wait") == 0) {
        puts("started");
        fflush(stdout);
        wait_for_the_end();
        return 0;
    }
    portalloc_lease *lease;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = 2;
    OK(portalloc_lease_new(&options, &lease));
    printf("%u %u\n", (unsigned)portalloc_lease_port(lease, 0), (unsigned)portalloc_lease_port(lease, 1));
    fflush(stdout);
    if (count == 2) {
        int32_t copy = -1;
        if (strcmp(arguments[1], "pass") == 0) {
            OK(portalloc_lease_inheritable(lease, &copy));
        }
        pid_t child = fork();
        CHECK(child >= 0);
        if (child == 0) {
            execl("/proc/self/exe", arguments[0], "wait", (char *)NULL);
            _exit(1);
        }
        CHECK(copy < 0 || close(copy) == 0);
    }
    wait_for_the_end();
    portalloc_lease_free(lease);
    return 0;
}
