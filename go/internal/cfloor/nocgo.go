//go:build !cgo

package cfloor

import (
	"os"
	"sync"

	"github.com/ebitengine/purego"
	"github.com/portalloc/portalloc/go/internal/bridge"
)

// floor.c as a shared library, which `make bench-go` builds.
const variable = "PORTALLOC_GO_C_FLOOR"

type floor struct{ function, leaseNew, leaseFree uintptr }

var found = sync.OnceValues(func() (of floor, err error) {
	library, err := purego.Dlopen(os.Getenv(variable), purego.RTLD_NOW)
	if err != nil {
		return of, err
	}
	if of.function, err = purego.Dlsym(library, "lease_and_release"); err != nil {
		return of, err
	}
	if of.leaseNew, err = bridge.Address("portalloc_lease_new"); err != nil {
		return of, err
	}
	of.leaseFree, err = bridge.Address("portalloc_lease_free")
	return of, err
})

func leaseAndRelease(ports, times int64) int64 {
	of, err := found()
	if err != nil {
		panic(err)
	}
	took, _, _ := purego.SyscallN(of.function, of.leaseNew, of.leaseFree, uintptr(ports), uintptr(times))
	return int64(took)
}
