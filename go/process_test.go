package portalloc_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

func init() {
	roles["holder"] = func() { hold(false, false) }
	roles["holder with a child"] = func() { hold(true, false) }
	roles["holder of an inherited lease"] = func() { hold(true, true) }
	roles["heir"] = func() { untilEOF(os.Stdin) }
}

// hold has a port until the end of its input. A child of it has the pipe on descriptor 3 as its input, and echoes that to
// the one on 4, so that the test sees it live and can end it.
func hold(withChild, inherit bool) {
	lease, err := portalloc.Acquire(context.Background(), 1)
	if err != nil {
		panic(err)
	}
	defer lease.Close()
	if withChild {
		cat := exec.Command("cat")
		cat.Stdin, cat.Stdout = os.NewFile(3, "input"), os.NewFile(4, "output")
		if inherit {
			inherited, err := lease.Inheritable()
			if err != nil {
				panic(err)
			}
			defer inherited.Close()
			cat.ExtraFiles = []*os.File{inherited}
		}
		if err := cat.Start(); err != nil {
			panic(err)
		}
	}
	say(lease.Base())
	untilEOF(os.Stdin)
}

func isHeld(t *testing.T, port int, held bool) {
	t.Helper()
	lease, err := portalloc.Acquire(context.Background(), 0, portalloc.Exactly(port))
	if held {
		fails(t, err, portalloc.ErrPortInUse, "is held")
	} else {
		must(t, err)
		lease.Close()
	}
}

func comesFree(t *testing.T, port int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), world.Deadline)
	defer cancel()
	lease, err := portalloc.Acquire(ctx, 0, portalloc.Exactly([]int{port}...), portalloc.WithWait(portalloc.Forever))
	must(t, err)
	lease.Close()
}

func TestSigkillFreesThePorts(t *testing.T) {
	world.New(t, 5)
	holder := start(t, "holder")
	var port int
	holder.line(&port)
	isHeld(t, port, true)
	holder.kill()
	isHeld(t, port, false)
}

func TestTheEndOfTheProcessFreesThePorts(t *testing.T) {
	world.New(t, 5)
	holder := start(t, "holder")
	var port int
	holder.line(&port)
	isHeld(t, port, true)
	holder.end()
	isHeld(t, port, false)
}

// withCat starts a holder with a child that outlives it. The functions tell whether the child lives, and end it.
func withCat(t *testing.T, role string) (holder *child, port int, lives, end func()) {
	t.Helper()
	input, toCat, err := os.Pipe()
	must(t, err)
	fromCat, output, err := os.Pipe()
	must(t, err)
	t.Cleanup(func() { toCat.Close(); fromCat.Close() })
	holder = start(t, role, input, output)
	input.Close()
	output.Close()
	holder.line(&port)
	lines := bufio.NewReader(fromCat)
	lives = func() {
		t.Helper()
		must(t, second(fmt.Fprintln(toCat, "are you there?")))
		must(t, second(lines.ReadString('\n')))
	}
	return holder, port, lives, func() { toCat.Close() }
}

func TestAChildInheritsNothingUnlessAsked(t *testing.T) {
	world.New(t, 5)
	holder, port, lives, end := withCat(t, "holder with a child")
	defer end()
	isHeld(t, port, true)
	holder.kill()
	lives()
	isHeld(t, port, false)
}

func TestAnInheritedLeaseLivesAsLongAsTheChild(t *testing.T) {
	world.New(t, 5)
	holder, port, lives, end := withCat(t, "holder of an inherited lease")
	defer end()
	holder.kill()
	lives()
	isHeld(t, port, true)
	end()
	comesFree(t, port)
}

func TestCloseEndsOnlyThisProcessesPart(t *testing.T) {
	world.New(t, 5)
	lease := acquire(t, 1)
	inherited, err := lease.Inheritable()
	must(t, err)
	heir := start(t, "heir", inherited)
	inherited.Close()
	lease.Close()
	isHeld(t, lease.Base(), true)
	heir.end()
	comesFree(t, lease.Base())
}

// A process that another goroutine starts at the same time must not get the descriptor.
func TestInheritableIsForOneChildOnly(t *testing.T) {
	world.New(t, 5)
	lease := acquire(t, 1)
	// What this process was itself given by whoever started the tests is there as well.
	inherited, err := exec.Command("ls", "/proc/self/fd").Output()
	must(t, err)
	stop, done := make(chan struct{}), make(chan error)
	go func() {
		for {
			select {
			case <-stop:
				done <- nil
				return
			default:
				inherited, err := lease.Inheritable()
				if err != nil {
					done <- err
					return
				}
				inherited.Close()
			}
		}
	}()
	for range 50 {
		listed, err := exec.Command("ls", "/proc/self/fd").Output()
		must(t, err)
		if string(listed) != string(inherited) {
			t.Errorf("another process has %q, not %q", listed, inherited)
		}
	}
	close(stop)
	must(t, <-done)
	lease.Close()
}

func TestAServerInAChildGetsItsSocket(t *testing.T) {
	world.New(t, 5)
	lease := acquire(t, 1, portalloc.WithGuard())
	socket, err := lease.Socket(0)
	must(t, err)
	heir := start(t, "server", socket)
	socket.Close()
	var got string
	ctx, cancel := context.WithTimeout(t.Context(), world.Deadline)
	defer cancel()
	must(t, portalloc.WaitUntilOpen(ctx, lease.Base()))
	heir.line(&got)
	if got != "accepted" {
		t.Error(got)
	}
	heir.end()
	lease.Close()
}
