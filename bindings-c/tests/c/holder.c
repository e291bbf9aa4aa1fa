/*
 * Leases two ports and says which; then waits for the end of its standard input, or to be killed. With "pass" or "keep" it
 * has a child by then, another program, which waits alike and has inherited the lease or not.
 */
#define _GNU_SOURCE

#include "check.h"

static void wait_for_the_end(void) {
    char byte;
    while (read(STDIN_FILENO, &byte, 1) > 0) {
    }
}

int main(int count, char **arguments) {
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
