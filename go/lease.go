package portalloc

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// Lease has ports that no other process is given until [Lease.Close], or until this process ends, whichever comes first: the
// kernel sees to it, SIGKILL included. It costs one file descriptor, closed on exec.
type Lease struct {
	ports []uint16

	mu     sync.Mutex
	handle *bridge.Lease // nil once closed
	// The environment that the lease belongs to: kept alive, because its end would end the lease.
	environment *Environment
}

// GuardState says whether sockets keep foreign processes off the ports of a lease.
type GuardState uint32

const (
	// GuardNone means that there is no guard.
	GuardNone GuardState = bridge.GuardNone
	// GuardShared lets servers that set SO_REUSEADDR bind, as those of Go do, and no others.
	GuardShared GuardState = bridge.GuardShared
	// GuardExclusive lets no program bind.
	GuardExclusive GuardState = bridge.GuardExclusive
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
	asked.c.Place = caller()
	var given bridge.LeaseOptions
	given.Size = unsafe.Sizeof(given)
	if given.Count = int64(n); asked.c.Exact == nil && asked.c.Offsets == nil {
		given.Count = number(n)
	}
	given.Exact, given.ExactCount = asked.c.Exact, asked.c.ExactCount
	given.Offsets, given.OffsetsCount = asked.c.Offsets, asked.c.OffsetsCount
	given.Pool, given.Exclude, given.StickyKey = asked.c.Pool, asked.c.Exclude, asked.stickyKey
	given.Prefer, given.PreferCount = asked.c.Prefer, asked.c.PreferCount
	given.Place = asked.c.Place
	given.Scattered, given.Guard = asked.c.Scattered, asked.c.Guard == bridge.SwitchOn
	// Room for the ports. The core refuses more than there can be.
	room := max(0, n, int(given.ExactCount), int(given.OffsetsCount))
	lease := &Lease{ports: make([]uint16, min(room, 65535))}
	var handle *bridge.Lease // by itself, because the rest of a Lease may not cross the border
	err := within(ctx, asked.wait, func(limits wait) bridge.Outcome {
		given.WaitMs, given.Cancel = limits.milliseconds, limits.cancel
		return bridge.LeaseNew(&given, &handle, address(lease.ports), len(lease.ports))
	})
	if err != nil {
		return nil, err
	}
	lease.own(handle)
	return lease, nil
}

// own sees to it that a lease which the program has lost ends. Else a long-running program that forgets leases would use up
// the pool. It is a finalizer rather than a cleanup, because a lease that is closed, as most are, takes a cleanup back in 0.15 us
// and a finalizer in 0.03.
func (l *Lease) own(handle *bridge.Lease) {
	l.handle = handle
	runtime.SetFinalizer(l, func(lost *Lease) { check(lost.free()) })
}

// Close gives the ports back. It is safe to call twice, and always returns nil. Close your own sockets first: from now on
// another process may be given these ports. An inherited lease ends only with the last process that has it. The lease of an
// environment ends with [Environment.Close] instead.
func (l *Lease) Close() error {
	return check(l.free())
}

func (l *Lease) free() (outcome bridge.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.handle == nil {
		return outcome
	}
	runtime.SetFinalizer(l, nil)
	outcome = bridge.LeaseFree(l.handle)
	l.handle, l.environment = nil, nil
	return outcome
}

// IsHeld says whether the lease still has its ports: it was not closed, its environment was not closed, and its descriptor is
// still open. A program that closes descriptors it does not know ends its leases that way.
func (l *Lease) IsHeld() bool {
	var held bool
	err := l.with(func(handle *bridge.Lease) bridge.Outcome { return bridge.LeaseIsHeld(handle, &held) })
	return err == nil && held
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
func (l *Lease) with(call func(*bridge.Lease) bridge.Outcome) error {
	outcome, err := l.locked(call)
	if err != nil {
		return err
	}
	return check(outcome)
}

// locked is with, but leaves the outcome to be checked.
func (l *Lease) locked(call func(*bridge.Lease) bridge.Outcome) (outcome bridge.Outcome, err error) {
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
	return l.with(func(handle *bridge.Lease) bridge.Outcome { return bridge.LeaseGuard(handle) })
}

// ShareGuard lets servers that set SO_REUSEADDR, as those of Go do, bind over the guard. It still keeps other programs off,
// except from UDP ports. Without a guard it does nothing.
func (l *Lease) ShareGuard() error {
	return l.with(func(handle *bridge.Lease) bridge.Outcome { return bridge.LeaseShareGuard(handle) })
}

// DropGuard closes the sockets of the guard, for servers that do not set SO_REUSEADDR. The lease stays.
func (l *Lease) DropGuard() error {
	return l.with(func(handle *bridge.Lease) bridge.Outcome { return bridge.LeaseDropGuard(handle) })
}

// GuardState is the state of the guard; [GuardNone] after Close.
func (l *Lease) GuardState() GuardState {
	l.mu.Lock()
	defer l.mu.Unlock()
	var state uint32
	bridge.LeaseGuardState(l.handle, &state)
	return GuardState(state)
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
	fd := int32(-1)
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
func (l *Lease) copied(fd *int32) (bridge.Outcome, error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	outcome, err := l.locked(func(handle *bridge.Lease) bridge.Outcome {
		return bridge.LeaseInheritable(handle, fd)
	})
	if *fd >= 0 {
		syscall.CloseOnExec(int(*fd))
	}
	return outcome, err
}
