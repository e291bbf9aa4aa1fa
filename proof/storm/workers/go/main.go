// The worker in Go: see ../../README.md. It works in several goroutines, each a holder of its own.
package main

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math/rand"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
)

const goroutines = 3

// So many leases, and so many environments, at most, or the pool would soon be full.
const most = 2

type served struct {
	lease   *portalloc.Lease
	servers []net.Listener
}

type worker struct {
	serial, holder string
	random         *rand.Rand
	journal        *os.File
	tolerated      []string
	bindErrno      syscall.Errno
	served         []served
	held, kept     []*portalloc.Environment
}

func (w *worker) note(format string, arguments ...any) {
	line := fmt.Sprintf("%-63s\n", fmt.Sprintf(format, arguments...))
	if _, err := w.journal.WriteString(line); err != nil {
		log.Fatal(err)
	}
}

func (w *worker) did(what string)                     { w.note("did %s %s", w.serial, what) }
func (w *worker) took(holder string, base, count int) { w.note("took %s %d %d", holder, base, count) }
func (w *worker) gave(holder string, base, count int) { w.note("gave %s %d %d", holder, base, count) }

func (w *worker) holderWithUs(environment *portalloc.Environment) string {
	if environment.Kept() {
		return w.serial + "=" + environment.ID()
	}
	return w.holder
}

func (w *worker) keptHolder(environment *portalloc.Environment) string {
	return w.serial + "+" + environment.ID()
}

// check ends the worker unless the error is one that it may meet.
func (w *worker) check(err error) {
	var failure *portalloc.Error
	if !errors.As(err, &failure) {
		log.Fatal(err)
	}
	code := failure.Code.String()
	for _, tolerated := range w.tolerated {
		if tolerated == code {
			w.did(code)
			return
		}
	}
	log.Fatalf("%s: %s: %v", w.holder, code, err)
}

func (w *worker) lease(count int, what string, options ...portalloc.LeaseOption) error {
	if len(w.served) >= most {
		return w.release()
	}
	lease, err := portalloc.Acquire(context.Background(), count, options...)
	if err != nil {
		return err
	}
	if err := lease.ShareGuard(); err != nil {
		return err
	}
	var servers []net.Listener
	for _, port := range lease.Ports() {
		server, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if errors.Is(err, w.bindErrno) {
			continue
		}
		if err != nil {
			log.Fatal(err)
		}
		servers = append(servers, server)
	}
	w.took(w.holder, lease.Base(), count)
	w.served = append(w.served, served{lease, servers})
	w.did(what)
	return nil
}

func (w *worker) release() error {
	if len(w.served) == 0 {
		return nil
	}
	one := drawn(w.random, &w.served)
	w.gave(w.holder, one.lease.Base(), len(one.lease.Ports()))
	for _, server := range one.servers {
		server.Close()
	}
	one.lease.Close()
	w.did("release")
	return nil
}

func (w *worker) environment(count int, what string, options ...portalloc.EnvironmentOption) error {
	if len(w.held)+len(w.kept) >= most {
		return errors.Join(w.end(&w.held, w.holderWithUs), w.end(&w.kept, w.keptHolder))
	}
	options = append(options, portalloc.WithPortCount(count), portalloc.WithInstanceID(w.serial), portalloc.WithEnvFile(""))
	environment, err := portalloc.NewEnvironment(context.Background(), options...)
	if err != nil {
		return err
	}
	if what == "held" || what == "owned" {
		w.took(w.holderWithUs(environment), environment.Base(), count)
		w.held = append(w.held, environment)
	} else {
		w.took(w.keptHolder(environment), environment.Base(), count)
		w.kept = append(w.kept, environment)
	}
	w.did(what)
	return nil
}

