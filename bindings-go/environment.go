package portalloc

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"unsafe"
)

// Environment is an isolation ID with a lease, a temp dir, an env file and variables around it, made and removed as one. A
// held one lives until [Environment.Cleanup], or until its process is gone; a kept one ([WithKept]) outlives its process.
//
// A held one that the program has lost is cleaned up when the garbage is collected.
type Environment struct {
	id, tempDir, envFile, worktree, instanceID string
	ports                                      []uint16
	names                                      []string
	variables                                  []Variable
	kept, attached                             bool

	mu     sync.Mutex
	handle *C.portalloc_environment
}

// Variable is a name and a value.
type Variable struct {
	Name, Value string
}

// NewEnvironment makes an environment. If it fails, nothing of it is left. Without options it is held, has five ports, is
// for the current folder, and is as portalloc.toml there or above it says.
func NewEnvironment(options ...EnvironmentOption) (*Environment, error) {
	return newEnvironment(atOnce, options, newOne)
}

// NewEnvironmentContext is NewEnvironment, but waits for ports to come free until the context is done. Then it fails with
// [ErrTimeout] and the context's own error.
func NewEnvironmentContext(ctx context.Context, options ...EnvironmentOption) (*Environment, error) {
	return newEnvironment(waiting(ctx), options, newOne)
}

// Current is the environment of this run: attached to the one that the variable ISOLATION_ID names, if that lives, such as
// in a process that was started by `portalloc run`; else a new one, as by [NewEnvironment]. It sets no variables.
func Current(options ...EnvironmentOption) (*Environment, error) {
	return newEnvironment(atOnce, options,
		func(given *C.portalloc_environment_options, out **C.portalloc_environment) C.pgo_outcome {
			return C.pgo_environment_current(given, out)
		})
}

func newOne(given *C.portalloc_environment_options, out **C.portalloc_environment) C.pgo_outcome {
	return C.pgo_environment_new(given, out)
}

// Attach gives the live environment with this ID, to read its ports, names and temp dir. An empty ID is that in the
// variable ISOLATION_ID. Only [Environment.Cleanup] ends it, if it is a kept one.
func Attach(id string) (*Environment, error) {
	var text *C.char
	if id != "" {
		var err error
		if text, err = cID(id); err != nil {
			return nil, err
		}
	}
	var handle *C.portalloc_environment
	if err := check(C.pgo_environment_attach(text, &handle)); err != nil {
		return nil, err
	}
	return read(handle), nil
}

func newEnvironment(
	patience patience,
	options []EnvironmentOption,
	start func(*C.portalloc_environment_options, **C.portalloc_environment) C.pgo_outcome,
) (*Environment, error) {
	var given C.portalloc_environment_options
	given.size = C.size_t(unsafe.Sizeof(given))
	asked := request{environment: &given}
	defer asked.pinner.Unpin()
	for _, option := range options {
		if err := option.apply(&asked); err != nil {
			return nil, err
		}
	}
	given.count = asked.count
	given.pool, given.exclude = asked.pool, asked.exclude
	given.scattered, given.guard = C.bool(asked.scattered), C.bool(asked.guarded)
	if asked.ports != nil {
		given.ports, given.ports_count = pinned(&asked.pinner, asked.ports)
	}
	if asked.offsets != nil {
		given.offsets, given.offsets_count = pinned(&asked.pinner, asked.offsets)
	}
	var handle *C.portalloc_environment
	err := patience.call(func(limits wait) C.pgo_outcome {
		given.timeout_ms, given.cancel = asked.limited(limits), limits.cancel
		return start(&given, &handle)
	})
	if err != nil {
		return nil, err
	}
	return read(handle), nil
}

// read copies what does not change, so that it can be asked without a crossing, and after the end.
func read(handle *C.portalloc_environment) *Environment {
	environment := &Environment{
		handle:     handle,
		id:         C.GoString(C.portalloc_environment_id(handle)),
		tempDir:    C.GoString(C.portalloc_environment_temp_dir(handle)),
		envFile:    C.GoString(C.portalloc_environment_env_file(handle)),
		worktree:   C.GoString(C.portalloc_environment_worktree(handle)),
		instanceID: C.GoString(C.portalloc_environment_instance_id(handle)),
		ports:      make([]uint16, C.portalloc_environment_ports(handle, nil, 0)),
		kept:       bool(C.portalloc_environment_is_kept(handle)),
		attached:   bool(C.portalloc_environment_is_attached(handle)),
	}
	C.portalloc_environment_ports(handle, cPorts(environment.ports), C.size_t(len(environment.ports)))
	for index := range environment.ports {
		name := C.portalloc_environment_name(handle, C.size_t(index))
		if name == nil {
			break
		}
		environment.names = append(environment.names, C.GoString(name))
	}
	for index := range C.portalloc_environment_variable_count(handle) {
		environment.variables = append(environment.variables, Variable{
			Name:  C.GoString(C.portalloc_environment_variable_name(handle, index)),
			Value: C.GoString(C.portalloc_environment_variable_value(handle, index)),
		})
	}
	// For one that nobody can reach any more. A handle is freed by this alone, so it can be used as long as it is reachable.
	runtime.AddCleanup(environment,
		func(handle *C.portalloc_environment) { check(C.pgo_environment_free(handle)) }, handle)
	return environment
}

