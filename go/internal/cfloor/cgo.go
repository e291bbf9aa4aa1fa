package cfloor

// #cgo CFLAGS: -I${SRCDIR}/../library
// #cgo linux,amd64 LDFLAGS: ${SRCDIR}/../library/libportalloc_linux_amd64.a
// #cgo linux,arm64 LDFLAGS: ${SRCDIR}/../library/libportalloc_linux_arm64.a
// #cgo LDFLAGS: -lgcc_eh -lutil -lrt -lpthread -lm -ldl
// #include "floor.h"
//
// static int64_t linked_lease_and_release(int64_t ports, int64_t times) {
//     return lease_and_release(portalloc_lease_new, portalloc_lease_free, ports, times);
// }
import "C"

func leaseAndRelease(ports, times int64) int64 {
	return int64(C.linked_lease_and_release(C.int64_t(ports), C.int64_t(times)))
}
