// Package portalloctest leases ports for tests: no other test, package, process or project is given them until the test ends,
// also if that is killed.
//
//	func TestServer(t *testing.T) {
//		t.Parallel()
//		port := portalloctest.Port(t)
//		...
//
// It is a package of its own, as net/http/httptest is, so that programs do not contain package testing.
//
// Each function fails the test if it cannot get a port; with [portalloc.WithWait] it waits for one. If something still listens on
// one of the ports after the test and its own cleanups, the test fails and names the process, which would disturb a later test.
// To skip that check, use [portalloc.Acquire] and t.Cleanup(func() { lease.Close() }).
package portalloctest

import (
	"context"
	"net"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
)

// Lease leases n consecutive ports until the test ends.
func Lease(t testing.TB, n int, options ...portalloc.LeaseOption) *portalloc.Lease {
	t.Helper()
	lease, err := portalloc.Acquire(context.Background(), n, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		t.Helper()
		if lease.IsHeld() {
			report(t, lease)
		}
		lease.Close()
	})
	return lease
}

// Port leases one port until the test ends.
func Port(t testing.TB, options ...portalloc.LeaseOption) int {
	t.Helper()
	return Lease(t, 1, options...).Base()
}

// Ports leases n ports until the test ends, consecutive ones unless an option says otherwise.
func Ports(t testing.TB, n int, options ...portalloc.LeaseOption) []int {
	t.Helper()
	return Lease(t, n, options...).Ports()
}

// Listener listens on a port of its own until the test ends, on 127.0.0.1 unless [portalloc.WithHost] says otherwise. No other
// program can bind the port in between.
func Listener(t testing.TB, options ...portalloc.SocketOption) net.Listener {
	t.Helper()
	listener, err := Lease(t, 1, portalloc.WithGuard()).Listener(0, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	return listener
}

// PacketConn is a UDP socket on a port of its own until the test ends, as [Listener].
func PacketConn(t testing.TB, options ...portalloc.SocketOption) net.PacketConn {
	t.Helper()
	conn, err := Lease(t, 1).PacketConn(0, options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return conn
}

// Env makes an environment until the test ends: ports, a temp directory, and variables that tell child processes of them.
func Env(t testing.TB, options ...portalloc.EnvironmentOption) *portalloc.Environment {
	t.Helper()
	environment, err := portalloc.NewEnvironment(context.Background(), options...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		t.Helper()
		if lease, err := environment.Lease(); err == nil { // else it is a kept one, or closed
			report(t, lease)
			lease.Close()
		}
		if err := environment.Close(); err != nil {
			t.Error(err)
		}
	})
	return environment
}

// report fails the test if servers still listen on its ports.
func report(t testing.TB, lease *portalloc.Lease) {
	t.Helper()
	if err := lease.DropGuard(); err != nil { // its sockets look like those of a server
		t.Error(err)
		return
	}
	if leaks, err := portalloc.Leaks(lease.Ports()...); err != nil {
		t.Error(err)
	} else if leaks != "" {
		t.Error(leaks)
	}
}
