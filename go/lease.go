package portalloc

// #include "bridge.h"
import "C"

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"
)

// Lease has ports that no other process is given until [Lease.Close], or until this process ends, whichever comes first: the
// kernel sees to it, SIGKILL included. It costs one file descriptor, closed on exec.
type Lease struct {
	ports []uint16

	mu      sync.Mutex
	handle  *C.portalloc_lease // nil once closed
	cleanup runtime.Cleanup
	// The environment that the lease belongs to: kept alive, because its end would end the lease.
	environment *Environment
}

// GuardState says whether sockets keep foreign processes off the ports of a lease.
type GuardState uint32

const (
	// GuardNone means that there is no guard.
	GuardNone GuardState = C.PORTALLOC_GUARD_NONE
	// GuardShared lets servers that set SO_REUSEADDR bind, as those of Go do, and no others.
	GuardShared GuardState = C.PORTALLOC_GUARD_SHARED
	// GuardExclusive lets no program bind.
	GuardExclusive GuardState = C.PORTALLOC_GUARD_EXCLUSIVE
)

// String is "none", "shared" or "exclusive".
func (s GuardState) String() string {
	switch s {
	case GuardNone:
		return "none"
	case GuardShared:
		return "shared"
	case GuardExclusive:
		return "exclusive"
	}
	return fmt.Sprintf("GuardState(%d)", uint32(s))
}

// Acquire leases n ports: consecutive ones, unless [Exactly], [Offsets] or [Scattered] say otherwise. If there are none, it
// fails at once with [ErrPoolExhausted], or for exact ports with [ErrPortInUse]; [WithWait] waits for them. If the context is
// done first, it fails with [ErrWaitTimeout] and the context's own error. A deadline alone does not make it wait.
func Acquire(ctx context.Context, n int, options ...LeaseOption) (*Lease, error) {
	var asked request
	defer asked.pinner.Unpin()
	if err := apply(&asked, options); err != nil {
		return nil, err
	}
	if err := asked.text("the place", caller(), &asked.c.place); err != nil {
		return nil, err
	}
	var given C.portalloc_lease_options
	given.size = C.size_t(unsafe.Sizeof(given))
	if given.count = C.int64_t(n); asked.c.exact == nil && asked.c.offsets == nil {
		given.count = number(n)
	}
	given.exact, given.exact_count = asked.c.exact, asked.c.exact_count
	given.offsets, given.offsets_count = asked.c.offsets, asked.c.offsets_count
	given.pool, given.exclude, given.sticky_key = asked.c.pool, asked.c.exclude, asked.stickyKey
	given.place = asked.c.place
	given.scattered, given.guard = asked.c.scattered, asked.c.guard == C.PORTALLOC_SWITCH_ON
	// Room for the ports. The core refuses more than there can be.
	room := max(0, n, int(given.exact_count), int(given.offsets_count))
	lease := &Lease{ports: make([]uint16, min(room, 65535))}
	err := within(ctx, asked.wait, func(limits wait) C.pgo_outcome {
		given.wait_ms, given.cancel = limits.milliseconds, limits.cancel
		return C.pgo_lease_new(&given, &lease.handle, cNumbers[C.uint16_t](lease.ports), C.size_t(len(lease.ports)))
	})
	if err != nil {
		return nil, err
	}
	lease.freeWhenLost()
	return lease, nil
}

// freeWhenLost ends a lease that the program has lost. Without it, a long-running program that forgets leases would use up the
// pool. It is a cleanup rather than a finalizer because it refers only to the handle and cannot bring the lease back.
func (l *Lease) freeWhenLost() {
	l.cleanup = runtime.AddCleanup(l, func(handle *C.portalloc_lease) { check(C.pgo_lease_free(handle)) }, l.handle)
}

// Close gives the ports back. It is safe to call twice, and always returns nil. Close your own sockets first: from now on
// another process may be given these ports. An inherited lease ends only with the last process that has it. The lease of an
// environment ends with [Environment.Close] instead.
func (l *Lease) Close() error {
	return check(l.free())
}

