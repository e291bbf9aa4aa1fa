// Package portalloc leases ports: while you hold one, no other process on this machine is given it.
//
//	lease, err := portalloc.Acquire(ctx, 3) // three consecutive ports
//	if err != nil {
//		return err
//	}
//	defer lease.Close()
//	server, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lease.Base()))
//
// In tests use [github.com/portalloc/portalloc/go/portalloctest], which gives the ports back when the test ends.
//
// # Ownership
//
// A lease ends with [Lease.Close], or with the process, also if that is killed. A lease that the program has lost ends when the
// garbage is collected, silently, as an [os.File] is closed. So keep the [Lease] as long as you need its ports: the number from
// [Lease.Base] does not keep it alive.
//
// # Goroutines
//
// Any number of goroutines may use everything at once. A call that waits occupies a thread of the operating system. Calls read
// variables (PORTALLOC_POOL, PORTALLOC_DIR, ...) with getenv of the C library, which is not safe while another goroutine calls
// [os.Setenv]: set variables before, as for everything written in C.
//
// # Processes
//
// Go starts processes by fork and exec, and exec closes leases: a child does not hold its parent's leases, unless it inherits
// one by [Lease.Inheritable].
package portalloc
