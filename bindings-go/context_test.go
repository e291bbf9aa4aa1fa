package portalloc_test

import (
	"context"
	"errors"
	"net"
	"os"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/bindings-go"
	"github.com/portalloc/portalloc/bindings-go/internal/world"
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
		"lease":   func(ctx context.Context) error { return second(portalloc.AcquireContext(ctx, 1)) },
		"ports":   func(ctx context.Context) error { return second(portalloc.AcquirePortsContext(ctx, lease.Ports())) },
		"offsets": func(ctx context.Context) error { return second(portalloc.AcquireOffsetsContext(ctx, []int{0})) },
		"environment": func(ctx context.Context) error {
			return second(portalloc.NewEnvironmentContext(ctx, portalloc.WithPortCount(1), portalloc.WithoutEnvFile()))
		},
		"a long time": func(ctx context.Context) error {
			return second(portalloc.AcquireContext(ctx, 1, portalloc.WithTimeout(time.Hour)))
		},
		"server": func(ctx context.Context) error { return portalloc.WaitFor(ctx, here.Base) },
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
				fails(t, err, portalloc.ErrTimeout)
				if !errors.Is(err, why) || !errors.Is(err, portalloc.ErrTimeout) {
					t.Error(err)
				}
			})
			t.Run("cancelled before", func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if err := wait(ctx); !errors.Is(err, context.Canceled) || !errors.Is(err, portalloc.ErrTimeout) {
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
	err := second(portalloc.AcquireContext(context.Background(), 1, portalloc.WithTimeout(time.Millisecond)))
	if !errors.Is(err, portalloc.ErrTimeout) || errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	lease.Release()
}

func TestAWaitEndsWhenPortsComeFree(t *testing.T) {
	world.New(t, 2)
	for name, wait := range map[string]func() (*portalloc.Lease, error){
		"by a context":    func() (*portalloc.Lease, error) { return portalloc.AcquireContext(t.Context(), 2) },
		"in a time limit": func() (*portalloc.Lease, error) { return portalloc.Acquire(2, portalloc.WithTimeout(world.Deadline)) },
		"background":      func() (*portalloc.Lease, error) { return portalloc.AcquireContext(context.Background(), 2) },
	} {
		t.Run(name, func(t *testing.T) {
			lease := acquire(t, 2)
			waiting, done := make(chan struct{}), make(chan error, 1)
			go func() {
				close(waiting)
				second, err := wait()
				if err == nil {
					second.Release()
				}
				done <- err
			}()
			<-waiting
			lease.Release()
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
	go func() { done <- portalloc.WaitFor(ctx, lease.Base()) }()
	server, err := lease.Listener(0)
	must(t, err)
	must(t, soon(t, done))
	free := make(chan error, 1)
	go func() { free <- portalloc.WaitFree(ctx, lease.Base()) }()
	must(t, server.Close())
	must(t, soon(t, free))
	conn, err := net.Dial("tcp", address(lease.Base()))
	if err == nil {
		conn.Close()
		t.Error("it still listens")
	}
	lease.Release()
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
			_, err := portalloc.AcquireContext(ctx, 1)
			done <- err
		}()
	}
	for range 100 {
		fails(t, soon(t, done), portalloc.ErrTimeout)
	}
	lease.Release()
}
