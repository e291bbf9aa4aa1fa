package portalloc_test

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
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
