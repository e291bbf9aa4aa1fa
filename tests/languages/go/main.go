// The contender in Go: see ../README.md.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
)

const (
	patience      = time.Minute
	mixedPatience = 250 * time.Millisecond
)

var offsets = []int{0, 2, 3, 5, 9, 10, 14, 20}

type held struct {
	lease   *portalloc.Lease
	servers []io.Closer
}

type contender struct {
	journal            *os.File
	count, most, every int
	leases             []held
}

func main() {
	numbers := []int{0, 0, 1, 1, -1}
	for i, text := range os.Args[2:] {
		number, err := strconv.Atoi(text)
		check(err)
		numbers[i] = number
	}
	journal, err := os.OpenFile(os.Args[1], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	check(err)
	if user := numbers[4]; user >= 0 {
		become(user)
	}
	times := numbers[0]
	c := contender{journal: journal, count: numbers[1], most: numbers[2], every: numbers[3]}
	for lines := bufio.NewScanner(os.Stdin); lines.Scan(); {
		refused := c.contend(times)
		fmt.Println(times, refused)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func become(user int) {
	check(syscall.Setgroups(nil))
	check(syscall.Setresgid(user, user, user))
	check(syscall.Setresuid(user, user, user))
}

func (c *contender) contend(times int) (refused int) {
	for served := 0; served < times; {
		if len(c.leases) == c.most {
			c.giveOne()
		}
		if c.takeOne(served%c.every == 0) {
			served++
			continue
		}
		refused++
		if len(c.leases) > 0 {
			c.giveOne()
		}
	}
	for len(c.leases) > 0 {
		c.giveOne()
	}
	return refused
}

// takeOne says whether it got one.
func (c *contender) takeOne(bound bool) bool {
	lease, err := c.acquire()
	full := errors.Is(err, portalloc.ErrPoolExhausted) || errors.Is(err, portalloc.ErrWaitTimeout)
	if full && (c.count == 0 || len(c.leases) > 0) {
		return false
	}
	check(err)
	var servers []io.Closer
	if bound {
		for _, port := range lease.Ports() {
			servers = append(servers, serve(port)...)
		}
	}
	c.note("took", lease.Ports())
	c.leases = append(c.leases, held{lease, servers})
	return true
}

func (c *contender) acquire() (*portalloc.Lease, error) {
	limit := patience
	if c.count == 0 {
		limit = mixedPatience
	}
	if len(c.leases) > 0 {
		limit = 0
	}
	if c.count > 0 {
		return portalloc.Acquire(context.Background(), c.count, portalloc.WithWait(limit))
	}
	some := 1 + rand.IntN(8)
	switch rand.IntN(16) {
	case 0:
		return portalloc.Acquire(context.Background(), some, portalloc.WithWait(limit), portalloc.Scattered())
	case 1, 2, 3, 4:
		return portalloc.Acquire(context.Background(), some, portalloc.WithWait(limit), portalloc.Offsets(offsets[:some]...))
	}
	return portalloc.Acquire(context.Background(), some, portalloc.WithWait(limit))
}

// serve is on all addresses, of both families where the machine has both.
func serve(port int) []io.Closer {
	address := fmt.Sprintf(":%d", port)
	server, err := net.Listen("tcp", address)
	check(err)
	datagrams, err := net.ListenPacket("udp", address)
	check(err)
	return []io.Closer{server, datagrams}
}

func (c *contender) giveOne() {
	which, last := rand.IntN(len(c.leases)), len(c.leases)-1
	given := c.leases[which]
	c.leases[which] = c.leases[last]
	c.leases = c.leases[:last]
	for _, server := range given.servers {
		check(server.Close())
	}
	c.note("gave", given.lease.Ports())
	given.lease.Close()
}

func (c *contender) note(what string, ports []int) {
	var lines strings.Builder
	for first := 0; first < len(ports); {
		next := first + 1
		for next < len(ports) && ports[next] == ports[next-1]+1 {
			next++
		}
		fmt.Fprintf(&lines, "%s %d %d %d\n", what, os.Getpid(), ports[first], next-first)
		first = next
	}
	_, err := c.journal.WriteString(lines.String())
	check(err)
}
