package portalloc

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// Worktree is the environment of the worktree that contains the current directory (see [WithWorktree]): it is made if there is
// none, and is the same ever after, in every process. It is kept and sticky. [Environment.Close] leaves it alone;
// [Environment.Down] ends it. What the options say about ports and names applies when it is made; if an existing one has others,
// a warning says so.
//
// It waits while another process makes, repairs or removes the same one, for at most 30 seconds, and then fails with
// [ErrEnvironmentInUse]; else it fails as [NewEnvironment] does.
func Worktree(ctx context.Context, options ...EnvironmentOption) (*Environment, error) {
	return ofWorktree(ctx, options, func(given *bridge.EnvironmentOptions, out **bridge.Environment) bridge.Outcome {
		return bridge.WorktreeEnvironment(given, out)
	})
}

// FindWorktree is the environment of the worktree, as [Worktree], but never makes one: it fails with [ErrNotFound] if there is
// none.
func FindWorktree(ctx context.Context, options ...EnvironmentOption) (*Environment, error) {
	return ofWorktree(ctx, options, func(given *bridge.EnvironmentOptions, out **bridge.Environment) bridge.Outcome {
		return bridge.WorktreeEnvironmentFind(given, out)
	})
}

// RepairWorktree is the environment of the worktree, as [Worktree], on other ports if a foreign process is on one of them, or if
// other names or numbers are declared by now. It fails with [ErrEnvironmentInUse] while a server of its own, or a command that
// holds it, still runs.
func RepairWorktree(ctx context.Context, options ...EnvironmentOption) (*Environment, error) {
	return ofWorktree(ctx, options, func(given *bridge.EnvironmentOptions, out **bridge.Environment) bridge.Outcome {
		return bridge.WorktreeEnvironmentRepair(given, out)
	})
}

func ofWorktree(
	ctx context.Context,
	options []EnvironmentOption,
	start func(*bridge.EnvironmentOptions, **bridge.Environment) bridge.Outcome,
) (*Environment, error) {
	environment, err := newEnvironment(ctx, options, start)
	if err == nil {
		environment.stays = true
	}
	return environment, err
}

// StopOptions say how [Environment.Stop] and [Environment.Down] end servers. The zero value ends those on every port.
type StopOptions struct {
	// Ports are those whose servers to end; all if it is nil. Down ends all.
	Ports []int
	// Timeout is how long a process may take to end (SIGTERM) before it is killed (SIGKILL); ten seconds if it is 0.
	Timeout time.Duration
	// DryRun sends no signal, and reports what would be ended.
	DryRun bool
}

// StopReport says what [Environment.Stop] did.
type StopReport struct {
	// IsolationID is that of the environment.
	IsolationID string `json:"isolation_id"`
	// Processes are the environment's own, in the order in which they were asked to end.
	Processes []StoppedProcess `json:"processes"`
	// Foreign are the processes on its ports that were left alone.
	Foreign []ForeignProcess `json:"foreign"`
	// Unknown are the sockets on its ports whose processes cannot be inspected.
	Unknown []UnknownHolder `json:"unknown"`
	// Supervisors are the processes that start its servers again, and were left alone.
	Supervisors []Supervisor `json:"supervisors"`
	// Removed says whether the environment was removed, too, as Down does.
	Removed bool `json:"removed"`
}

// StoppedProcess is a process that is the environment's own.
type StoppedProcess struct {
	PID     int    `json:"pid"`
	Name    string `json:"name"`
	Command string `json:"command"`
	Ports   []int  `json:"ports"`
	// Reason is a stable word for why it is the environment's: "hold", "variable", "descent" or "directory".
	Reason string `json:"reason"`
	// Why is the same as a sentence.
	Why string `json:"why"`
	// Supervisor says whether it has no socket on the ports, but started a server again that had been ended.
	Supervisor bool `json:"supervisor"`
	// Outcome is a stable word: "would_end", "ended", "killed", "gone" or "remains".
	Outcome string `json:"outcome"`
}

// ForeignProcess is a process on a port of the environment that was left alone.
type ForeignProcess struct {
	PID     int    `json:"pid"`
	Name    string `json:"name"`
	Command string `json:"command"`
	Ports   []int  `json:"ports"`
	// Directory is its current directory; empty if it cannot be read.
	Directory string `json:"directory"`
	Why       string `json:"why"`
}

// UnknownHolder is a socket on a port of the environment whose process cannot be inspected.
type UnknownHolder struct {
	Port   int    `json:"port"`
	UserID int    `json:"user_id"`
	Why    string `json:"why"`
}

// Supervisor is a process that starts servers of the environment again, and was left alone.
type Supervisor struct {
	PID     int    `json:"pid"`
	Name    string `json:"name"`
	Command string `json:"command"`
	// Directory is its current directory; empty if it cannot be read.
	Directory string `json:"directory"`
	// Ports are those on which its servers have a socket again.
	Ports []int `json:"ports"`
}

// Stop ends what is this environment's own on its ports, and nothing else: processes that hold it, carry its ISOLATION_ID,
// descend from such a process, or run as this user in its worktree or temp directory without another ISOLATION_ID. Never this
// process or one that it descends from, and never one that leads the session of a terminal. What is left on the ports is in the
// report, and no error. If the context is done before they have ended, it fails with [ErrWaitTimeout] and kills none.
func (e *Environment) Stop(ctx context.Context, how StopOptions) (*StopReport, error) {
	return e.end(ctx, how, func(given *bridge.StopOptions, out **byte) bridge.Outcome {
		return bridge.EnvironmentStop(e.handle, given, out)
	})
}

