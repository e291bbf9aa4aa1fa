// Package cfloor is what a lease costs a program in C: the floor of this package's benchmarks. In a package, because a
// test file cannot contain C.
package cfloor

import "time"

// LeaseAndRelease does it so often, and says how long that took. It panics if a lease fails.
func LeaseAndRelease(ports, times int) time.Duration {
	took := leaseAndRelease(int64(ports), int64(times))
	if took < 0 {
		panic("a lease failed in C")
	}
	return time.Duration(took)
}
