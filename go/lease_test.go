package portalloc_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"reflect"
	"runtime"
	"runtime/debug"
	"slices"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

func address(port int) string { return fmt.Sprintf("127.0.0.1:%d", port) }

func TestALeaseExcludesOthersUntilItIsReleased(t *testing.T) {
	here := world.New(t, 3)
	lease, err := portalloc.Acquire(t.Context(), 3)
	must(t, err)
	if lease.Base() != here.Base || lease.Len() != 3 || lease.Port(2) != here.Base+2 || !lease.IsHeld() ||
		!reflect.DeepEqual(lease.Ports(), []int{here.Base, here.Base + 1, here.Base + 2}) {
		t.Error(lease)
	}
	lease.Ports()[0] = 1
	if lease.Ports()[0] != here.Base {
		t.Error("its ports can be changed from outside")
	}
	fails(t, second(portalloc.Acquire(t.Context(), 1)), portalloc.ErrPoolExhausted, "3 are held")
	lease.Close()
	lease.Close()
	if lease.IsHeld() || lease.Base() != here.Base {
		t.Error(lease)
	}
	acquire(t, 3)
}

func TestOptionsOfALease(t *testing.T) {
	here := world.New(t, 10)
	// The pool is for the base; the others may lie outside of it.
	apart, err := portalloc.Acquire(t.Context(), 0, portalloc.Offsets(0, 3, 7), portalloc.WithPool(fmt.Sprint(here.Base)))
	must(t, err)
	defer apart.Close()
	if !reflect.DeepEqual(apart.Ports(), []int{here.Base, here.Base + 3, here.Base + 7}) {
		t.Error(apart)
	}
	rest := acquire(t, 7, portalloc.Scattered())
	all := append(apart.Ports(), rest.Ports()...)
	slices.Sort(all)
	if len(slices.Compact(all)) != 10 || all[0] != here.Base || all[9] != here.Base+9 {
		t.Error(all)
	}
	rest.Close()
	apart.Close()
	first := acquire(t, 1, portalloc.WithStickyKey("my key"), portalloc.WithExclude(fmt.Sprint(here.Base)))
	first.Close()
	if again := acquire(t, 1, portalloc.WithStickyKey("my key")); again.Base() != first.Base() {
		t.Errorf("%v, not %v", again, first)
	}
}

func TestAGuardKeepsForeignProcessesOff(t *testing.T) {
	world.New(t, 2)
	lease := acquire(t, 1, portalloc.WithGuard())
	if lease.GuardState() != portalloc.GuardExclusive {
		t.Error(lease.GuardState())
	}
	if server, err := net.Listen("tcp", address(lease.Base())); err == nil {
		server.Close()
		t.Error("a foreign process could bind the port")
	}
	must(t, lease.ShareGuard())
	server, err := net.Listen("tcp", address(lease.Base())) // Go sets SO_REUSEADDR
	must(t, err)
	server.Close()
	if state := lease.GuardState(); state != portalloc.GuardShared || state.String() != "shared" {
		t.Error(state)
	}
	must(t, lease.DropGuard())
	if lease.GuardState() != portalloc.GuardNone {
		t.Error(lease.GuardState())
	}
	must(t, lease.Guard())
	lease.Close()
	if lease.GuardState() != portalloc.GuardNone {
		t.Error(lease.GuardState())
	}
	fails(t, lease.Guard(), portalloc.ErrInvalidArgument, "the lease was closed")
	fails(t, second(lease.Listener(0)), portalloc.ErrInvalidArgument, "the lease was closed")
	fails(t, second(lease.Inheritable()), portalloc.ErrInvalidArgument, "the lease was closed")
}

func TestAListenerIsBoundOverTheGuard(t *testing.T) {
	world.New(t, 2)
	lease := acquire(t, 2, portalloc.WithGuard())
	server, err := lease.Listener(1)
	must(t, err)
	defer server.Close()
	if server.Addr().String() != address(lease.Port(1)) {
		t.Error(server.Addr())
	}
	echo(t, server)
	// It outlives the lease.
	lease.Close()
	echo(t, server)
}

// echo is a conversation with a server. The client ends it, so that no TIME_WAIT is left on the server's port.
func echo(t testing.TB, server net.Listener) {
	t.Helper()
	client, err := net.Dial("tcp", server.Addr().String())
	must(t, err)
	defer client.Close()
	conn, err := server.Accept()
	must(t, err)
	defer conn.Close()
	must(t, second(client.Write([]byte("hello"))))
	got := make([]byte, 5)
	must(t, second(io.ReadFull(conn, got)))
	if string(got) != "hello" {
		t.Errorf("%q", got)
	}
	must(t, client.Close())
	if count, err := conn.Read(got); err != io.EOF {
		t.Error(count, err)
	}
}

