package portalloc

// #include "bridge.h"
import "C"

import (
	"fmt"
	"math"
	"runtime"
	"time"
)

// LeaseOption is for [Acquire] and its kin.
type LeaseOption interface {
	apply(*request) error
	forLease()
}

// EnvironmentOption is for [NewEnvironment] and [Current].
type EnvironmentOption interface {
	apply(*request) error
	forEnvironment()
}

// Option is for leases and environments alike.
type Option interface {
	LeaseOption
	EnvironmentOption
}

// PortOption is for [Port].
type PortOption interface {
	apply(*request) error
	forPort()
}

// PoolOption says which ports may be given out, to whoever asks for ports.
type PoolOption interface {
	Option
	PortOption
}

// What is common to both requests has the same names in C, but not the same type. So it is collected here first.
type request struct {
	pinner runtime.Pinner

	count              C.size_t
	ports, offsets     []uint16
	pool, exclude      *C.char
	timeout            C.uint64_t
	timed              bool
	scattered, guarded bool
	sticky             *C.char
	environment        *C.portalloc_environment_options
}

type option func(*request) error

func (o option) apply(r *request) error { return o(r) }
func (option) forLease()                {}
func (option) forEnvironment()          {}

type poolOption func(*request) error

func (o poolOption) apply(r *request) error { return o(r) }
func (poolOption) forLease()                {}
func (poolOption) forEnvironment()          {}
func (poolOption) forPort()                 {}

type leaseOption func(*request) error

func (o leaseOption) apply(r *request) error { return o(r) }
func (leaseOption) forLease()                {}

type environmentOption func(*request) error

func (o environmentOption) apply(r *request) error { return o(r) }
func (environmentOption) forEnvironment()          {}

// text crosses the border in a struct, so it is pinned.
func (r *request) text(what, text string) (*C.char, error) {
	given, err := cText(what, text)
	if err == nil {
		r.pinner.Pin(given)
	}
	return given, err
}

// limited is the shorter one of two times. Without a context there is no second one.
func (r *request) limited(limits wait) C.uint64_t {
	if r.timed && (limits.timeout == 0 || r.timeout < limits.timeout) {
		return r.timeout
	}
	return limits.timeout
}

// WithPool names the ports to give out, such as "20000-29999". Else it is PORTALLOC_POOL, else portalloc.toml, else the
// default.
func WithPool(ports string) PoolOption {
	return poolOption(func(r *request) (err error) {
		r.pool, err = r.text("pool", ports)
		return err
	})
}

// WithExclude names ports never to give out. Else it is PORTALLOC_EXCLUDE, else portalloc.toml, else none.
func WithExclude(ports string) PoolOption {
	return poolOption(func(r *request) (err error) {
		r.exclude, err = r.text("exclude", ports)
		return err
	})
}

// WithTimeout waits so long for ports to come free. Without it, and without a context, a call fails at once; so it does
// with 0.
func WithTimeout(limit time.Duration) Option {
	return option(func(r *request) (err error) {
		if limit < 0 {
			return invalid(fmt.Sprintf("%v is no time to wait", limit), "name a time from 0 on")
		}
		r.timeout, r.timed = milliseconds(limit), true
		return nil
	})
}

// milliseconds of a time, and not fewer: what is some time is not none. The longest that Go has stands for all that is
// longer, as in package time.
func milliseconds(limit time.Duration) C.uint64_t {
	if limit == math.MaxInt64 {
		return math.MaxUint64
	}
	whole := limit / time.Millisecond
	if limit%time.Millisecond > 0 {
		whole++
	}
	return C.uint64_t(whole)
}

// WithScattered is for ports that need not be consecutive.
func WithScattered() Option {
	return option(func(r *request) error {
		r.scattered = true
		return nil
	})
}

// WithGuard holds the ports by sockets, against programs that know nothing of portalloc, too: see [Lease.Guard].
func WithGuard() Option {
	return option(func(r *request) error {
		r.guarded = true
		return nil
	})
}

// WithStickyKey prefers the ports that this key was given before, on this machine.
func WithStickyKey(key string) LeaseOption {
	return leaseOption(func(r *request) (err error) {
		r.sticky, err = r.text("sticky", key)
		return err
	})
}

// WithPortCount is for so many consecutive ports. Without it there are as many as names or ports were given, or as many
// as portalloc.toml says, or five.
func WithPortCount(n int) EnvironmentOption {
	return environmentOption(func(r *request) (err error) {
		r.count, err = asCount(n)
		return err
	})
}