// Down is [Environment.Stop], and then removes the environment, unless anything is left on its ports. It fails with
// [ErrEnvironmentInUse], before it has ended anything, while a command that is no server holds the environment.
func (e *Environment) Down(ctx context.Context, how StopOptions) (*StopReport, error) {
	return e.end(ctx, how, func(given *bridge.StopOptions, out **byte) bridge.Outcome {
		return bridge.EnvironmentDown(e.handle, given, out)
	})
}

func (e *Environment) end(
	ctx context.Context, how StopOptions, do func(*bridge.StopOptions, **byte) bridge.Outcome,
) (*StopReport, error) {
	defer runtime.KeepAlive(e) // its cleanup frees the handle
	var pinner runtime.Pinner
	defer pinner.Unpin()
	given := bridge.StopOptions{TimeoutMs: milliseconds(how.Timeout), DryRun: how.DryRun}
	given.Size = unsafe.Sizeof(given)
	if how.Ports != nil {
		ports, err := asPorts(how.Ports)
		if err != nil {
			return nil, err
		}
		given.Ports, given.PortsCount = address(ports), uintptr(len(ports))
		pinner.Pin(given.Ports)
	}
	var text *byte
	err := within(ctx, Forever, func(limits wait) bridge.Outcome {
		given.Cancel = limits.cancel
		return do(&given, &text)
	})
	if err != nil {
		return nil, err
	}
	defer bridge.StringFree(text)
	report := new(StopReport)
	if err := json.Unmarshal([]byte(bridge.Text(text)), report); err != nil {
		return nil, err
	}
	return report, nil
}

// WaitUntilOurs blocks until a server that is this environment's own is ready on each of the ports, or without ports on all of
// the environment's, or until the context is done. It fails at once with [ErrPortInUse] on somebody else's server, and says
// whose and where; with [ErrWaitTimeout] and the context's own error, and says for each port what the last check found.
func (e *Environment) WaitUntilOurs(ctx context.Context, ready Readiness, ports ...int) error {
	defer runtime.KeepAlive(e)
	numbers, err := asPorts(ports)
	if err != nil {
		return err
	}
	return ready.within(ctx, func(options *bridge.ReadyOptions, limits wait) bridge.Outcome {
		return bridge.WaitUntilOurs(
			e.handle, address(numbers), len(numbers), options, limits.milliseconds, limits.cancel)
	})
}

// WriteBlock keeps the variables of a kept environment in a block between two marker lines of this file, and leaves everything
// else in it as it is. The block goes with the environment.
func (e *Environment) WriteBlock(path string) error {
	text, err := cText("the path", path)
	if err != nil {
		return err
	}
	return check(e.locked(func() bridge.Outcome { return bridge.EnvironmentWriteBlock(e.handle, text) }))
}

// Hold is a share in a kept environment: while a process has it, no cleanup removes the environment.
type Hold struct {
	mu      sync.Mutex
	handle  *bridge.Hold // nil once closed
	cleanup runtime.Cleanup
	id      string
}

// Hold takes a share. It fails with [ErrNotFound] if the environment was removed or is stale, and with [ErrInvalidArgument] for
// a held environment.
func (e *Environment) Hold() (*Hold, error) {
	var handle *bridge.Hold
	outcome := e.locked(func() bridge.Outcome { return bridge.EnvironmentHold(e.handle, &handle) })
	if err := check(outcome); err != nil {
		return nil, err
	}
	hold := &Hold{handle: handle, id: e.id}
	hold.cleanup = runtime.AddCleanup(hold, func(handle *bridge.Hold) { check(bridge.HoldFree(handle)) }, handle)
	return hold, nil
}

// Inheritable is a copy of the hold for a child process, for [os/exec.Cmd.ExtraFiles]: the child then counts as the
// environment's own. Close it once the child runs.
func (h *Hold) Inheritable() (*os.File, error) {
	fd := int32(-1)
	outcome, err := h.copied(&fd)
	if err != nil {
		return nil, err
	}
	if err := check(outcome); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(fd), fmt.Sprintf("hold on %s", h.id)), nil
}

// copied makes a descriptor without close-on-exec. A process that another goroutine starts must not inherit it, and Go
// starts processes under this lock.
func (h *Hold) copied(fd *int32) (outcome bridge.Outcome, err error) {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handle == nil {
		return outcome, &Error{Code: ErrInvalidArgument, Message: "the hold was closed", Remedy: "take a new one"}
	}
	outcome = bridge.HoldInheritable(h.handle, fd)
	if *fd >= 0 {
		syscall.CloseOnExec(int(*fd))
	}
	return outcome, nil
}

// Close gives up this process's share; processes that have inherited it keep theirs. It is safe to call twice, and always
// returns nil.
func (h *Hold) Close() error {
	return check(h.free())
}

func (h *Hold) free() (outcome bridge.Outcome) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.handle == nil {
		return outcome
	}
	h.cleanup.Stop()
	outcome = bridge.HoldFree(h.handle)
	h.handle = nil
	return outcome
}
