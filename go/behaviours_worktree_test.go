package portalloc_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
)

// writeFiles writes those of a project into the worktree, which is the current directory. They go before anything else is
// cleaned up, because nothing works where the project file has a mistake.
func writeFiles(t *testing.T, files map[string]string) {
	t.Helper()
	for path, text := range files {
		must(t, os.MkdirAll(filepath.Dir(path), 0o700))
		must(t, os.WriteFile(path, []byte(text), 0o600))
		t.Cleanup(func() { must(t, os.RemoveAll(path)) })
	}
}

type worktreeCall func(...portalloc.EnvironmentOption) (*portalloc.Environment, error)

// first makes a call where the case makes its first one.
func (a arguments) first(t *testing.T, call worktreeCall) (*portalloc.Environment, error) {
	t.Helper()
	worktree, err := os.Getwd()
	must(t, err)
	must(t, os.Chdir(filepath.Join(worktree, a.From)))
	defer func() { must(t, os.Chdir(worktree)) }()
	return call(a.environment()...)
}

// again makes the second call, in the worktree.
func (a arguments) again(call worktreeCall) (*portalloc.Environment, error) {
	a.Worktree = ""
	if a.InstanceIDAgain != nil {
		a.InstanceID = a.InstanceIDAgain
	}
	return call(a.environment()...)
}

// made is an environment that ends with the test, as far as the operation does not end it.
func made(t *testing.T) worktreeCall {
	return func(options ...portalloc.EnvironmentOption) (*portalloc.Environment, error) {
		environment, err := portalloc.Worktree(t.Context(), options...)
		if err == nil {
			t.Cleanup(func() { must(t, second(portalloc.Cleanup(environment.ID()))) })
		}
		return environment, err
	}
}

func found(t *testing.T) worktreeCall {
	return func(options ...portalloc.EnvironmentOption) (*portalloc.Environment, error) {
		return portalloc.FindWorktree(t.Context(), options...)
	}
}

func goesDown(t *testing.T, environment *portalloc.Environment) bool {
	t.Helper()
	report, err := environment.Down(t.Context(), portalloc.StopOptions{})
	must(t, err)
	return report.Removed
}

func performWorktree(t *testing.T, a arguments) (answer, error) {
	a.hold(t)
	environment, err := a.first(t, made(t))
	if err != nil {
		return nil, err
	}
	again, err := a.again(made(t))
	if err != nil {
		return nil, err
	}
	done := described(t, a, environment)
	there, err := a.first(t, found(t))
	must(t, err)
	done["found"] = there.ID() == environment.ID()
	same := again.ID() == environment.ID()
	done["same"] = same
	removed := goesDown(t, environment)
	done["removed"] = removed && (same || goesDown(t, again))
	_, err = a.first(t, found(t))
	if err != nil && !errors.Is(err, portalloc.ErrNotFound) {
		return nil, err
	}
	done["found_after"] = err == nil
	return done, nil
}

func performFind(t *testing.T, a arguments) (answer, error) {
	environment, err := a.first(t, found(t))
	if err != nil {
		return nil, err
	}
	return described(t, a, environment), nil
}

func performRepair(t *testing.T, a arguments) (answer, error) {
	a.hold(t)
	before, err := a.first(t, made(t))
	if err != nil {
		return nil, err
	}
	writeFiles(t, a.ProjectAfter)
	after, err := a.first(t, func(options ...portalloc.EnvironmentOption) (*portalloc.Environment, error) {
		return portalloc.RepairWorktree(t.Context(), options...)
	})
	if err != nil {
		return nil, err
	}
	defer func() { must(t, second(portalloc.Cleanup(after.ID()))) }()
	done := described(t, a, after)
	done["same"] = before.ID() == after.ID()
	return done, nil
}

func performStop(t *testing.T, a arguments) (answer, error) {
	environment, err := a.first(t, made(t))
	if err != nil {
		return nil, err
	}
	report, err := environment.Stop(t.Context(), portalloc.StopOptions{DryRun: true})
	if err != nil {
		return nil, err
	}
	return answer{"processes": len(report.Processes), "foreign": len(report.Foreign), "removed": report.Removed}, nil
}
