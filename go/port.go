package portalloc

import (
	"unsafe"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// Port leases one port until this process ends or calls [GiveBack]. Use it instead of [net.Listen] on port 0 and Close. It does
// not wait: if no port is free, it fails with [ErrPoolExhausted] and names the places in the program that have leased the most
// ports and not given them back. It costs one file descriptor, closed on exec.
//
// In tests, portalloctest.Port gives the port back when the test ends.
func Port(options ...PoolOption) (int, error) {
	var asked request
	defer asked.pinner.Unpin()
	if err := apply(&asked, options); err != nil {
		return 0, err
	}
	var given bridge.PortOptions
	given.Size = unsafe.Sizeof(given)
	given.Pool, given.Exclude = asked.c.Pool, asked.c.Exclude
	var port uint16
	err := check(bridge.PortAt(caller(), &given, &port))
	return int(port), err
}

// GiveBack gives back a port of [Port]. Close your own sockets first: from now on another process may be given the port. It
// returns false, and does nothing, if this process does not hold the port by [Port].
func GiveBack(port int) bool {
	var done bool
	check(bridge.GiveBack(int64(port), &done))
	return done
}