// ID is its isolation ID.
func (e *Environment) ID() string { return e.id }

// TempDir is its temp dir.
func (e *Environment) TempDir() string { return e.tempDir }

// EnvFile is the path of its env file; empty if it has none.
func (e *Environment) EnvFile() string { return e.envFile }

// Worktree is the folder it was made for.
func (e *Environment) Worktree() string { return e.worktree }

// InstanceID is what tells it from others of its work tree; may be empty.
func (e *Environment) InstanceID() string { return e.instanceID }

// Kept says whether it outlives its process.
func (e *Environment) Kept() bool { return e.kept }

// Attached says whether it was found, rather than made by this call.
func (e *Environment) Attached() bool { return e.attached }

// Ports are its ports, in the order of the names.
func (e *Environment) Ports() []int { return asInts(e.ports) }

// Base is the first port.
func (e *Environment) Base() int { return int(e.ports[0]) }

// Names are those of the first ports.
func (e *Environment) Names() []string { return slices.Clone(e.names) }

// Port is the port of this name. It panics if there is none: names are written in the program, as indexes of a slice are.
// For one that is not, there is [Environment.LookupPort].
func (e *Environment) Port(name string) int {
	port, ok := e.LookupPort(name)
	if !ok {
		panic(fmt.Sprintf("portalloc: environment %s has no port %q, only %q", e.id, name, e.names))
	}
	return port
}

// LookupPort is the port of this name, if there is one.
func (e *Environment) LookupPort(name string) (port int, ok bool) {
	index := slices.Index(e.names, name)
	if index < 0 {
		return 0, false
	}
	return int(e.ports[index]), true
}

// Variables are ISOLATION_ID, TEMP_DIR, PORT_BASE, one for each port, and so on, in the order of the env file.
func (e *Environment) Variables() []Variable { return slices.Clone(e.variables) }

// Environ are the variables as "NAME=value", to be appended to [os.Environ] for a child.
func (e *Environment) Environ() []string {
	all := make([]string, len(e.variables))
	for index, variable := range e.variables {
		all[index] = variable.Name + "=" + variable.Value
	}
	return all
}

// Cleanup removes its temp dir, env file and record, and gives the ports back. Again does nothing. An attached one is removed
// too, if it is a kept one. It fails with [ErrInUse] if another process holds it; with [ErrPermissionDenied], [ErrIO] or
// [ErrRegistryUnusable]: then it can be repeated.
func (e *Environment) Cleanup() error {
	return check(e.locked(func() C.pgo_outcome { return C.pgo_environment_cleanup(e.handle) }))
}

// locked uses the handle, and leaves the outcome to be checked.
func (e *Environment) locked(call func() C.pgo_outcome) C.pgo_outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	return call()
}

// Lease is the lease of a held environment, in the process that made it: for guards, sockets, and passing it on. It fails
// with [ErrInvalidArgument] for any other environment.
func (e *Environment) Lease() (*Lease, error) {
	lease := &Lease{ports: e.ports, environment: e}
	outcome := e.locked(func() C.pgo_outcome { return C.pgo_environment_lease(e.handle, &lease.handle) })
	if err := check(outcome); err != nil {
		return nil, err
	}
	lease.freeWhenLost()
	return lease, nil
}

// Cleanup removes the environment with this ID, kept or stale, and says whether there was one: it may be called again. It
// fails with [ErrInUse] if a live process holds it.
func Cleanup(id string) (removed bool, err error) {
	text, err := cID(id)
	if err != nil {
		return false, err
	}
	var done C.bool
	err = check(C.pgo_cleanup(text, &done))
	return bool(done), err
}

// CleanupStale removes what is over: stale environments of this user, and what crashes have left; and says how many
// environments that were. It never touches a live one. If one cannot be removed it fails, after all others were.
func CleanupStale() (removed int, err error) {
	var done C.size_t
	err = check(C.pgo_cleanup_stale(&done))
	return int(done), err
}

// Validation says whether an environment is as it was made.
type Validation struct {
	// Valid says whether every check passed.
	Valid bool
	// Message says which did not, and why.
	Message string
}

// Validate checks record, temp dir, env file and lease of an environment of this user. It fails if there is none.
func Validate(id string) (Validation, error) {
	text, err := cID(id)
	if err != nil {
		return Validation{}, err
	}
	var valid C.bool
	outcome := C.pgo_validate(text, &valid)
	if err := check(outcome); err != nil {
		return Validation{}, err
	}
	return Validation{Valid: bool(valid), Message: taken(outcome.message)}, nil
}

// CheckID fails with [ErrInvalidID] unless the text is an isolation ID: 12 lower-case hexadecimal digits.
func CheckID(id string) error {
	text, err := cID(id)
	if err != nil {
		return err
	}
	return check(C.pgo_check_id(text))
}

func cID(id string) (*C.char, error) {
	text, err := cText("the ID", id)
	if failed, ok := err.(*Error); ok {
		failed.Code = ErrInvalidID
	}
	return text, err
}
