package portalloc

import (
	"context"
	"runtime"
	"time"
	"unsafe"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// wait is how long a call may wait, and what ends the wait early.
type wait struct {
	milliseconds int64
	cancel       *bridge.Cancel
}

// within makes a call that waits up to a limit, and no longer than until the context is done: the call gets the context's
// deadline, and its end uses a portalloc_cancel, which the call checks four times a second.
func within(ctx context.Context, limit time.Duration, do func(wait) bridge.Outcome) error {
	if ctx.Err() != nil {
		return &Error{
			Code:    ErrWaitTimeout,
			Message: "the context was done before the call",
			Remedy:  "pass a context that is not done",
			cause:   context.Cause(ctx),
		}
	}
	if limit == 0 { // it does not wait
		return check(do(wait{}))
	}
	deadline, limited := ctx.Deadline()
	if limited && limit > 0 {
		// At least something: 0 would not wait, and fail with another error.
		limit = min(limit, max(1, time.Until(deadline)))
	}
	limits := wait{milliseconds: milliseconds(limit)}
	if ctx.Done() != nil {
		if err := check(bridge.CancelNew(&limits.cancel)); err != nil {
			return err
		}
		cancelled := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			bridge.CancelNow(limits.cancel)
			close(cancelled)
		})
		defer func() {
			if !stop() {
				<-cancelled // it has begun, and uses what is freed next
			}
			bridge.CancelFree(limits.cancel)
		}()
	}
	err := check(do(limits))
	if failed, ok := err.(*Error); ok && failed.Code == ErrWaitTimeout {
		switch {
		case ctx.Err() != nil:
			failed.cause = context.Cause(ctx)
		case limited && !time.Now().Before(deadline):
			failed.cause = context.DeadlineExceeded // before the context's own timer has fired
		}
	}
	return err
}

// WaitUntilOpen blocks until a server accepts connections on each of the ports, on 127.0.0.1 or ::1, or until the context is
// done: then it fails with [ErrWaitTimeout] and the context's own error, and says for each missing port what the last check
// found.
func WaitUntilOpen(ctx context.Context, ports ...int) error {
	given, err := asPorts(ports)
	if err != nil {
		return err
	}
	return within(ctx, Forever, func(limits wait) bridge.Outcome {
		return bridge.WaitUntilOpen(address(given), len(given), limits.milliseconds, limits.cancel)
	})
}

// Readiness says when a server counts as ready. The zero value means once it accepts a connection.
type Readiness struct {
	// HTTP is a path, such as "/health": the server is ready once it answers a GET of it with a status below 400.
	HTTP string
	// Status is the only one that counts, if it is not 0.
	Status int
}

// within does call with what r says, as the function of that name.
func (r Readiness) within(ctx context.Context, call func(*bridge.ReadyOptions, wait) bridge.Outcome) error {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	options := bridge.ReadyOptions{Status: int64(r.Status)}
	options.Size = unsafe.Sizeof(options)
	if r.HTTP != "" {
		path, err := cText("the path", r.HTTP)
		if err != nil {
			return err
		}
		pinner.Pin(path)
		options.HTTP = path
	}
	return within(ctx, Forever, func(limits wait) bridge.Outcome { return call(&options, limits) })
}

// WaitUntilReady is [WaitUntilOpen], and waits until each server answers a GET, too, if ready says so.
func WaitUntilReady(ctx context.Context, ready Readiness, ports ...int) error {
	given, err := asPorts(ports)
	if err != nil {
		return err
	}
	return ready.within(ctx, func(options *bridge.ReadyOptions, limits wait) bridge.Outcome {
		return bridge.WaitUntilReady(address(given), len(given), options, limits.milliseconds, limits.cancel)
	})
}

// WaitUntilFree blocks until no socket is bound to any of the ports, TCP or UDP, TIME_WAIT included, whether or not they are
// leased; or until the context is done, as [WaitUntilOpen].
func WaitUntilFree(ctx context.Context, ports ...int) error {
	given, err := asPorts(ports)
	if err != nil {
		return err
	}
	return within(ctx, Forever, func(limits wait) bridge.Outcome {
		return bridge.WaitUntilFree(address(given), len(given), limits.milliseconds, limits.cancel)
	})
}
