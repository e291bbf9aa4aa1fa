package portalloc

// #include "bridge.h"
import "C"

import (
	"fmt"
	"runtime"
	"unsafe"
)

// Port is one port that is nobody else's until this process ends, or until [GiveBack]: in place of [net.Listen] on port 0,
// Close, and the number. It does not wait: if no port is free, it fails with [ErrPoolExhausted], and names the places of this
// program that have taken the most ports and not given them back. It costs one file descriptor, which is closed on exec.
//
// In tests, portalloctest.Port gives the port back when the test ends.
func Port(options ...PortOption) (int, error) {
	var asked request
	defer asked.pinner.Unpin()
	for _, option := range options {
		if err := option.apply(&asked); err != nil {
			return 0, err
		}
	}
	var given C.portalloc_port_options
	given.size = C.size_t(unsafe.Sizeof(given))
	given.pool, given.exclude = asked.pool, asked.exclude
	place, err := cText("the place", caller())
	if err != nil {
		return 0, err
	}
	var port C.uint16_t
	if err := check(C.pgo_port_at(place, &given, &port)); err != nil {
		return 0, err
	}
	return int(port), nil
}

// caller is who called the exported function that calls it.
func caller() string {
	_, file, line, known := runtime.Caller(2)
	if !known {
		return ""
	}
	return fmt.Sprintf("%s:%d", file, line)
}

// GiveBack gives back a port of [Port] before this process ends. It is false, and does nothing, if the port is not one of
// those, or no longer. Close your own sockets first: from here on others may be given it.
func GiveBack(port int) bool {
	given, err := asPort(port)
	if err != nil {
		return false
	}
	var done C.bool
	check(C.pgo_give_back(given, &done))
	return bool(done)
}
