/* Ports that a process holds until it ends: given back, forgotten, asked for by threads and forked children. */
#define _GNU_SOURCE

#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/resource.h>

enum { THREADS = 8, EACH = 4 };

static void one_port(void) {
    uint16_t port = 0, other = 0;
    OK(portalloc_port(NULL, &port));
    OK(portalloc_port(NULL, &other));
    CHECK(port != 0 && other != 0 && port != other);
    CHECK(!could_be_leased(port) && !could_be_leased(other));
    CHECK(portalloc_give_back(port));
    CHECK(could_be_leased(port) && !could_be_leased(other));
    CHECK(!portalloc_give_back(port));

    /* What it was not given by portalloc_port it does not take. */
    portalloc_lease *lease;
    OK(portalloc_lease_new(NULL, &lease));
    CHECK(!portalloc_give_back(portalloc_lease_port(lease, 0)) && !portalloc_give_back(0));
    CHECK(!portalloc_lease_is_released(lease) && portalloc_lease_is_held(lease));
    portalloc_lease_free(lease);
    CHECK(portalloc_give_back(other));
}

/* A pool of so many ports that nobody else uses. */
static void small_pool(size_t count, char pool[16]) {
    portalloc_lease *lease;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = count;
    OK(portalloc_lease_new(&options, &lease));
    snprintf(pool, 16, "%u-%u", (unsigned)portalloc_lease_port(lease, 0),
             (unsigned)portalloc_lease_port(lease, count - 1));
    portalloc_lease_free(lease);
}

static void an_empty_pool_names_places(void) {
    char pool[16], expected[4096];
    small_pool(4, pool);
    portalloc_port_options options = portalloc_port_options_default();
    options.pool = pool;
    uint16_t ports[4], none = 7;
    int twice = 0;
    for (int index = 0; index < 2; index++) {
        twice = __LINE__ + 1;
        OK(portalloc_port(&options, &ports[index]));
    }
    OK(portalloc_port_at(NULL, &options, &ports[2]));
    /* Somebody's path, in whatever encoding. */
    OK(portalloc_port_at("caf\xe9.c:7", &options, &ports[3]));
    snprintf(expected, sizeof expected, "2 at %s:%d", __FILE__, twice);
    FAILS(portalloc_port(&options, &none), POOL_EXHAUSTED, expected);
    FAILS(portalloc_port(&options, &none), POOL_EXHAUSTED, "1 at an unknown place");
    FAILS(portalloc_port(&options, &none), POOL_EXHAUSTED, "1 at caf\xef\xbf\xbd.c:7");
    FAILS(portalloc_port(&options, &none), POOL_EXHAUSTED, "this process holds 4 ports");
    CHECK(none == 7);
    options.exclude = pool;
    FAILS(portalloc_port(&options, &none), INVALID_ARGUMENT, "");
    options.exclude = NULL;
    for (int index = 0; index < 4; index++) {
        CHECK(portalloc_give_back(ports[index]));
    }
    /* With nothing of this process's in the way there is nothing to name. */
    options.pool = "70000";
    FAILS(portalloc_port(&options, &none), INVALID_ARGUMENT, "70000");
    options.size = 3;
    FAILS(portalloc_port(&options, &none), INVALID_ARGUMENT, "size");
    CHECK(none == 7);
}

static void no_descriptor_is_left(void) {
    struct rlimit before, little;
    CHECK(getrlimit(RLIMIT_NOFILE, &before) == 0);
    little = before;
    little.rlim_cur = 100;
    CHECK(setrlimit(RLIMIT_NOFILE, &little) == 0);
    uint16_t ports[100];
    size_t count = 0;
    portalloc_result result;
    const int line = __LINE__ + 2;
    do {
        result = portalloc_port(NULL, &ports[count]);
    } while (result == PORTALLOC_RESULT_OK && ++count < 100);
    CHECK(result != PORTALLOC_RESULT_OK && result != PORTALLOC_RESULT_POOL_EXHAUSTED && count > 0);
    char expected[4096];
    snprintf(expected, sizeof expected, "%zu at %s:%d", count, __FILE__, line);
    CHECK(strstr(portalloc_last_error_message(), expected) != NULL);
    CHECK(portalloc_give_back(ports[--count]));
    OK(portalloc_port(NULL, &ports[count]));
    CHECK(setrlimit(RLIMIT_NOFILE, &before) == 0);
    for (size_t index = 0; index <= count; index++) {
        CHECK(portalloc_give_back(ports[index]));
    }
}

static atomic_uint owners[65536];

static void *take_ports(void *unused) {
    uint16_t ports[EACH];
    for (int index = 0; index < EACH; index++) {
        OK(portalloc_port(NULL, &ports[index]));
        CHECK(atomic_fetch_add(&owners[ports[index]], 1) == 0);
    }
    for (int index = 0; index < EACH; index += 2) {
        CHECK(atomic_fetch_sub(&owners[ports[index]], 1) == 1);
        CHECK(portalloc_give_back(ports[index]));
    }
    return unused;
}

static void threads(void) {
    pthread_t threads[THREADS];
    for (int index = 0; index < THREADS; index++) {
        CHECK(pthread_create(&threads[index], NULL, take_ports, NULL) == 0);
    }
    for (int index = 0; index < THREADS; index++) {
        CHECK(pthread_join(threads[index], NULL) == 0);
    }
    int held = 0;
    for (unsigned port = 1; port < 65536; port++) {
        if (atomic_load(&owners[port]) == 1) {
            held++;
            CHECK(!could_be_leased((uint16_t)port));
        }
    }
    /* They stay where they are: the end of the process gives them back. */
    CHECK(held == THREADS * EACH / 2);
}

static void forked(void) {
    uint16_t port, own = 0;
    OK(portalloc_port(NULL, &port));
    int told[2], go_on[2];
    CHECK(pipe(told) == 0 && pipe(go_on) == 0);
    pid_t child = fork();
    if (child == 0) {
        alarm(60);
        CHECK(!portalloc_give_back(port) && !could_be_leased(port));
        OK(portalloc_port(NULL, &own));
        CHECK(own != port && portalloc_give_back(own) && could_be_leased(own));
        OK(portalloc_port(NULL, &own));
        CHECK(write(told[1], &own, sizeof own) == sizeof own);
        char byte;
        CHECK(close(go_on[1]) == 0 && read(go_on[0], &byte, 1) == 0);
        _exit(0);
    }
    CHECK(close(told[1]) == 0 && read(told[0], &own, sizeof own) == sizeof own);
    CHECK(!could_be_leased(port) && !could_be_leased(own) && !portalloc_give_back(own));
    /* The child lives and has a copy, which it does nothing with. */
    CHECK(portalloc_give_back(port) && could_be_leased(port));
    CHECK(close(go_on[1]) == 0);
    ends_well(child);
    CHECK(could_be_leased(own));
    CHECK(close(told[0]) == 0 && close(go_on[0]) == 0);
}

int main(void) {
    one_port();
    an_empty_pool_names_places();
    no_descriptor_is_left();
    forked();
    threads();
    puts("left well");
    return 0;
}
