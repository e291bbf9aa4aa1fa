#include "floor.h"

#include <time.h>

int64_t lease_and_release(portalloc_result (*lease_new)(const portalloc_lease_options *, portalloc_lease **),
                          void (*lease_free)(portalloc_lease *), int64_t ports, int64_t times) {
    struct timespec start, end;
    portalloc_lease_options options = portalloc_lease_options_default();
    options.count = ports;
    clock_gettime(CLOCK_MONOTONIC, &start);
    for (int64_t done = 0; done < times; done++) {
        portalloc_lease *lease = NULL;
        if (lease_new(&options, &lease) != PORTALLOC_RESULT_OK) {
            return -1;
        }
        lease_free(lease);
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    return (end.tv_sec - start.tv_sec) * INT64_C(1000000000) + end.tv_nsec - start.tv_nsec;
}
