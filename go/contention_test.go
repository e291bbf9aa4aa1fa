package portalloc_test

import (
	"fmt"
	"net"
	"os"
	"sync"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
	"github.com/portalloc/portalloc/go/portalloctest"
)

func init() {
	roles["server"] = func() {
		server, err := net.FileListener(os.NewFile(3, "socket"))
		if err != nil {
			panic(err)
		}
		conn, err := server.Accept()
		if err != nil {
			panic(err)
		}
		conn.Close()
		say("accepted")
		untilEOF(os.Stdin)
	}
}

// owners knows who has which port at this moment, and takes no word for it.
type owners struct {
	mu  sync.Mutex
	has map[int]string
}

func (o *owners) take(t testing.TB, ports []int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, port := range ports {
		if other, ok := o.has[port]; ok {
			t.Errorf("%s has port %d, and so has %s", t.Name(), port, other)
		}
		o.has[port] = t.Name()
	}
}

func (o *owners) give(ports []int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, port := range ports {
		delete(o.has, port)
	}
}

func TestManyGoroutinesNeverShareAPort(t *testing.T) {
	world.New(t, 100)
	all := owners{has: map[int]string{}}
	var group sync.WaitGroup
	for index := range 64 {
		group.Add(1)
		go func() {
			defer group.Done()
			for round := range 50 {
				lease, err := portalloc.Acquire(t.Context(), 1+(index+round)%5, portalloc.WithWait(world.Deadline))
				if err != nil {
					t.Error(err)
					return
				}
				all.take(t, lease.Ports())
				all.give(lease.Ports())
				lease.Close()
			}
		}()
	}
	group.Wait()
}

func TestOneLeaseIsUsedByManyGoroutines(t *testing.T) {
	world.New(t, 4)
	lease := acquire(t, 4, portalloc.WithGuard())
	var group sync.WaitGroup
	for index := range 32 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 100 {
				// Whatever comes of it beside the release, it comes of a lease that is alive or released as a whole.
				_ = lease.GuardState()
				_ = lease.ShareGuard()
				_ = lease.Ports()
				if socket, err := lease.Socket(index%4, portalloc.WithoutListening()); err == nil {
					socket.Close()
				}
				if index == 31 {
					lease.Close()
				}
			}
		}()
	}
	group.Wait()
	fails(t, lease.ShareGuard(), portalloc.ErrInvalidArgument, "the lease was closed")
	// A socket may be closed an instant after the release.
	acquire(t, 4, portalloc.WithWait(world.Deadline)).Close()
}

var inParallel = owners{has: map[int]string{}}

// Run with -parallel 32: each of them has real servers on its ports.
func TestParallel(t *testing.T) {
	for index := range 96 {
		t.Run(fmt.Sprint(index), func(t *testing.T) {
			t.Parallel()
			lease := portalloctest.Lease(t, 5, portalloc.WithWait(world.Deadline))
			inParallel.take(t, lease.Ports())
			t.Cleanup(func() { inParallel.give(lease.Ports()) })
			for number := range 5 {
				var server net.Listener
				var err error
				if number%2 == 0 {
					server, err = net.Listen("tcp", address(lease.Port(number)))
				} else {
					server, err = lease.Listener(number)
				}
				must(t, err)
				t.Cleanup(func() { server.Close() })
				echo(t, server)
			}
		})
	}
}