// WithNames names the first ports: "postgres" becomes the variable POSTGRES_PORT.
func WithNames(names ...string) EnvironmentOption {
	return environmentOption(func(r *request) (err error) {
		r.environment.names, err = cTexts(&r.pinner, "names", names)
		r.environment.names_count = C.size_t(len(names))
		return err
	})
}

// WithPorts is for exactly these ports, in the pool or not.
func WithPorts(ports ...int) EnvironmentOption {
	return environmentOption(func(r *request) (err error) {
		r.ports, err = asPorts(ports)
		return err
	})
}

// WithOffsets is for a base port and the ports at these distances from it; the first is 0.
func WithOffsets(offsets ...int) EnvironmentOption {
	return environmentOption(func(r *request) (err error) {
		r.offsets, err = asOffsets(offsets)
		return err
	})
}

// WithInstanceID tells it from others of its work tree.
func WithInstanceID(id string) EnvironmentOption {
	return environmentOption(func(r *request) (err error) {
		r.environment.instance_id, err = r.text("instance_id", id)
		return err
	})
}

// WithWorktree is for this folder instead of the current one.
func WithWorktree(path string) EnvironmentOption {
	return environmentOption(func(r *request) (err error) {
		r.environment.worktree, err = r.text("worktree", path)
		return err
	})
}

// WithEnvFile writes the env file at this very path. Without it, and without [WithoutEnvFile], it is .env.isolation in the
// work tree, or .env.isolation.<id> if that is taken.
func WithEnvFile(path string) EnvironmentOption {
	return environmentOption(func(r *request) (err error) {
		r.environment.env_file_place = C.PORTALLOC_ENV_FILE_PLACE_USUAL
		r.environment.env_file, err = r.text("env_file", path)
		return err
	})
}

// WithoutEnvFile writes no env file.
func WithoutEnvFile() EnvironmentOption {
	return environmentOption(func(r *request) error {
		r.environment.env_file_place = C.PORTALLOC_ENV_FILE_PLACE_NONE
		return nil
	})
}

// WithSticky prefers the ports that the same work tree, instance ID and names had before.
func WithSticky() EnvironmentOption {
	return environmentOption(func(r *request) error {
		r.environment.sticky = true
		return nil
	})
}

// WithKept makes it outlive this process, until [Cleanup], its TTL or the end of its owner.
func WithKept() EnvironmentOption {
	return environmentOption(func(r *request) error {
		r.environment.kept = true
		return nil
	})
}

// WithTTL ends a kept one after this time.
func WithTTL(ttl time.Duration) EnvironmentOption {
	return environmentOption(func(r *request) error {
		if ttl <= 0 {
			return invalid(fmt.Sprintf("the TTL %v is no time at all", ttl), "name a time such as 30m, 2h or 1d")
		}
		r.environment.ttl_ms = milliseconds(ttl)
		return nil
	})
}

// WithOwner ends a kept one with this process.
func WithOwner(pid int) EnvironmentOption {
	return environmentOption(func(r *request) error {
		switch {
		case pid < 0 || pid > math.MaxUint32:
			return invalid(fmt.Sprintf("%d is not a process ID", pid), "name the ID of a running process")
		case pid == 0: // for C, none is given
			return &Error{
				Code:    ErrNotFound,
				Message: "no process with the ID 0 runs here",
				Remedy:  "name the ID of a running process of this PID namespace",
			}
		}
		r.environment.owner_pid = C.uint32_t(pid)
		return nil
	})
}

// asCount refuses what C takes for not given, or cannot say.
func asCount(n int) (C.size_t, error) {
	switch {
	case n < 0:
		return 0, invalid(
			fmt.Sprintf("%d ports were asked for", n), "ask for 1 or more, and no more than the pool has")
	case n == 0:
		return 0, invalid("0 ports asked for", "ask for at least 1")
	}
	return C.size_t(n), nil
}

func asOffsets(offsets []int) ([]uint16, error) {
	small := make([]uint16, len(offsets))
	for index, offset := range offsets {
		if offset < 0 || offset > 65534 {
			return nil, invalid(
				fmt.Sprintf("the offset %d is out of range", offset),
				"name distances from the first port, from 0 to 65534")
		}
		small[index] = uint16(offset)
	}
	return small, nil
}
