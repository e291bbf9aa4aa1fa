/* A forked child with its parent's very PID, in a PID namespace of its own. Runs as PID 1 of one, with the rights to make
 * another. */
#define _GNU_SOURCE

#include "check.h"

#include <sched.h>

int main(void) {
    CHECK(getpid() == 1);
    portalloc_lease *lease, *own;
    portalloc_environment *environment;
    uint16_t held;
    OK(portalloc_lease_new(NULL, &lease));
    OK(portalloc_environment_new(NULL, &environment));
    OK(portalloc_port(NULL, &held));
    uint16_t port = portalloc_lease_port(lease, 0), other = portalloc_environment_port(environment, "0");

    CHECK(unshare(CLONE_NEWPID) == 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        CHECK(getpid() == 1);
        FAILS(portalloc_environment_cleanup(environment), IN_USE, portalloc_environment_id(environment));
        FAILS(portalloc_environment_lease(environment, &own), INVALID_ARGUMENT, "not held by this process");
        FAILS(portalloc_lease_guard(lease), UNSUPPORTED, "forked");
        OK(portalloc_lease_release(lease));
        CHECK(!portalloc_give_back(held));
        portalloc_lease_free(lease);
        portalloc_environment_free(environment);
        _exit(0);
    }
    ends_well(child);
    CHECK(!could_be_leased(port) && !could_be_leased(other) && !could_be_leased(held));
    CHECK(portalloc_lease_is_held(lease) && access(portalloc_environment_temp_dir(environment), W_OK) == 0);
    portalloc_lease_free(lease);
    portalloc_environment_free(environment);
    CHECK(could_be_leased(port) && could_be_leased(other) && !could_be_leased(held));
    puts("left well");
    return 0;
}
