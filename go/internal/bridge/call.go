//go:build !cgo && !portalloc_static && linux && (amd64 || arm64)

package bridge

import (
	"sync"

	"github.com/ebitengine/purego"
)

// Addresses of functions by name.
var addresses sync.Map

// call loads the library if this is the first call, and calls a function of bridge.h that has an outcome.
//
//go:uintptrescapes
func call(name string, arguments ...uintptr) Outcome {
	address, err := Address(name)
	if err != nil {
		return failure(err)
	}
	of := new(raw)
	var all [6]uintptr // more than the function has do no harm
	copy(all[:], arguments)
	purego.SyscallN(address, uintptr(p(of)), all[0], all[1], all[2], all[3], all[4], all[5])
	return of.outcome()
}

// plain calls a function that cannot fail; it does nothing if the library cannot be loaded.
//
//go:uintptrescapes
func plain(name string, arguments ...uintptr) {
	if address, err := Address(name); err == nil {
		purego.SyscallN(address, arguments...)
	}
}

// Address is that of a function of the library, which it loads if this is the first call.
func Address(name string) (uintptr, error) {
	if address, ok := addresses.Load(name); ok {
		return address.(uintptr), nil
	}
	library, err := load()
	if err != nil {
		return 0, err
	}
	address, err := purego.Dlsym(library, name)
	if err != nil {
		return 0, err
	}
	addresses.Store(name, address)
	return address, nil
}
