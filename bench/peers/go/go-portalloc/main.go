// The contestant go-portalloc, as a library. Its command line is another, and is asked by the worker in Rust.
package main

import (
	"fmt"
	"log"
	"os"

	"github.com/pigeonworks-llc/go-portalloc/pkg/ports"
	"github.com/portalloc/portalloc/bench/peers/go/workload"
)

type allocator struct{ ports *ports.Allocator }

func (a allocator) Allocate(count int) ([]int, error) {
	base, err := a.ports.AllocateRange(count)
	if err != nil {
		return nil, err
	}
	var all []int
	for index := range count {
		all = append(all, base+index)
	}
	return all, nil
}

func (allocator) Release() {}

func library() workload.Contestant {
	config := ports.DefaultAllocatorConfig()
	if given, squeezed := os.LookupEnv("PEERS_RANGE"); squeezed {
		if _, err := fmt.Sscanf(given, "%d-%d", &config.StartPort, &config.EndPort); err != nil {
			log.Fatal(err)
		}
		config.EndPort++ // exclusive
	}
	return allocator{ports.NewAllocator(config)}
}

func main() {
	workload.Run(map[string]func() workload.Contestant{"go-portalloc": library})
}
