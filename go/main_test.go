package portalloc_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

// What this binary does instead of tests if it is started with this variable.
const roleVariable = "PORTALLOC_GO_TEST_ROLE"

var roles = map[string]func(){}

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		roles[role]()
		return
	}
	if os.Getenv(namespaceVariable) != "" {
		os.Exit(m.Run()) // the world is the parent's
	}
	os.Exit(world.Main(m, 400))
}

// child is this binary in a role, killed at the end of the test if it has not ended before.
type child struct {
	t     *testing.T
	cmd   *exec.Cmd
	lines chan string
	stdin io.Closer
}

// start runs a role. It ends when its standard input does, unless it is killed before.
func start(t *testing.T, role string, extra ...*os.File) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	cmd.Stderr = os.Stderr
	cmd.ExtraFiles = extra
	stdin, err := cmd.StdinPipe()
	must(t, err)
	// Not cmd.StdoutPipe: what this process starts may go on writing when it is gone.
	read, write, err := os.Pipe()
	must(t, err)
	cmd.Stdout = write
	must(t, cmd.Start())
	write.Close()
	one := &child{t: t, cmd: cmd, lines: make(chan string), stdin: stdin}
	go func() {
		defer close(one.lines)
		for lines := bufio.NewScanner(read); lines.Scan(); {
			one.lines <- lines.Text()
		}
	}()
	t.Cleanup(func() {
		one.kill()
		read.Close()
		for range one.lines {
		}
	})
	return one
}

// line is the next line of its output, as a value.
func (c *child) line(into any) {
	c.t.Helper()
	select {
	case line, ok := <-c.lines:
		if !ok {
			c.t.Fatal("its output has ended")
		}
		must(c.t, json.Unmarshal([]byte(line), into))
	case <-time.After(world.Deadline):
		c.t.Fatal("it says nothing")
	}
}

// kill is SIGKILL to this one process. It returns when it is dead.
func (c *child) kill() {
	if c.cmd.ProcessState == nil {
		c.cmd.Process.Kill()
		c.cmd.Wait()
	}
}

// end lets it end by itself.
func (c *child) end() {
	c.t.Helper()
	c.stdin.Close()
	must(c.t, c.cmd.Wait())
}

// say is a line for the test that started this process.
func say(value any) {
	line, err := json.Marshal(value)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(line))
}

// untilEOF is until the test says so, or is gone.
func untilEOF(input io.Reader) {
	io.Copy(io.Discard, input)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// acquire is for a lease that the test gives back by itself, or at its end.
func acquire(t testing.TB, n int, options ...portalloc.LeaseOption) *portalloc.Lease {
	t.Helper()
	lease, err := portalloc.Acquire(context.Background(), n, options...)
	must(t, err)
	t.Cleanup(func() { lease.Close() })
	return lease
}

// fails says so if an error is not of this code, or does not contain these texts.
func fails(t testing.TB, err error, code portalloc.Code, parts ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error, not %v", code)
		return
	}
	failed, ok := err.(*portalloc.Error)
	if !ok || failed.Code != code {
		t.Errorf("%#v, not %v", err, code)
		return
	}
	for _, part := range parts {
		if !strings.Contains(failed.Message, part) {
			t.Errorf("%q is not in the message of %v", part, err)
		}
	}
}
