package portalloc

import (
	"context"
	"runtime"
	"slices"
	"sync"
	"unsafe"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// Environment is a lease with an isolation ID, a temp directory, variables and, with [WithEnvFile], an env file, made and
// removed as one. A held environment lives until [Environment.Close], or until its process ends; a kept one ([WithKept])
// outlives its process.
//
// A held environment that the program has lost is removed when the garbage is collected.
type Environment struct {
	id, tempDir, envFile, worktree, instanceID string
	ports                                      []uint16
	names                                      []string
	variables                                  []Variable
	kept, attached                             bool
	// Whether Close leaves it: it is a worktree's.
	stays bool

	mu     sync.Mutex
	handle *bridge.Environment
}

// Variable is a name and a value.
type Variable struct {
	Name, Value string
}

// NewEnvironment makes an environment. If it fails, it leaves nothing behind. Without options it is held, has five ports, belongs
// to the worktree that contains the current directory (see [WithWorktree]), and is as portalloc.toml says. It waits for ports as [Acquire] does.
func NewEnvironment(ctx context.Context, options ...EnvironmentOption) (*Environment, error) {
	return newEnvironment(ctx, options,
		func(given *bridge.EnvironmentOptions, out **bridge.Environment) bridge.Outcome {
			return bridge.EnvironmentNew(given, out)
		})
}

// Current attaches to the environment that the variable ISOLATION_ID names, if it is alive, as in a process started by
// `portalloc run`; else it makes a new one, as [NewEnvironment] does. It sets no variables.
func Current(ctx context.Context, options ...EnvironmentOption) (*Environment, error) {
	return newEnvironment(ctx, options,
		func(given *bridge.EnvironmentOptions, out **bridge.Environment) bridge.Outcome {
			return bridge.EnvironmentCurrent(given, out)
		})
}

// Attach finds the live environment with this ID, to read its ports, names and temp directory. [Environment.Close] leaves it
// alone; [Cleanup] removes it, if it is a kept one.
func Attach(id string) (*Environment, error) {
	text, err := cID(id)
	if err != nil {
		return nil, err
	}
	return attach(text)
}

// AttachNamed finds the live environment that the variable ISOLATION_ID names, as [Attach] does.
func AttachNamed() (*Environment, error) {
	return attach(nil)
}

func attach(id *byte) (*Environment, error) {
	var handle *bridge.Environment
	if err := check(bridge.EnvironmentAttach(id, &handle)); err != nil {
		return nil, err
	}
	return read(handle), nil
}

func newEnvironment(
	ctx context.Context,
	options []EnvironmentOption,
	start func(*bridge.EnvironmentOptions, **bridge.Environment) bridge.Outcome,
) (*Environment, error) {
	var asked request
	defer asked.pinner.Unpin()
	if err := apply(&asked, options); err != nil {
		return nil, err
	}
	asked.c.Place = caller()
	given := asked.c // by itself, because the rest of the request may not cross the border
	given.Size = unsafe.Sizeof(given)
	var handle *bridge.Environment
	err := within(ctx, asked.wait, func(limits wait) bridge.Outcome {
		given.WaitMs, given.Cancel = limits.milliseconds, limits.cancel
		return start(&given, &handle)
	})
	if err != nil {
		return nil, err
	}
	return read(handle), nil
}

// read copies what does not change, so that reading it needs no crossing and works after the end.
func read(handle *bridge.Environment) *Environment {
	var facts bridge.Facts
	bridge.EnvironmentFacts(handle, &facts)
	environment := &Environment{
		handle:     handle,
		id:         bridge.Text(facts.ID),
		tempDir:    bridge.Text(facts.TempDir),
		envFile:    bridge.Text(facts.EnvFile),
		worktree:   bridge.Text(facts.Worktree),
		instanceID: bridge.Text(facts.InstanceID),
		ports:      make([]uint16, facts.PortCount),
		kept:       facts.IsKept,
		attached:   facts.IsAttached,
	}
	bridge.EnvironmentPorts(handle, address(environment.ports), len(environment.ports))
	for index := range environment.ports {
		var name *byte
		bridge.EnvironmentName(handle, index, &name)
		if name == nil {
			break
		}
		environment.names = append(environment.names, bridge.Text(name))
	}
	for index := range int(facts.VariableCount) {
		var name, value *byte
		bridge.EnvironmentVariable(handle, index, &name, &value)
		environment.variables = append(environment.variables, Variable{Name: bridge.Text(name), Value: bridge.Text(value)})
	}
	// Only this frees the handle, so the handle can be used as long as the environment is reachable.
	runtime.AddCleanup(environment,
		func(handle *bridge.Environment) { check(bridge.EnvironmentFree(handle)) }, handle)
	return environment
}

// ID is the isolation ID.
func (e *Environment) ID() string { return e.id }

// TempDir is the path of the temp directory.
func (e *Environment) TempDir() string { return e.tempDir }

// EnvFile is the path of the env file; empty if there is none.
func (e *Environment) EnvFile() string { return e.envFile }

// Worktree is the directory that it belongs to.
func (e *Environment) Worktree() string { return e.worktree }

// InstanceID tells it from others of its worktree; may be empty.
func (e *Environment) InstanceID() string { return e.instanceID }

// Kept says whether it is a kept one.
func (e *Environment) Kept() bool { return e.kept }

// Attached says whether it was found rather than made by this call.
func (e *Environment) Attached() bool { return e.attached }

// Ports are the ports, in the order of the names.
func (e *Environment) Ports() []int { return asInts(e.ports) }

// Base is the first port.
func (e *Environment) Base() int { return int(e.ports[0]) }

// Names are the names of the first ports.
func (e *Environment) Names() []string { return slices.Clone(e.names) }

// Port is the port of this name, or at this index in digits. It fails with [ErrInvalidArgument] if there is none.
func (e *Environment) Port(name string) (int, error) {
	text, err := cText("the name", name)
	if err != nil {
		return 0, err
	}
	var port uint16
	err = check(e.locked(func() bridge.Outcome { return bridge.EnvironmentPort(e.handle, text, &port) }))
	return int(port), err
}

// MustPort is Port, but panics if there is none: for names that are written in the program, as indexes of a slice are.
func (e *Environment) MustPort(name string) int {
	port, err := e.Port(name)
	if err != nil {
		panic(err)
	}
	return port
}

// Variables are ISOLATION_ID, TEMP_DIR, PORT_BASE, one for each port, and so on, in the order of the env file.
func (e *Environment) Variables() []Variable { return slices.Clone(e.variables) }

// Environ are the variables as "NAME=value", to append to [os.Environ] for a child.
func (e *Environment) Environ() []string {
	all := make([]string, len(e.variables))
	for index, variable := range e.variables {
		all[index] = variable.Name + "=" + variable.Value
	}
	return all
}

// Close removes the temp directory, the env file and the record, and gives the ports back, of a held environment and of a kept
// one. It is safe to call twice. It leaves an attached environment and that of a [Worktree] alone. It fails with [ErrPermissionDenied], [ErrSystemCall] or
// [ErrRegistryUnusable], after which you can repeat it.
func (e *Environment) Close() error {
	if e.attached || e.stays {
		return nil
	}
	return check(e.locked(func() bridge.Outcome { return bridge.EnvironmentCleanup(e.handle) }))
}

// locked uses the handle; the caller checks the outcome.
func (e *Environment) locked(call func() bridge.Outcome) bridge.Outcome {
	e.mu.Lock()
	defer e.mu.Unlock()
	return call()
}

// Lease is the lease of a held environment, in the process that made it: for guards, sockets and inheritance. It fails with
// [ErrInvalidArgument] for any other environment.
func (e *Environment) Lease() (*Lease, error) {
	var handle *bridge.Lease
	outcome := e.locked(func() bridge.Outcome { return bridge.EnvironmentLease(e.handle, &handle) })
	if err := check(outcome); err != nil {
		return nil, err
	}
	lease := &Lease{ports: e.ports, environment: e}
	lease.own(handle)
	return lease, nil
}

// Cleanup removes the environment with this ID, kept or stale, and says whether there was one. It fails with
// [ErrEnvironmentInUse] if a live process holds it.
func Cleanup(id string) (removed bool, err error) {
	text, err := cID(id)
	if err != nil {
		return false, err
	}
	var done bool
	err = check(bridge.Cleanup(text, &done))
	return done, err
}

// CleanupStale removes all stale environments of this user and what crashes have left, never a live one, and says how many
// environments. If one of them cannot be removed, it fails after removing all others.
func CleanupStale() (removed int, err error) {
	var done uintptr
	err = check(bridge.CleanupStale(&done))
	return int(done), err
}

// CheckID fails with [ErrInvalidID] unless the text is an isolation ID, 12 lower-case hexadecimal digits.
func CheckID(id string) error {
	text, err := cID(id)
	if err != nil {
		return err
	}
	return check(bridge.CheckID(text))
}

func cID(id string) (*byte, error) {
	text, err := cText("the ID", id)
	if failed, ok := err.(*Error); ok {
		failed.Code = ErrInvalidID
	}
	return text, err
}
