// Package portalloc leases ports that are yours: held in the kernel, and freed by the kernel when their holder is gone.
//
//	lease, err := portalloc.Acquire(3) // three consecutive ports, nobody else's from now on
//	if err != nil {
//		return err
//	}
//	defer lease.Release()
//	server, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", lease.Base()))
//
// In tests use [github.com/portalloc/portalloc/bindings-go/portalloctest], which gives the ports back when the test ends.
//
// # Ownership
//
// A lease ends with [Lease.Release], or with the process, however that ends. One that the program has lost is released
// when the garbage is collected, silently, as an [os.File] is closed. So keep the [Lease] as long as you need its ports: a
// number from [Lease.Base] does not keep it alive.
//
// # Goroutines
//
// Everything may be used by any number of goroutines at once. A call that waits occupies a thread of the operating
// system. Calls read variables (PORTALLOC_POOL, PORTALLOC_DIR, ...) by getenv of the C library, which is not safe
// beside [os.Setenv] in another goroutine; so set variables before, as with everything else that is written in C.
//
// # Processes
//
// Go starts processes by fork and exec at once, and exec closes leases: a child does not hold what its parent leased.
// [Lease.Inheritable] passes a lease on.
package portalloc
