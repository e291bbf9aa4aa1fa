package portalloc_test

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

// soon is what a wait came to, which must not take for ever.
func soon(t testing.TB, done <-chan error) error {
	t.Helper()
	select {
	case err := <-done:
		return err
	case <-time.After(world.Deadline):
		t.Fatal("it still waits")
		return nil
	}
}

func TestAWaitEndsWithItsContext(t *testing.T) {
	here := world.New(t, 1)
	lease := acquire(t, 1)
	why := errors.New("the user has changed his mind")
	for name, wait := range map[string]func(context.Context) error{
		"lease": func(ctx context.Context) error {
			return second(portalloc.Acquire(ctx, 1, portalloc.WithWait(portalloc.Forever)))
		},
		"ports": func(ctx context.Context) error {
			return second(portalloc.Acquire(ctx, 0, portalloc.Exactly(lease.Ports()...), portalloc.WithWait(portalloc.Forever)))
		},
		"offsets": func(ctx context.Context) error {
			return second(portalloc.Acquire(ctx, 0, portalloc.Offsets(0), portalloc.WithWait(portalloc.Forever)))
		},
		"environment": func(ctx context.Context) error {
			return second(portalloc.NewEnvironment(ctx, portalloc.WithWait(portalloc.Forever), portalloc.WithPortCount(1)))
		},
		"a long time": func(ctx context.Context) error {
			return second(portalloc.Acquire(ctx, 1, portalloc.WithWait(time.Hour)))
		},
		"server": func(ctx context.Context) error { return portalloc.WaitUntilOpen(ctx, here.Base) },
		"answer": func(ctx context.Context) error {
			return portalloc.WaitUntilReady(ctx, portalloc.Readiness{HTTP: "/", Status: 204}, here.Base)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Run("cancelled", func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(t.Context())
				done := make(chan error, 1)
				go func() { done <- wait(ctx) }()
				select {
				case err := <-done:
					t.Fatalf("it did not wait: %v", err)
				case <-time.After(20 * time.Millisecond):
				}
				cancel(why)
				err := soon(t, done)
				fails(t, err, portalloc.ErrWaitTimeout)
				if !errors.Is(err, why) || !errors.Is(err, portalloc.ErrWaitTimeout) {
					t.Error(err)
				}
			})
			t.Run("cancelled before", func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := wait(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, portalloc.ErrWaitTimeout) {
					t.Error(err)
				}
			})
			t.Run("deadline", func(t *testing.T) {
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
				defer cancel()
				err := wait(ctx)
				if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, os.ErrDeadlineExceeded) {
					t.Error(err)
				}
			})
		})
	}
	// A time limit is not the context's end.
	err := second(portalloc.Acquire(context.Background(), 1, portalloc.WithWait(time.Millisecond)))
	if !errors.Is(err, portalloc.ErrWaitTimeout) || errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	// A deadline alone does not make it wait.
	ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
	defer cancel()
	fails(t, second(portalloc.Acquire(ctx, 1)), portalloc.ErrPoolExhausted)
	fails(t, second(portalloc.NewEnvironment(ctx, portalloc.WithPortCount(1))), portalloc.ErrPoolExhausted)
	lease.Close()
}

func TestAWaitEndsWhenPortsComeFree(t *testing.T) {
	world.New(t, 2)
	for name, wait := range map[string]func() (*portalloc.Lease, error){
		"for ever": func() (*portalloc.Lease, error) {
			return portalloc.Acquire(t.Context(), 2, portalloc.WithWait(portalloc.Forever))
		},
		"for some time": func() (*portalloc.Lease, error) {
			return portalloc.Acquire(t.Context(), 2, portalloc.WithWait(world.Deadline))
		},
		"without an end": func() (*portalloc.Lease, error) {
			return portalloc.Acquire(context.Background(), 2, portalloc.WithWait(portalloc.Forever))
		},
	} {
		t.Run(name, func(t *testing.T) {
			lease := acquire(t, 2)
			waiting, done := make(chan struct{}), make(chan error, 1)
			go func() {
				close(waiting)
				second, err := wait()
				if err == nil {
					second.Close()
				}
				done <- err
			}()
			<-waiting
			lease.Close()
			must(t, soon(t, done))
		})
	}
}

func TestWaitForAServer(t *testing.T) {
	world.New(t, 1)
	lease := acquire(t, 1)
	ctx, cancel := context.WithTimeout(t.Context(), world.Deadline)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- portalloc.WaitUntilOpen(ctx, lease.Base()) }()
	server, err := lease.Listener(0)
	must(t, err)
	must(t, soon(t, done))
	free := make(chan error, 1)
	go func() { free <- portalloc.WaitUntilFree(ctx, lease.Base()) }()
	must(t, server.Close())
	must(t, soon(t, free))
	conn, err := net.Dial("tcp", address(lease.Base()))
	if err == nil {
		conn.Close()
		t.Error("it still listens")
	}
	lease.Close()
}

// A switch is freed while it is being turned by nobody: the race detector and the C library would tell.
func TestManyContextsEndWhileCallsReturn(t *testing.T) {
	world.New(t, 1)
	lease := acquire(t, 1)
	done := make(chan error, 1)
	for index := range 100 {
		go func() {
			ctx, cancel := context.WithTimeout(context.Background(), time.Duration(index)*100*time.Microsecond)
			defer cancel()
			_, err := portalloc.Acquire(ctx, 1, portalloc.WithWait(portalloc.Forever))
			done <- err
		}()
	}
	for range 100 {
		fails(t, soon(t, done), portalloc.ErrWaitTimeout)
	}
	lease.Close()
}
