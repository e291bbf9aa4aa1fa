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

// Lease has ports that are nobody else's until [Lease.Release], or until this process is gone, whichever comes first: the
// kernel sees to it, SIGKILL included. It costs one file descriptor, which is closed on exec.
type Lease struct {
	ports []uint16

	mu      sync.Mutex
	handle  *C.portalloc_lease // nil once released
	cleanup runtime.Cleanup
	// Whose lease it is: kept alive, because the end of an environment ends its lease.
	environment *Environment
}

// GuardState says whether sockets keep strangers off the ports of a lease.
type GuardState uint32

const (
	// GuardNone is no guard.
	GuardNone GuardState = C.PORTALLOC_GUARD_STATE_NONE
	// GuardReuse lets servers bind that set SO_REUSEADDR, as those of Go do, and no others.
	GuardReuse GuardState = C.PORTALLOC_GUARD_STATE_REUSE
	// GuardShut lets nobody bind.
	GuardShut GuardState = C.PORTALLOC_GUARD_STATE_SHUT
)

// String is "none", "reuse" or "shut".
func (s GuardState) String() string {
	switch s {
	case GuardNone:
		return "none"
	case GuardReuse:
		return "reuse"
	case GuardShut:
		return "shut"
	}
	return fmt.Sprintf("GuardState(%d)", uint32(s))
}

// Acquire leases n consecutive ports. It does not wait, unless told to by [WithTimeout]: if no such run is free, it fails
// with [ErrPoolExhausted].
func Acquire(n int, options ...LeaseOption) (*Lease, error) {
	return acquire(atOnce, func(r *request) (err error) {
		r.count, err = asCount(n)
		return err
	}, options)
}

// AcquireContext is Acquire, but waits for ports to come free until the context is done. Then it fails with [ErrTimeout]
// and the context's own error.
func AcquireContext(ctx context.Context, n int, options ...LeaseOption) (*Lease, error) {
	return acquire(waiting(ctx), func(r *request) (err error) {
		r.count, err = asCount(n)
		return err
	}, options)
}

// AcquirePorts leases exactly these ports, in the pool or not. If one is taken, it fails with [ErrPortInUse].
func AcquirePorts(ports []int, options ...LeaseOption) (*Lease, error) {
	return acquire(atOnce, exactly(ports), options)
}

// AcquirePortsContext is AcquirePorts, but waits as [AcquireContext].
func AcquirePortsContext(ctx context.Context, ports []int, options ...LeaseOption) (*Lease, error) {
	return acquire(waiting(ctx), exactly(ports), options)
}

// AcquireOffsets leases a base port and the ports at these distances from it; the first is 0. The base is one of the pool.
func AcquireOffsets(offsets []int, options ...LeaseOption) (*Lease, error) {
	return acquire(atOnce, apart(offsets), options)
}

// AcquireOffsetsContext is AcquireOffsets, but waits as [AcquireContext].
func AcquireOffsetsContext(ctx context.Context, offsets []int, options ...LeaseOption) (*Lease, error) {
	return acquire(waiting(ctx), apart(offsets), options)
}

func exactly(ports []int) func(*request) error {
	return func(r *request) (err error) {
		r.ports, err = asPorts(ports)
		return err
	}
}

func apart(offsets []int) func(*request) error {
	return func(r *request) (err error) {
		r.offsets, err = asOffsets(offsets)
		return err
	}
}

func acquire(patience patience, shape func(*request) error, options []LeaseOption) (*Lease, error) {
	var asked request
	if err := shape(&asked); err != nil {
		return nil, err
	}
	defer asked.pinner.Unpin()
	for _, option := range options {
		if err := option.apply(&asked); err != nil {
			return nil, err
		}
	}
	var given C.portalloc_lease_options
	given.size = C.size_t(unsafe.Sizeof(given))
	given.count = asked.count
	given.pool, given.exclude, given.sticky = asked.pool, asked.exclude, asked.sticky
	given.scattered, given.guard = C.bool(asked.scattered), C.bool(asked.guarded)
	expected := asked.count
	if asked.ports != nil {
		given.ports, given.ports_count = pinned(&asked.pinner, asked.ports)
		expected = given.ports_count
	}
	if asked.offsets != nil {
		given.offsets, given.offsets_count = pinned(&asked.pinner, asked.offsets)
		expected = given.offsets_count
	}
	// What is asked for may be more than there can be; the core says so.
	lease := &Lease{ports: make([]uint16, min(expected, 65535))}
	err := patience.call(func(limits wait) C.pgo_outcome {
		given.timeout_ms, given.cancel = asked.limited(limits), limits.cancel
		return C.pgo_lease_new(&given, &lease.handle, cPorts(lease.ports), C.size_t(len(lease.ports)))
	})
	if err != nil {
		return nil, err
	}
	lease.freeWhenLost()
	return lease, nil
}

