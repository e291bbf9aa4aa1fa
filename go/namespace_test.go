package portalloc_test

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

// Set in the process that runs in a network namespace of its own.
const namespaceVariable = "PORTALLOC_GO_TEST_NAMESPACE"

// The control: the way that Go programs usually have, where it must fail; and the other one beside it. In a namespace of
// its own the ephemeral range can be made so small that 16 servers which have bound port 0, and let go of it, cannot but
// have the same port.
func TestBindZeroCollidesAndLeasesDoNot(t *testing.T) {
	if os.Getenv(namespaceVariable) == "" {
		world.Possible(t, exec.Command("unshare", "--net", "ip", "link", "set", "lo", "up").Run() == nil,
			"`unshare --net ip link set lo up` does not work here")
		here := world.New(t, 100)
		cmd := exec.Command("unshare", "--net", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v", "-test.count=1")
		cmd.Env = append(os.Environ(), namespaceVariable+"="+here.Pool())
		output, err := cmd.CombinedOutput()
		if err != nil || !strings.Contains(string(output), "--- PASS: "+t.Name()) {
			t.Errorf("%v\n%s", err, output)
		}
		t.Logf("%s", output)
		return
	}
	must(t, exec.Command("ip", "link", "set", "lo", "up").Run())
	must(t, os.WriteFile("/proc/sys/net/ipv4/ip_local_port_range", []byte("41000 41007"), 0))

	free := func() (int, error) { // as in phayes/freeport, and in net.Listen(":0") and Close
		for {
			server, err := net.Listen("tcp", "127.0.0.1:0")
			if errors.Is(err, syscall.EADDRINUSE) {
				continue // the others have all eight of them just now
			}
			if err != nil {
				return 0, err
			}
			defer server.Close()
			return server.Addr().(*net.TCPAddr).Port, nil
		}
	}
	collisions := collisionsOf(t, free)
	if collisions < 8 {
		t.Errorf("16 servers on 8 ports, and %d collide", collisions)
	}
	var mu sync.Mutex
	var leases []*portalloc.Lease
	leased := collisionsOf(t, func() (int, error) {
		lease, err := portalloc.Acquire(t.Context(), 1)
		if err != nil {
			return 0, err
		}
		mu.Lock()
		defer mu.Unlock()
		leases = append(leases, lease)
		return lease.Base(), nil
	})
	if leased != 0 {
		t.Errorf("%d collide", leased)
	}
	for _, lease := range leases {
		lease.Close()
	}
	fmt.Printf("of 16 servers, %d collide with bind(0), %d with leases\n", collisions, leased)
}

// collisionsOf is how many of 16 servers cannot bind the port they were given, when all have been given one.
func collisionsOf(t *testing.T, free func() (int, error)) int {
	var given, bound sync.WaitGroup
	given.Add(16)
	bound.Add(16)
	servers := make([]net.Listener, 16)
	for index := range servers {
		go func() {
			defer bound.Done()
			port, err := free()
			given.Done()
			given.Wait()
			if err != nil {
				t.Error(err)
				return
			}
			servers[index], _ = net.Listen("tcp", address(port))
		}()
	}
	bound.Wait()
	failed := 0
	for _, server := range servers {
		if server == nil {
			failed++
		} else {
			server.Close()
		}
	}
	return failed
}