func TestAPacketConnIsADatagramSocket(t *testing.T) {
	world.New(t, 1)
	lease := acquire(t, 1)
	conn, err := lease.PacketConn(0)
	must(t, err)
	defer conn.Close()
	client, err := net.Dial("udp", address(lease.Base()))
	must(t, err)
	defer client.Close()
	must(t, second(client.Write([]byte("hello"))))
	must(t, conn.SetDeadline(time.Now().Add(world.Deadline)))
	got := make([]byte, 100)
	count, from, err := conn.ReadFrom(got)
	must(t, err)
	if string(got[:count]) != "hello" || from.String() != client.LocalAddr().String() {
		t.Errorf("%q from %v", got[:count], from)
	}
}

func TestOptionsOfASocket(t *testing.T) {
	world.New(t, 2)
	lease := acquire(t, 2)
	everywhere, err := lease.Listener(0, portalloc.WithHost(""))
	must(t, err)
	defer everywhere.Close()
	if everywhere.Addr().(*net.TCPAddr).IP.String() != "0.0.0.0" {
		t.Error(everywhere.Addr())
	}
	bound, err := lease.Socket(1, portalloc.WithoutListening())
	must(t, err)
	defer bound.Close()
	if conn, err := net.Dial("tcp", address(lease.Port(1))); err == nil {
		conn.Close()
		t.Error("it listens")
	}
	fails(t, second(lease.Listener(0)), portalloc.ErrPortInUse)
	fails(t, second(lease.Listener(2)), portalloc.ErrInvalidArgument, "no port at index 2")
	fails(t, second(lease.Listener(-1)), portalloc.ErrInvalidArgument, "no port at index -1")
	fails(t, second(lease.Listener(0, portalloc.WithHost("example.org"))), portalloc.ErrInvalidArgument, "example.org")
	fails(t, second(lease.Listener(0, portalloc.WithHost("::\x00"))), portalloc.ErrInvalidArgument, "zero byte")
}

func TestALostLeaseIsReleasedWhenTheGarbageIsCollected(t *testing.T) {
	here := world.New(t, 3)
	func() {
		must(t, second(portalloc.Acquire(t.Context(), 3)))
	}()
	// A cleanup runs some time after the collection that found it.
	until(t, "the lost lease is released", func() bool {
		runtime.GC()
		free, err := portalloc.IsFree(here.Base)
		must(t, err)
		return free
	})
}

func TestALeaseInUseIsNotCollected(t *testing.T) {
	world.New(t, 1)
	lease := acquire(t, 1)
	for range 20 {
		runtime.GC()
		report, err := portalloc.Who(lease.Base())
		must(t, err)
		if report.Lease == nil {
			t.Fatal("it is gone")
		}
	}
	lease.Close()
}

// until waits for a condition, and fails if it never comes true.
func until(t testing.TB, what string, condition func() bool) {
	t.Helper()
	end := time.Now().Add(world.Deadline)
	for !condition() {
		if time.Now().After(end) {
			t.Fatalf("timed out: %s", what)
		}
		time.Sleep(time.Millisecond)
	}
}

func descriptors(t testing.TB) int {
	t.Helper()
	names, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	return len(names)
}

func TestNothingLeaks(t *testing.T) {
	world.New(t, 10)
	ctx, cancel := context.WithTimeout(t.Context(), world.Deadline)
	defer cancel()
	round := func() {
		lease, err := portalloc.Acquire(t.Context(), 2, portalloc.WithGuard())
		must(t, err)
		server, err := lease.Listener(0)
		must(t, err)
		server.Close()
		passed, err := lease.Inheritable()
		must(t, err)
		passed.Close()
		lease.Close()
		must(t, portalloc.WaitUntilFree(ctx, lease.Ports()...))
		fails(t, second(portalloc.Acquire(t.Context(), 0, portalloc.Exactly(0))), portalloc.ErrInvalidArgument)
	}
	round()
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // which would close what was forgotten
	before := descriptors(t)
	for range 300 {
		round()
	}
	if after := descriptors(t); after > before {
		t.Errorf("%d descriptors, before %d", after, before)
	}
}
