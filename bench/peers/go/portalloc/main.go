// The contestants in Go whose modules are always there: portalloc and bind(0).
package main

import (
	"context"
	"net"

	"github.com/portalloc/portalloc/bench/peers/go/workload"
	portalloc "github.com/portalloc/portalloc/go"
)

type leased struct{ lease *portalloc.Lease }

func (l *leased) Allocate(count int) ([]int, error) {
	lease, err := portalloc.Acquire(context.Background(), count)
	if err != nil {
		return nil, err
	}
	l.lease = lease
	return lease.Ports(), nil
}

func (l *leased) Release() { l.lease.Close() }

type bind0 struct{}

// All at once, so that they differ.
func (bind0) Allocate(count int) ([]int, error) {
	var ports []int
	for range count {
		probe, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer probe.Close()
		ports = append(ports, probe.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

func (bind0) Release() {}

func main() {
	workload.Run(map[string]func() workload.Contestant{
		"portalloc-go": func() workload.Contestant { return &leased{} },
		"bind0-go":     func() workload.Contestant { return bind0{} },
	})
}