func (w *worker) shortLived(count int) error {
	ttl := time.Duration(1+w.random.Intn(20)) * time.Millisecond
	_, err := portalloc.NewEnvironment(context.Background(), portalloc.WithPortCount(count), portalloc.WithInstanceID(w.serial),
		portalloc.WithKept(), portalloc.WithTTL(ttl), portalloc.WithEnvFile(""))
	if err == nil {
		w.did("ttl")
	}
	return err
}

func (w *worker) end(environments *[]*portalloc.Environment, holder func(*portalloc.Environment) string) error {
	if len(*environments) == 0 {
		return nil
	}
	environment := drawn(w.random, environments)
	w.gave(holder(environment), environment.Base(), len(environment.Ports()))
	if err := environment.Close(); err != nil {
		return err
	}
	w.did("cleanup")
	return nil
}

func (w *worker) cleanStale() error {
	removed, err := portalloc.CleanupStale()
	if err != nil {
		return err
	}
	if removed > 0 {
		w.did("removed")
	}
	w.did("stale")
	return nil
}

func (w *worker) look() error {
	if _, err := portalloc.Environments(); err != nil {
		return err
	}
	w.did("list")
	return nil
}

func (w *worker) operation() error {
	count := 1 + w.random.Intn(5)
	switch drawn := w.random.Intn(37); {
	case drawn < 6:
		return w.lease(count, "lease")
	case drawn < 8:
		return w.lease(count, "guarded", portalloc.WithGuard())
	case drawn < 17:
		return w.release()
	case drawn < 20:
		return w.environment(count, "held")
	case drawn < 25:
		return w.end(&w.held, w.holderWithUs)
	case drawn < 27:
		return w.environment(count, "owned", portalloc.WithKept(), portalloc.WithOwner(os.Getpid()))
	case drawn < 29:
		return w.environment(count, "kept", portalloc.WithKept())
	case drawn < 30:
		return w.environment(count, "sticky", portalloc.WithKept(), portalloc.WithSticky(), portalloc.WithTTL(24*time.Hour))
	case drawn < 31:
		return w.shortLived(count)
	case drawn < 35:
		return w.end(&w.kept, w.keptHolder)
	case drawn < 36:
		return w.cleanStale()
	default:
		return w.look()
	}
}

func (w *worker) work() {
	// Whoever ends the storm ends its workers.
	for strconv.Itoa(os.Getppid()) == os.Getenv("STORM_PID") {
		err := w.operation()
		if err == nil {
			continue
		}
		w.check(err)
		// Room for others.
		for len(w.served) > 0 {
			_ = w.release()
		}
		for len(w.kept) > 0 {
			if err := w.end(&w.kept, w.keptHolder); err != nil {
				w.check(err)
			}
		}
	}
}

// drawn takes a random one out of several.
func drawn[T any](random *rand.Rand, several *[]T) T {
	index, last := random.Intn(len(*several)), len(*several)-1
	one := (*several)[index]
	(*several)[index] = (*several)[last]
	*several = (*several)[:last]
	return one
}

func main() {
	journal, err := os.OpenFile(os.Getenv("STORM_JOURNAL"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		log.Fatal(err)
	}
	seed, err := strconv.ParseInt(os.Args[2], 10, 64)
	if err != nil {
		log.Fatal(err)
	}
	tolerated := append(strings.Fields(os.Getenv("STORM_TOLERATED")), portalloc.ErrPoolExhausted.String())
	bindErrno, _ := strconv.Atoi(os.Getenv("STORM_BIND_ERRNO"))
	var all sync.WaitGroup
	for part := range goroutines {
		one := &worker{
			serial:    os.Args[1],
			holder:    fmt.Sprintf("%s-go%d", os.Args[1], part),
			random:    rand.New(rand.NewSource(seed + int64(part))),
			journal:   journal,
			tolerated: tolerated,
			bindErrno: syscall.Errno(bindErrno),
		}
		all.Add(1)
		go func() {
			defer all.Done()
			one.work()
		}()
	}
	all.Wait()
}
