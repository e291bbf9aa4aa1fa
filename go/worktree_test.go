package portalloc_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

// worktree is a directory of its own with a .git, and its environment, which ends with the test.
func worktree(t *testing.T) (string, *portalloc.Environment) {
	t.Helper()
	directory := t.TempDir()
	if err := os.Mkdir(filepath.Join(directory, ".git"), 0o700); err != nil {
		t.Fatal(err)
	}
	environment, err := portalloc.Worktree(t.Context(), portalloc.WithWorktree(directory), portalloc.WithNames("web"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if _, err := portalloc.Cleanup(environment.ID()); err != nil {
			t.Error(err)
		}
	})
	return directory, environment
}

func TestTheEnvironmentOfAWorktreeIsTheSameEverAfter(t *testing.T) {
	directory, environment := worktree(t)
	if err := environment.Close(); err != nil {
		t.Fatal(err)
	}
	again, err := portalloc.FindWorktree(t.Context(), portalloc.WithWorktree(directory))
	if err != nil {
		t.Fatal(err)
	}
	if again.ID() != environment.ID() || !again.Kept() {
		t.Errorf("%s, kept %v, not %s", again.ID(), again.Kept(), environment.ID())
	}
	repaired, err := portalloc.RepairWorktree(t.Context(), portalloc.WithWorktree(directory))
	if err != nil || repaired.ID() != environment.ID() {
		t.Errorf("nothing was to be repaired: %v, %v", repaired, err)
	}
	_, err = portalloc.FindWorktree(t.Context(), portalloc.WithWorktree(t.TempDir()))
	if !errors.Is(err, portalloc.ErrNotFound) {
		t.Errorf("where there is none: %v", err)
	}
}

func TestARepairMovesAwayFromSomebodyElsesServer(t *testing.T) {
	directory, environment := worktree(t)
	block := filepath.Join(directory, ".env.local")
	must(t, environment.WriteBlock(block))
	port := environment.MustPort("web")
	repair := func(options ...portalloc.EnvironmentOption) (*portalloc.Environment, error) {
		return portalloc.RepairWorktree(t.Context(), append(options, portalloc.WithWorktree(directory))...)
	}
	hold, err := environment.Hold()
	must(t, err)
	fails(t, second(repair(portalloc.WithNames("web", "api"))), portalloc.ErrEnvironmentInUse, environment.ID())
	must(t, hold.Close())
	server, err := net.Listen("tcp", address(port)) // this process is outside of the worktree
	must(t, err)
	defer server.Close()
	moved, err := repair()
	must(t, err)
	t.Cleanup(func() { must(t, second(portalloc.Cleanup(moved.ID()))) })
	if moved.ID() == environment.ID() || moved.Base() == port {
		t.Errorf("it has not moved: %s on port %d", moved.ID(), moved.Base())
	}
	fails(t, second(portalloc.Validate(environment.ID())), portalloc.ErrNotFound, environment.ID())
	found, err := portalloc.FindWorktree(t.Context(), portalloc.WithWorktree(directory))
	if err != nil || found.ID() != moved.ID() {
		t.Errorf("%v, %v", found, err)
	}
	again, err := repair()
	if err != nil || again.ID() != moved.ID() {
		t.Errorf("nothing was to be repaired: %v, %v", again, err)
	}
	text, err := os.ReadFile(block)
	if line := fmt.Sprintf("\nPORT=%d\n", moved.Base()); err != nil || strings.Count(string(text), line) != 1 {
		t.Errorf("%q is not in %q: %v", line, text, err)
	}
	fails(t, environment.WriteBlock(block), portalloc.ErrNotFound)
}

func init() {
	roles["stubborn server"] = func() {
		asked := make(chan os.Signal, 8)
		signal.Notify(asked, syscall.SIGTERM)
		environment, err := portalloc.FindWorktree(context.Background())
		if err != nil {
			panic(err)
		}
		server, err := net.Listen("tcp", address(environment.MustPort("web")))
		if err != nil {
			panic(err)
		}
		defer server.Close()
		go func() {
			for range asked {
				say("asked")
			}
		}()
		say("listens")
		untilEOF(os.Stdin)
	}
}

func TestStopEndsWithItsContextAndKillsNothing(t *testing.T) {
	world.New(t, 5)
	must(t, os.Mkdir(".git", 0o700))
	environment, err := portalloc.Worktree(t.Context(), portalloc.WithNames("web"))
	must(t, err)
	t.Cleanup(func() { must(t, second(portalloc.Cleanup(environment.ID()))) })
	server := start(t, "stubborn server")
	var said string
	if server.line(&said); said != "listens" {
		t.Fatal(said)
	}
	patient := portalloc.StopOptions{Timeout: portalloc.Forever}
	stillRuns := func(err, why error) {
		t.Helper()
		if !errors.Is(err, portalloc.ErrWaitTimeout) || !errors.Is(err, why) {
			t.Errorf("%v, not %v", err, why)
		}
		limited, cancel := context.WithTimeout(t.Context(), world.Deadline)
		defer cancel()
		must(t, environment.WaitUntilOurs(limited, portalloc.Readiness{}))
		would, err := environment.Stop(limited, portalloc.StopOptions{DryRun: true})
		if err != nil || len(would.Processes) != 1 || would.Processes[0].PID != server.cmd.Process.Pid {
			t.Errorf("%+v, %v", would, err)
		}
	}
	for name, end := range map[string]func(context.Context, portalloc.StopOptions) (*portalloc.StopReport, error){
		"stop": environment.Stop, "down": environment.Down,
	} {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- second(end(ctx, patient)) }()
		if server.line(&said); said != "asked" {
			t.Fatal(name, said)
		}
		cancel()
		stillRuns(soon(t, done), context.Canceled)
	}
	limited, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	stillRuns(second(environment.Stop(limited, patient)), context.DeadlineExceeded)
	report, err := environment.Down(t.Context(), portalloc.StopOptions{Timeout: time.Millisecond})
	if err != nil || !report.Removed || len(report.Processes) != 1 || report.Processes[0].Outcome != "killed" {
		t.Errorf("%+v, %v", report, err)
	}
}

