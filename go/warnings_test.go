package portalloc_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

func init() {
	roles["warned"] = func() {
		warnOf(1)
		warnOf(1)
	}
	roles["silenced"] = func() {
		portalloc.OnWarning(nil)
		warnOf(1)
	}
	roles["warned in a handler"] = useMuchInAHandler
}

// overlapping is a pool that overlaps the kernel's ephemeral range, so that part of it is not used: what is warned of here.
func overlapping(nth int) string {
	text, err := os.ReadFile("/proc/sys/net/ipv4/ip_local_port_range")
	if err != nil {
		panic(err)
	}
	var low, high int
	if _, err := fmt.Sscan(string(text), &low, &high); err != nil {
		panic(err)
	}
	return fmt.Sprintf("%d-%d", low-10-nth, low+10)
}

func warnOf(nth int) {
	if _, err := portalloc.ReadSettings(portalloc.WithPool(overlapping(nth))); err != nil {
		panic(err)
	}
}

// printed is what a role prints on its standard error.
func printed(t *testing.T, role string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), roleVariable+"="+role)
	var text strings.Builder
	cmd.Stderr = &text
	must(t, cmd.Run())
	return text.String()
}

func TestWarningsArePrintedOnceUnlessSilenced(t *testing.T) {
	world.New(t, 1)
	text := printed(t, "warned")
	if !strings.HasPrefix(text, "portalloc: warning: ") || strings.Count(text, "\n") != 1 ||
		!strings.Contains(text, overlapping(1)) {
		t.Errorf("%q", text)
	}
	if text := printed(t, "silenced"); text != "" {
		t.Errorf("%q", text)
	}
}

func TestAHandlerIsToldOfEachWarningOnce(t *testing.T) {
	world.New(t, 1)
	var mu sync.Mutex
	told := map[string]int{}
	portalloc.OnWarning(func(code, message string) {
		mu.Lock()
		told[code+": "+message]++
		isFirst := len(told) == 1
		mu.Unlock() // before the call below, which may bring the next warning
		if isFirst {
			fails(t, portalloc.CheckID("x"), portalloc.ErrInvalidID, "x") // it may call the package
		}
	})
	defer portalloc.OnWarning(nil)
	var all sync.WaitGroup
	for range 8 {
		all.Add(1)
		go func() {
			defer all.Done()
			for nth := range 4 {
				warnOf(100 + nth)
			}
		}()
	}
	all.Wait()
	mu.Lock()
	defer mu.Unlock()
	for nth := range 4 {
		count := 0
		for text, times := range told {
			if strings.HasPrefix(text, "pool: ") && strings.Contains(text, overlapping(100+nth)) {
				count += times
			}
		}
		if count != 1 {
			t.Errorf("%d times: %v", count, told)
		}
	}
}

// useMuchInAHandler has a handler that uses whatever takes a lock: a lease, an environment, and the start of a process.
func useMuchInAHandler() {
	lease, err := portalloc.Acquire(context.Background(), 1)
	if err != nil {
		panic(err)
	}
	environment, err := portalloc.NewEnvironment(context.Background())
	if err != nil {
		panic(err)
	}
	var told atomic.Int32
	portalloc.OnWarning(func(code, message string) {
		told.Add(1)
		if !lease.IsHeld() {
			panic("it is held")
		}
		if passed, err := lease.Inheritable(); err == nil {
			passed.Close()
		}
		if err := exec.Command("true").Run(); err != nil {
			panic(err)
		}
		if _, err := environment.Lease(); err != nil {
			panic(err)
		}
	})
	warnOf(1)
	say(told.Load())
	if err := environment.Close(); err != nil {
		panic(err)
	}
	lease.Close()
}

func TestAHandlerMayUseEverything(t *testing.T) {
	world.New(t, 20)
	user := start(t, "warned in a handler")
	var told int
	user.line(&told)
	if told != 1 {
		t.Error(told)
	}
	user.end()
}
