// Package world gives tests a registry and ports of their own. Sockets are machine-wide, so the pools of tests that run at
// once, in whatever language, must not overlap: they are leased from portalloc itself, in a registry for all test runs.
package world

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
)

// Deadline is how long anything may take on the slowest machine. Nothing waits for it but what is broken.
const Deadline = 60 * time.Second

// Where all test runs of this machine meet.
var slices = filepath.Join(os.TempDir(), "portalloc-test-ports")

// World is what one test, or the parallel tests of one package, have alone.
type World struct {
	// Scratch holds the directories registry, temp and work.
	Scratch string
	// Base is the first port of the pool.
	Base int

	slice *portalloc.Lease
}

// Pool is the pool in portalloc's notation.
func (w *World) Pool() string {
	return fmt.Sprintf("%d-%d", w.Base, w.Base+w.slice.Len()-1)
}

// Directory is one of registry, temp and work.
func (w *World) Directory(name string) string {
	return filepath.Join(w.Scratch, name)
}

func (w *World) variables() map[string]string {
	return map[string]string{
		"PORTALLOC_DIR": w.Directory("registry"), "PORTALLOC_POOL": w.Pool(), "PORTALLOC_EXCLUDE": "", "ISOLATION_ID": "",
		"TMPDIR": w.Directory("temp"),
	}
}

// make leases a slice. The registry of slices is the current one while it does so: set sets a variable.
func (w *World) make(count int, set func(name, value string)) error {
	for _, name := range []string{"temp", "work"} {
		if err := os.Mkdir(w.Directory(name), 0o700); err != nil {
			return err
		}
	}
	set("PORTALLOC_DIR", slices)
	slice, err := portalloc.Acquire(context.Background(), count, portalloc.WithPool("20001-29999"), portalloc.WithExclude(""),
		portalloc.WithWait(2*time.Minute))
	if err != nil {
		return err
	}
	w.slice, w.Base = slice, slice.Base()
	for name, value := range w.variables() {
		set(name, value)
	}
	return nil
}

// New is a world with so many ports for one test, which cannot be a parallel one: the test's variables and its current
// directory are the world's. When the test ends, nothing of it may be left.
func New(t *testing.T, count int) *World {
	t.Helper()
	world := &World{Scratch: t.TempDir()}
	if err := world.make(count, t.Setenv); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { world.slice.Close() })
	// An empty value is as good as none to portalloc; that there is none at all is what most users have.
	for _, name := range []string{"PORTALLOC_EXCLUDE", "ISOLATION_ID"} {
		os.Unsetenv(name)
	}
	t.Chdir(world.Directory("work"))
	t.Cleanup(func() { world.isClean(t) })
	return world
}

func (w *World) isClean(t *testing.T) {
	left, err := w.left()
	if err != nil || left != "" {
		t.Errorf("left behind: %s %v", left, err)
	}
}

func (w *World) left() (string, error) {
	leases, err := portalloc.Leases()
	if err != nil {
		return "", err
	}
	environments, err := portalloc.Environments()
	if err != nil {
		return "", err
	}
	if len(leases)+len(environments) > 0 {
		return fmt.Sprintf("%+v %+v", leases, environments), nil
	}
	var files []string
	for directory, pattern := range map[string]string{"temp": "portalloc-*", "work": ".env.isolation*"} {
		found, err := fs.Glob(os.DirFS(w.Directory(directory)), pattern)
		if err != nil {
			return "", err
		}
		files = append(files, found...)
	}
	if len(files) > 0 {
		return fmt.Sprint(files), nil
	}
	return "", nil
}

// heedSignals is for the children of tests: what a parent ignores, as under nohup or behind a script's &, they would ignore
// as well, but what it has a handler for is back to what it should be in them.
func heedSignals() {
	for _, one := range []os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT} {
		if signal.Ignored(one) {
			signal.Notify(make(chan os.Signal, 1), one)
		}
	}
}

// Main runs the tests of a package in a world with so many ports, for those that run in parallel.
func Main(m *testing.M, count int) int {
	heedSignals()
	scratch, err := os.MkdirTemp("", "portalloc-go-test-")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(scratch)
	world := &World{Scratch: scratch}
	if err := world.make(count, func(name, value string) { os.Setenv(name, value) }); err != nil {
		panic(err)
	}
	defer world.slice.Close()
	status := m.Run()
	if left, err := world.left(); status == 0 && (err != nil || left != "") {
		fmt.Fprintln(os.Stderr, "left behind:", left, err)
		return 1
	}
	return status
}

// Possible skips a test that needs what this machine does not have: loudly, and never in CI.
func Possible(t testing.TB, possible bool, why string) {
	t.Helper()
	if possible {
		return
	}
	if os.Getenv("CI") != "" {
		t.Fatalf("%s, but CI must run this test", why)
	}
	fmt.Fprintf(os.Stderr, "SKIPPED: %s: %s\n", t.Name(), why)
	t.Skip(why)
}