func pinned(pinner *runtime.Pinner, ports []uint16) (*C.uint16_t, C.size_t) {
	array := cPorts(ports)
	pinner.Pin(array)
	return array, C.size_t(len(ports))
}

// freeWhenLost ends a lease that nobody can reach any more. Without it a long-running program that forgets leases would
// use up the pool. A cleanup and no finalizer, because it refers to the handle alone and cannot bring the lease back.
func (l *Lease) freeWhenLost() {
	l.cleanup = runtime.AddCleanup(l, func(handle *C.portalloc_lease) { check(C.pgo_lease_free(handle)) }, l.handle)
}

// Release gives the ports back. Again does nothing. Close your own sockets first: from here on others may be given these
// ports. A lease that was passed on ends only when the last process that has it is gone. That of an environment is not
// ended by this, but by [Environment.Cleanup].
func (l *Lease) Release() {
	check(l.free())
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

// Released says whether it was released, or its environment cleaned up.
func (l *Lease) Released() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return bool(C.portalloc_lease_is_released(l.handle)) // for NULL, it is
}

// IsHeld says whether the ports are still this lease's: it was not released, its environment not cleaned up, and its
// descriptor is still its own. A program that closes descriptors that it does not know ends its leases by that.
func (l *Lease) IsHeld() bool {
	var held C.bool
	err := l.with(func(handle *C.portalloc_lease) C.pgo_outcome { return C.pgo_lease_is_held(handle, &held) })
	return err == nil && bool(held)
}

// Ports are its ports, known also after the release. Those of a run ascend, others are in the order asked for.
func (l *Lease) Ports() []int {
	return asInts(l.ports)
}

// Port is the one at this index. It panics if there is none, as an index of a slice does.
func (l *Lease) Port(index int) int {
	return int(l.ports[index])
}

// Base is the first port.
func (l *Lease) Base() int {
	return int(l.ports[0])
}

// Len is how many ports it has.
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
		return outcome, invalid("the lease was released", "take a new one")
	}
	return call(l.handle), nil
}

// Guard holds the ports by sockets, against programs that know nothing of portalloc: none of them, and no server of your
// own, can bind the ports until [Lease.OpenGuard] or [Lease.DropGuard]. The sockets do not listen. It fails with
// [ErrPortInUse] if a stranger is there already.
func (l *Lease) Guard() error {
	return l.with(func(handle *C.portalloc_lease) C.pgo_outcome { return C.pgo_lease_guard(handle) })
}

// OpenGuard lets servers that set SO_REUSEADDR, as all of Go do, bind over the guard, which goes on keeping others off.
// UDP ports are not guarded from then on. Without a guard it does nothing.
func (l *Lease) OpenGuard() error {
	return l.with(func(handle *C.portalloc_lease) C.pgo_outcome { return C.pgo_lease_open_guard(handle) })
}

// DropGuard closes the guard's sockets, for servers that do not set SO_REUSEADDR. The lease stays.
func (l *Lease) DropGuard() error {
	return l.with(func(handle *C.portalloc_lease) C.pgo_outcome { return C.pgo_lease_drop_guard(handle) })
}

// GuardState is the state of its guard; [GuardNone] once released.
func (l *Lease) GuardState() GuardState {
	l.mu.Lock()
	defer l.mu.Unlock()
	return GuardState(C.portalloc_lease_guard_state(l.handle))
}

// Inheritable is a copy of the lease for a child process:
//
//	passed, err := lease.Inheritable()
//	...
//	cmd.ExtraFiles = append(cmd.ExtraFiles, passed)
//	err = cmd.Start()
//	passed.Close()
//
// The lease then lives until this process and every child that has it have ended or closed it. From now on [Lease.Release]
// gives up only this process's part in it. Guards are not passed on.
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
