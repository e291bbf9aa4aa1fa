// Package workload is the worker of `make bench-peers` in Go: PROGRAM CONTESTANT PORTS JOURNAL. What it does is told in
// ../../README.md, and is the same in every language. It knows no contestant.
package workload

import (
	"bufio"
	"fmt"
	"log"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Contestant is one way to come by ports.
type Contestant interface {
	Allocate(count int) ([]int, error)
	// Release gives back what was allocated last. Most have no such thing.
	Release()
}

// The workload's own pauses: a user's server binds some time after its port was chosen, and runs.
const (
	beforeBindLeast = 10 * time.Millisecond
	beforeBindSpan  = 20 * time.Millisecond
	serving         = 5 * time.Millisecond
)

type worker struct {
	contestant Contestant
	count      int
	journal    *os.File
}

func (w *worker) note(format string, values ...any) {
	if _, err := fmt.Fprintf(w.journal, format+"\n", values...); err != nil {
		log.Fatal(err)
	}
}

func written(ports []int) string {
	var all []string
	for _, port := range ports {
		all = append(all, strconv.Itoa(port))
	}
	return strings.Join(all, ",")
}

// As users have it: a port is chosen, some time passes, the server binds it, serves and ends.
func (w *worker) round() {
	gap := beforeBindLeast + rand.N(beforeBindSpan)
	start := time.Now()
	ports, err := w.contestant.Allocate(w.count)
	took := time.Since(start).Nanoseconds()
	if err != nil {
		w.note("none %d %d", os.Getpid(), took)
		time.Sleep(gap)
		return
	}
	w.note("took %d %d %s", os.Getpid(), took, written(ports))
	time.Sleep(gap)
	var servers []net.Listener
	for _, port := range ports {
		if server, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err == nil {
			servers = append(servers, server)
		}
	}
	w.note("bound %d %d", os.Getpid(), len(ports)-len(servers))
	time.Sleep(serving)
	for _, server := range servers {
		server.Close()
	}
	w.note("gave %d %s", os.Getpid(), written(ports))
	w.contestant.Release()
}

func (w *worker) paced(length time.Duration) {
	for start := time.Now(); time.Since(start) < length; {
		w.round()
	}
	fmt.Println("paced")
}

func (w *worker) flat(length time.Duration) {
	allocated, gaveUp := 0, 0
	start := time.Now()
	for time.Since(start) < length {
		if _, err := w.contestant.Allocate(w.count); err != nil {
			gaveUp++
			continue
		}
		allocated++
		w.contestant.Release()
	}
	fmt.Println("flat", allocated, gaveUp, time.Since(start).Nanoseconds())
}

var peak = regexp.MustCompile(`(?m)^VmHWM:\s+(\d+) kB$`)

// The most memory that this process ever had, in KiB; it has no children.
func memory() {
	status, err := os.ReadFile("/proc/self/status")
	found := peak.FindSubmatch(status)
	if err != nil || found == nil {
		log.Fatal("no VmHWM: ", err)
	}
	fmt.Println("memory", string(found[1]), 0)
}

// Run is the whole of a worker's main function.
func Run(contestants map[string]func() Contestant) {
	if len(os.Args) != 4 || contestants[os.Args[1]] == nil {
		log.Fatal("CONTESTANT PORTS JOURNAL")
	}
	count, err := strconv.Atoi(os.Args[2])
	if err != nil {
		log.Fatal(err)
	}
	journal, err := os.OpenFile(os.Args[3], os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	w := worker{contestants[os.Args[1]](), count, journal}
	fmt.Println("ready")
	for commands := bufio.NewScanner(os.Stdin); commands.Scan(); {
		what, seconds, _ := strings.Cut(commands.Text(), " ")
		length, _ := time.ParseDuration(seconds + "s")
		switch what {
		case "paced":
			w.paced(length)
		case "flat":
			w.flat(length)
		default:
			memory()
		}
	}
}
