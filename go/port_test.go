package portalloc_test

import (
	"context"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

func init() {
	roles["port"] = func() {
		port, err := portalloc.Port()
		if err != nil {
			panic(err)
		}
		runtime.GC() // there is nothing that could be lost
		say(port)
		untilEOF(os.Stdin)
	}
	roles["lost lease"] = loseALease
}

func TestAPortIsHeldUntilItIsGivenBack(t *testing.T) {
	world.New(t, 5)
	port, err := portalloc.Port()
	must(t, err)
	other, err := portalloc.Port()
	must(t, err)
	if port == other {
		t.Error(port)
	}
	isHeld(t, port, true)
	isHeld(t, other, true)
	if !portalloc.GiveBack(port) || portalloc.GiveBack(port) {
		t.Error("it is given back once")
	}
	isHeld(t, port, false)
	isHeld(t, other, true)
	if !portalloc.GiveBack(other) {
		t.Error("it is given back")
	}
	lease := acquire(t, 1)
	for _, not := range []int{lease.Base(), 0, -1, 65536, 1 << 40} {
		if portalloc.GiveBack(not) {
			t.Errorf("%d was not given by Port", not)
		}
	}
	isHeld(t, lease.Base(), true)
	lease.Close()
}

func TestThePoolOfAPort(t *testing.T) {
	here := world.New(t, 3)
	pool, exclude := portalloc.WithPool(here.Pool()), portalloc.WithExclude(fmt.Sprintf("%d,%d", here.Base, here.Base+2))
	port, err := portalloc.Port(pool, exclude)
	must(t, err)
	if port != here.Base+1 {
		t.Error(port)
	}
	fails(t, second(portalloc.Port(portalloc.WithPool("no pool"))), portalloc.ErrInvalidArgument, "no pool")
	fails(t, second(portalloc.Port(portalloc.WithPool("2\x00"))), portalloc.ErrInvalidArgument, "zero byte")
	if !portalloc.GiveBack(port) {
		t.Error("it is given back")
	}
}

func TestAnEmptyPoolNamesThePlacesThatHaveIt(t *testing.T) {
	world.New(t, 3)
	var ports []int
	take := func() {
		port, err := portalloc.Port()
		must(t, err)
		ports = append(ports, port)
	}
	_, file, line, _ := runtime.Caller(0)
	for range 2 {
		take()
	}
	port, err := portalloc.Port()
	must(t, err)
	fails(t, second(portalloc.Port()), portalloc.ErrPoolExhausted, "this process holds 3 ports",
		fmt.Sprintf("2 at %s:%d", file, line-4), fmt.Sprintf("1 at %s:%d", file, line+4))
	for _, port := range append(ports, port) {
		if !portalloc.GiveBack(port) {
			t.Error(port)
		}
	}
}

func TestGoroutinesGetDifferentPorts(t *testing.T) {
	world.New(t, 64)
	var seen sync.Map
	var all sync.WaitGroup
	for range 16 {
		all.Add(1)
		go func() {
			defer all.Done()
			for range 4 {
				port, err := portalloc.Port()
				if err != nil {
					t.Error(err)
					return
				}
				if _, twice := seen.LoadOrStore(port, true); twice {
					t.Errorf("%d was given twice", port)
				}
			}
		}()
	}
	all.Wait()
	seen.Range(func(port, _ any) bool {
		if !portalloc.GiveBack(port.(int)) {
			t.Error(port)
		}
		return true
	})
}

func TestTheEndOfTheProcessGivesAPortBack(t *testing.T) {
	world.New(t, 5)
	for _, finish := range []func(*child){(*child).kill, (*child).end} {
		holder := start(t, "port")
		var port int
		holder.line(&port)
		isHeld(t, port, true)
		finish(holder)
		isHeld(t, port, false)
	}
}

// loseALease has two leases, and replaces the descriptor of the first by a file of its own. Not in the process of the
// tests, whose other goroutines open descriptors meanwhile.
func loseALease() {
	locks := func() map[int]bool {
		found := map[int]bool{}
		for number := range 400 {
			name, err := os.Readlink(fmt.Sprintf("/proc/self/fd/%d", number))
			if err == nil && len(name) > 6 && name[len(name)-6:] == "/ports" {
				found[number] = true
			}
		}
		return found
	}
	one := func() (*portalloc.Lease, int) {
		before := locks()
		lease, err := portalloc.Acquire(context.Background(), 1)
		if err != nil {
			panic(err)
		}
		for number := range locks() {
			if !before[number] {
				return lease, number
			}
		}
		panic("it has no descriptor")
	}
	first, _ := one() // opens what stays open, too
	first.Close()
	lost, number := one()
	lease, _ := one()
	own, err := os.CreateTemp("", "own-file-")
	if err != nil {
		panic(err)
	}
	defer os.Remove(own.Name())
	if err := syscall.Dup3(int(own.Fd()), number, syscall.O_CLOEXEC); err != nil {
		panic(err)
	}
	say([]bool{lost.IsHeld(), lease.IsHeld()})
	lost.Close()
	_, err = syscall.Write(number, []byte("mine"))
	say([]bool{err == nil, lost.IsHeld(), lease.IsHeld()})
	lease.Close()
	say(lease.IsHeld())
}

func TestIsHeldTellsOfALostLease(t *testing.T) {
	world.New(t, 5)
	loser := start(t, "lost lease")
	var held, after []bool
	var released bool
	loser.line(&held)
	if held[0] || !held[1] {
		t.Errorf("the first one is lost, the second one is not: %v", held)
	}
	loser.line(&after)
	if !after[0] || after[1] || !after[2] {
		t.Errorf("the program's file is open, and the second lease held: %v", after)
	}
	loser.line(&released)
	if released {
		t.Error("it was released")
	}
	loser.end()
}
