/* Many threads lease, note what they have, and give it back: no port is ever noted twice. Argument: how often. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>

enum { THREADS = 12 };

static atomic_uint owners[65536];
static portalloc_lease *shared;
static unsigned long rounds;

static void *work(void *unused) {
    (void)unused;
    for (unsigned long round = 0; round < rounds; round++) {
        portalloc_lease_options options = portalloc_lease_options_default();
        size_t count = 1 + round % 3;
        options.count = (int64_t)count;
        options.wait_ms = PORTALLOC_FOREVER;
        portalloc_lease *lease;
        OK(portalloc_lease_new(&options, &lease));
        uint16_t ports[3];
        CHECK(portalloc_lease_ports(lease, ports, 3) == count);
        for (size_t index = 0; index < count; index++) {
            CHECK(atomic_exchange(&owners[ports[index]], 1) == 0);
        }
        /* One handle, all threads. */
        CHECK(atomic_load(&owners[portalloc_lease_port(shared, 0)]) == 2 && !portalloc_lease_is_released(shared));
        for (size_t index = 0; index < count; index++) {
            CHECK(atomic_exchange(&owners[ports[index]], 0) == 1);
        }
        if (round % 2 == 0) {
            OK(portalloc_lease_release(lease));
        }
        portalloc_lease_free(lease);
    }
    return NULL;
}

int main(int count, char **arguments) {
    CHECK(count == 2);
    rounds = strtoul(arguments[1], NULL, 10);
    OK(portalloc_lease_new(NULL, &shared));
    atomic_store(&owners[portalloc_lease_port(shared, 0)], 2);
    pthread_t threads[THREADS];
    for (int index = 0; index < THREADS; index++) {
        CHECK(pthread_create(&threads[index], NULL, work, NULL) == 0);
    }
    for (int index = 0; index < THREADS; index++) {
        CHECK(pthread_join(threads[index], NULL) == 0);
    }
    portalloc_lease_free(shared);
    puts("left well");
    return 0;
}