func TestPortsToTryFirst(t *testing.T) {
	here := world.New(t, 20)
	must(t, os.Mkdir(".git", 0o700))
	near, far := here.Base+3, here.Base+9
	lease := acquire(t, 1, portalloc.WithPrefer(far))
	other := acquire(t, 2, portalloc.WithPrefer(far, near))
	if lease.Base() != far || other.Base() != near {
		t.Errorf("%v and %v", lease.Ports(), other.Ports())
	}
	other.Close()
	server, err := net.Listen("tcp", address(near))
	must(t, err)
	defer server.Close()
	for name, make := range map[string]func(context.Context, ...portalloc.EnvironmentOption) (*portalloc.Environment, error){
		"one that is held": portalloc.NewEnvironment, "the current one": portalloc.Current, "the worktree's": portalloc.Worktree,
	} {
		environment, err := make(t.Context(), portalloc.WithPortCount(2), portalloc.WithPrefer(near, far-1, far+1))
		must(t, err)
		if environment.Base() != far+1 {
			t.Errorf("%s: %v, although %d is leased and %d in use", name, environment.Ports(), far, near)
		}
		must(t, environment.Close())
		must(t, second(portalloc.Cleanup(environment.ID()))) // that of the worktree stays when it is closed
	}
	for _, wrong := range []int{-1, 0, 65536} {
		fails(t, second(portalloc.Acquire(t.Context(), 1, portalloc.WithPrefer(wrong))), portalloc.ErrInvalidArgument, fmt.Sprint(wrong))
	}
	if port := acquire(t, 1, portalloc.WithPrefer()).Base(); port == 0 {
		t.Error("no preference at all")
	}
}

func TestAWaitForAnEnvironmentsServerRefusesThatOfAnotherOne(t *testing.T) {
	_, environment := worktree(t)
	server, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(environment.MustPort("web"))))
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	err = environment.WaitUntilOurs(t.Context(), portalloc.Readiness{}, environment.MustPort("web"))
	if !errors.Is(err, portalloc.ErrPortInUse) || !strings.Contains(err.Error(), "another one's server") {
		t.Errorf("this process is outside of the worktree: %v", err)
	}
	report, err := environment.Stop(t.Context(), portalloc.StopOptions{})
	if err != nil || len(report.Foreign) != 1 || report.Foreign[0].PID != os.Getpid() || len(report.Processes) != 0 {
		t.Errorf("it stays: %+v, %v", report, err)
	}
}

func TestDownEndsWhatHasAHold(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Fatal(err)
	}
	directory, environment := worktree(t)
	block := filepath.Join(directory, ".env.local")
	if err := environment.WriteBlock(block); err != nil {
		t.Fatal(err)
	}
	hold, err := environment.Hold()
	if err != nil {
		t.Fatal(err)
	}
	inherited, err := hold.Inheritable()
	if err != nil {
		t.Fatal(err)
	}
	server := exec.Command(python, "-m", "http.server", "--bind", "127.0.0.1", strconv.Itoa(environment.MustPort("web")))
	server.ExtraFiles = append(server.ExtraFiles, inherited)
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		server.Process.Kill()
		server.Wait()
	}()
	inherited.Close()
	hold.Close()
	limited, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := environment.WaitUntilOurs(limited, portalloc.Readiness{HTTP: "/", Status: 200}, environment.MustPort("web")); err != nil {
		t.Fatal(err)
	}
	would, err := environment.Stop(limited, portalloc.StopOptions{DryRun: true, Ports: []int{environment.MustPort("web")}})
	if err != nil || len(would.Processes) != 1 || would.Processes[0].Outcome != "would_end" || would.Processes[0].Reason != "hold" {
		t.Fatalf("%+v, %v", would, err)
	}
	report, err := environment.Down(limited, portalloc.StopOptions{})
	if err != nil || !report.Removed || report.Processes[0].PID != server.Process.Pid {
		t.Fatalf("%+v, %v", report, err)
	}
	if _, err := os.Stat(block); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file with the block is there: %v", err)
	}
	if _, err := environment.Hold(); !errors.Is(err, portalloc.ErrNotFound) {
		t.Errorf("a hold on what is gone: %v", err)
	}
}
