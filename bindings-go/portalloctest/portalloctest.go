// Package portalloctest gives tests ports that are theirs alone until the test ends: no other test, package, process or
// project is given them meanwhile, and SIGKILL to the test gives them back.
//
//	func TestServer(t *testing.T) {
//		t.Parallel()
//		port := portalloctest.Port(t)
//		...
//
// It is beside portalloc as net/http/httptest is beside net/http, so that programs do not contain package testing.
//
// Each function fails the test if there is nothing to be had; [portalloc.WithTimeout] waits. When the test and its own
// cleanups are over, and something still listens on one of its ports, the test fails and names it: it would be in the
// way of a later one. To have no such look, lease by yourself: portalloc.Acquire, and t.Cleanup(lease.Release).
package portalloctest

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/bindings-go"
)

// A server that was told to end may need a moment for it.
const grace = time.Second

// Lease leases n consecutive ports until the test ends.
func Lease(t testing.TB, n int, options ...portalloc.LeaseOption) *portalloc.Lease {
	t.Helper()
	lease, err := portalloc.Acquire(n, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		t.Helper()
		if !lease.Released() {
			report(t, lease)
		}
		lease.Release()
	})
	return lease
}

// Port is one port until the test ends.
func Port(t testing.TB, options ...portalloc.LeaseOption) int {
	t.Helper()
	return Lease(t, 1, options...).Base()
}

// Ports are n ports until the test ends; consecutive ones, unless told otherwise.
func Ports(t testing.TB, n int, options ...portalloc.LeaseOption) []int {
	t.Helper()
	return Lease(t, n, options...).Ports()
}

// Listener listens on a port that is the test's until it ends, on 127.0.0.1 unless told otherwise by [portalloc.WithHost].
// Nobody can come between lease and listener. It is closed when the test ends.
func Listener(t testing.TB, options ...portalloc.SocketOption) net.Listener {
	t.Helper()
	listener, err := Lease(t, 1, portalloc.WithGuard()).Listener(0, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// PacketConn is a UDP socket on a port that is the test's until it ends, as [Listener].
func PacketConn(t testing.TB, options ...portalloc.SocketOption) net.PacketConn {
	t.Helper()
	conn, err := Lease(t, 1).PacketConn(0, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Env is an environment until the test ends: ports, a temp dir, and the variables that tell child processes of them. It
// writes no env file, unless told to by [portalloc.WithEnvFile].
func Env(t testing.TB, options ...portalloc.EnvironmentOption) *portalloc.Environment {
	t.Helper()
	options = append([]portalloc.EnvironmentOption{portalloc.WithoutEnvFile()}, options...)
	environment, err := portalloc.NewEnvironment(options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		t.Helper()
		if lease, err := environment.Lease(); err == nil { // else it is a kept one, or cleaned up
			report(t, lease)
			lease.Release()
		}
		if err := environment.Cleanup(); err != nil {
			t.Error(err)
		}
	})
	return environment
}

// report fails the test if its servers have outlived it.
func report(t testing.TB, lease *portalloc.Lease) {
	t.Helper()
	// A guard's own sockets look like those of servers.
	if err := lease.DropGuard(); err != nil {
		t.Error(err)
		return
	}
	end := time.Now().Add(grace)
	for _, port := range lease.Ports() {
		for {
			listening, err := listeners(port)
			if err != nil {
				t.Error(err)
			} else if listening != "" && time.Now().Before(end) {
				time.Sleep(5 * time.Millisecond)
				continue
			} else if listening != "" {
				t.Errorf("port %d is given back, but still listened on by %s", port, listening)
			}
			break
		}
	}
}

func listeners(port int) (string, error) {
	found, err := portalloc.Who(port)
	if err != nil {
		return "", err
	}
	var names []string
	for _, holder := range found.Holders {
		if holder.Listening {
			names = append(names, fmt.Sprintf("PID %d (%s)", holder.PID, holder.Command))
		}
	}
	return strings.Join(names, ", "), nil
}
