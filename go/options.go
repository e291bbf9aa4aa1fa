package portalloc

import (
	"math"
	"runtime"
	"time"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// LeaseOption is an option of [Acquire].
type LeaseOption interface {
	apply(*request) error
	forLease()
}

// EnvironmentOption is an option of [NewEnvironment] and [Current].
type EnvironmentOption interface {
	apply(*request) error
	forEnvironment()
}

// Option is an option of leases and of environments.
type Option interface {
	LeaseOption
	EnvironmentOption
}

// PoolOption is an option of everything that takes ports from the pool: leases, environments, [Port], and [ReadSettings].
type PoolOption interface {
	Option
	forPool()
}

// option implements all of them; the functions that make one say by their result which it is.
type option func(*request) error

func (o option) apply(r *request) error { return o(r) }
func (option) forLease()                {}
func (option) forEnvironment()          {}
func (option) forPool()                 {}

// The structs of C for leases and environments have members of the same names, but not the same type. So the environment's
// is filled here, and those members are copied for a lease.
type request struct {
	pinner    runtime.Pinner
	c         bridge.EnvironmentOptions
	stickyKey *byte
	wait      time.Duration
}

func apply[O interface{ apply(*request) error }](r *request, options []O) error {
	for _, option := range options {
		if err := option.apply(r); err != nil {
			return err
		}
	}
	return nil
}

// text goes into a struct, so it is pinned.
func (r *request) text(what, text string, into **byte) error {
	given, err := cText(what, text)
	if err == nil {
		r.pinner.Pin(given)
		*into = given
	}
	return err
}

// number is a number that was given, also if it is 0.
func number(n int) int64 {
	if n == 0 {
		return bridge.Zero
	}
	return int64(n)
}

// WithPool sets the pool, such as "20000-29999". It overrides PORTALLOC_POOL, which overrides portalloc.toml and the default.
func WithPool(ports string) PoolOption {
	return option(func(r *request) error { return r.text("pool", ports, &r.c.Pool) })
}

// WithExclude names ports never to lease. It overrides PORTALLOC_EXCLUDE, which overrides portalloc.toml.
func WithExclude(ports string) PoolOption {
	return option(func(r *request) error { return r.text("exclude", ports, &r.c.Exclude) })
}

// Forever, as a time to wait, means until the context is done.
const Forever time.Duration = math.MaxInt64

// WithWait waits this long for ports to come free, at most until the context is done. Without it, a call that finds none fails
// at once.
func WithWait(limit time.Duration) Option {
	return option(func(r *request) error {
		r.wait = limit
		return nil
	})
}

// milliseconds of a time, rounded away from zero: a short time is not none.
func milliseconds(limit time.Duration) int64 {
	whole, rest := limit/time.Millisecond, limit%time.Millisecond
	switch {
	case limit == Forever:
		return bridge.Forever
	case rest > 0:
		whole++
	case rest < 0:
		whole--
	}
	return int64(whole)
}

// Exactly leases exactly these ports, whether or not they are in the pool. The number of ports may then be 0.
func Exactly(ports ...int) Option {
	return option(func(r *request) error {
		exact, err := asPorts(ports)
		r.c.Exact, r.c.ExactCount = address(exact), uintptr(len(exact))
		r.pinner.Pin(r.c.Exact)
		return err
	})
}

// Offsets leases a base port and the ports at these distances from it; the first is 0. The base is in the pool. The number of
// ports may then be 0.
func Offsets(offsets ...int) Option {
	return option(func(r *request) error {
		wide := make([]int64, len(offsets))
		for index, offset := range offsets {
			wide[index] = int64(offset)
		}
		r.c.Offsets, r.c.OffsetsCount = address(wide), uintptr(len(wide))
		r.pinner.Pin(r.c.Offsets)
		return nil
	})
}

// Scattered leases ports that need not be consecutive.
func Scattered() Option {
	return option(func(r *request) error {
		r.c.Scattered = true
		return nil
	})
}

// WithGuard guards the ports against foreign processes: see [Lease.Guard].
func WithGuard() Option {
	return option(func(r *request) error {
		r.c.Guard = bridge.SwitchOn
		return nil
	})
}

// WithoutGuard makes no guard, whatever portalloc.toml says.
func WithoutGuard() EnvironmentOption {
	return option(func(r *request) error {
		r.c.Guard = bridge.SwitchOff
		return nil
	})
}

// WithStickyKey prefers the ports that this key got before on this machine.
func WithStickyKey(key string) LeaseOption {
	return option(func(r *request) error { return r.text("sticky_key", key, &r.stickyKey) })
}

// WithPrefer tries these base ports before all others, in this order; at most 100.
func WithPrefer(ports ...int) Option {
	return option(func(r *request) error {
		bases, err := asPorts(ports)
		r.c.Prefer, r.c.PreferCount = address(bases), uintptr(len(bases))
		r.pinner.Pin(r.c.Prefer)
		return err
	})
}

// WithPortCount sets the number of ports. Without it there are as many as names, ports or offsets, or as portalloc.toml says,
// or five.
func WithPortCount(n int) EnvironmentOption {
	return option(func(r *request) error {
		r.c.Count = number(n)
		return nil
	})
}

// WithNames names the first ports: "postgres" becomes the variable POSTGRES_PORT.
func WithNames(names ...string) EnvironmentOption {
	return option(func(r *request) (err error) {
		r.c.Names, err = cTexts(&r.pinner, "names", names)
		r.c.NamesCount = uintptr(len(names))
		return err
	})
}

// WithInstanceID tells the environment from others of its worktree.
func WithInstanceID(id string) EnvironmentOption {
	return option(func(r *request) error { return r.text("instance_id", id, &r.c.InstanceID) })
}

// WithWorktree makes the environment for this directory. Without it, that is the nearest one upwards with a .git, else that of
// portalloc.toml, else the current one.
func WithWorktree(path string) EnvironmentOption {
	return option(func(r *request) error { return r.text("worktree", path, &r.c.Worktree) })
}

// WithEnvFile writes an env file to this path; for "" to .env.isolation in the worktree, or to .env.isolation.<id> if that is
// another environment's.
func WithEnvFile(path string) EnvironmentOption {
	return option(func(r *request) error {
		if path == "" {
			r.c.EnvFilePlace = bridge.EnvFileWorktree
			return nil
		}
		return r.text("env_file", path, &r.c.EnvFile)
	})
}

// WithSticky prefers the ports that the same worktree, instance ID and names had before.
func WithSticky() EnvironmentOption {
	return option(func(r *request) error {
		r.c.Sticky = bridge.SwitchOn
		return nil
	})
}

// WithoutSticky has no such preference, whatever portalloc.toml says.
func WithoutSticky() EnvironmentOption {
	return option(func(r *request) error {
		r.c.Sticky = bridge.SwitchOff
		return nil
	})
}

// WithKept makes the environment outlive this process, until [Cleanup], its TTL or the end of its owner.
func WithKept() EnvironmentOption {
	return option(func(r *request) error {
		r.c.Kept = true
		return nil
	})
}

// WithTTL makes a kept environment stale after this time.
func WithTTL(ttl time.Duration) EnvironmentOption {
	return option(func(r *request) error {
		if r.c.TTLMs = milliseconds(ttl); ttl == 0 {
			r.c.TTLMs = bridge.Zero
		}
		return nil
	})
}

// WithOwner makes a kept environment stale once this process has ended.
func WithOwner(pid int) EnvironmentOption {
	return option(func(r *request) error {
		r.c.OwnerPID = number(pid)
		return nil
	})
}
