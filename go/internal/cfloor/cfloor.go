// Package cfloor is what a lease costs a program in C: the floor of this package's benchmarks. In a package, because a
// test file cannot contain C.
package cfloor

// #cgo pkg-config: portalloc-static
// #include <portalloc.h>
// #include <time.h>
//
// static int64_t lease_and_release(size_t ports, size_t times) {
//     struct timespec start, end;
//     portalloc_lease_options options = portalloc_lease_options_default();
//     options.count = ports;
//     clock_gettime(CLOCK_MONOTONIC, &start);
//     for (size_t done = 0; done < times; done++) {
//         portalloc_lease *lease = NULL;
//         if (portalloc_lease_new(&options, &lease) != PORTALLOC_RESULT_OK) {
//             return -1;
//         }
//         portalloc_lease_free(lease);
//     }
//     clock_gettime(CLOCK_MONOTONIC, &end);
//     return (end.tv_sec - start.tv_sec) * INT64_C(1000000000) + end.tv_nsec - start.tv_nsec;
// }
import "C"

import "time"

// LeaseAndRelease does it so often, and says how long that took. It panics if a lease fails.
func LeaseAndRelease(ports, times int) time.Duration {
	took := C.lease_and_release(C.size_t(ports), C.size_t(times))
	if took < 0 {
		panic(C.GoString(C.portalloc_last_error_message()))
	}
	return time.Duration(took)
}