func (l *Lease) free() (outcome C.pgo_outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handle == nil {
		return outcome
	}
	l.cleanup.Stop()
	outcome = C.pgo_lease_free(l.handle)
	l.handle, l.environment = nil, nil
	return outcome
}

// IsHeld says whether the lease still has its ports: it was not closed, its environment was not closed, and its descriptor is
// still open. A program that closes descriptors it does not know ends its leases that way.
func (l *Lease) IsHeld() bool {
	var held C.bool
	err := l.with(func(handle *C.portalloc_lease) C.pgo_outcome { return C.pgo_lease_is_held(handle, &held) })
	return err == nil && bool(held)
}

// Ports are the ports, also after Close. Consecutive ports ascend, others are in the order you asked for.
func (l *Lease) Ports() []int {
	return asInts(l.ports)
}

// Port is the port at this index. It panics if there is none, as a slice does.
func (l *Lease) Port(index int) int {
	return int(l.ports[index])
}

// Base is the first port.
func (l *Lease) Base() int {
	return int(l.ports[0])
}

// Len is the number of ports.
func (l *Lease) Len() int {
	return len(l.ports)
}

// String shows the ports.
func (l *Lease) String() string {
	return fmt.Sprintf("lease of %v", l.ports)
}

// with calls what needs a live handle.
func (l *Lease) with(call func(*C.portalloc_lease) C.pgo_outcome) error {
	outcome, err := l.locked(call)
	if err != nil {
		return err
	}
	return check(outcome)
}

// locked is with, but leaves the outcome to be checked.
func (l *Lease) locked(call func(*C.portalloc_lease) C.pgo_outcome) (outcome C.pgo_outcome, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handle == nil {
		return outcome, &Error{Code: ErrInvalidArgument, Message: "the lease was closed", Remedy: "acquire a new one"}
	}
	return call(l.handle), nil
}

// Guard guards the ports with sockets that do not listen: no foreign process can bind them, and neither can your own server
// until [Lease.ShareGuard] or [Lease.DropGuard]. It fails with [ErrPortInUse] if a foreign process has bound one already.
func (l *Lease) Guard() error {
	return l.with(func(handle *C.portalloc_lease) C.pgo_outcome { return C.pgo_lease_guard(handle) })
}

// ShareGuard lets servers that set SO_REUSEADDR, as those of Go do, bind over the guard. It still keeps other programs off,
// except from UDP ports. Without a guard it does nothing.
func (l *Lease) ShareGuard() error {
	return l.with(func(handle *C.portalloc_lease) C.pgo_outcome { return C.pgo_lease_share_guard(handle) })
}

// DropGuard closes the sockets of the guard, for servers that do not set SO_REUSEADDR. The lease stays.
func (l *Lease) DropGuard() error {
	return l.with(func(handle *C.portalloc_lease) C.pgo_outcome { return C.pgo_lease_drop_guard(handle) })
}

// GuardState is the state of the guard; [GuardNone] after Close.
func (l *Lease) GuardState() GuardState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return GuardState(C.portalloc_lease_guard_state(l.handle))
}

// Inheritable is a copy of the lease for a child process:
//
//	inherited, err := lease.Inheritable()
//	...
//	cmd.ExtraFiles = append(cmd.ExtraFiles, inherited)
//	err = cmd.Start()
//	inherited.Close()
//
// The lease then lives until this process and every such child have ended or closed it. From now on, [Lease.Close] ends only
// this process's part in it. Guards are not inherited.
func (l *Lease) Inheritable() (*os.File, error) {
	fd := C.int32_t(-1)
	outcome, err := l.copied(&fd)
	if err != nil {
		return nil, err
	}
	if err := check(outcome); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), l.String()), nil
}

// copied makes a descriptor without close-on-exec. A process that another goroutine starts must not inherit it, and Go
// starts processes under this lock.
func (l *Lease) copied(fd *C.int32_t) (C.pgo_outcome, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	outcome, err := l.locked(func(handle *C.portalloc_lease) C.pgo_outcome {
		return C.pgo_lease_inheritable(handle, fd)
	})
	if *fd >= 0 {
		syscall.CloseOnExec(int(*fd))
	}
	return outcome, err
}
