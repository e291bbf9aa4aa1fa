package portalloc

// #include "bridge.h"
import "C"

import (
	"context"
	"math"
	"time"
)

// wait is how long a call may wait, and what ends it early.
type wait struct {
	timeout C.uint64_t
	cancel  *C.portalloc_cancel
}

// patience says whether a call waits until a context is done. A struct, and no function, so that the compiler sees that
// what a call refers to stays on the stack.
type patience struct {
	waits bool
	ctx   context.Context
}

// atOnce is for calls that wait only if their options say so.
var atOnce = patience{}

func waiting(ctx context.Context) patience { return patience{waits: true, ctx: ctx} }

func (p patience) call(do func(wait) C.pgo_outcome) error {
	if p.waits {
		return within(p.ctx, do)
	}
	return check(do(wait{}))
}

// within makes one call that ends when the context does: its deadline is given to the call, and its end turns a switch
// that a waiting call looks at four times a second.
func within(ctx context.Context, do func(wait) C.pgo_outcome) error {
	if ctx.Err() != nil {
		return &Error{
			Code:    ErrTimeout,
			Message: "the context was done before the wait began",
			Remedy:  "give it more time",
			cause:   context.Cause(ctx),
		}
	}
	limits := wait{timeout: math.MaxUint64}
	deadline, limited := ctx.Deadline()
	if limited {
		limits.timeout = max(1, milliseconds(max(0, time.Until(deadline))))
	}
	if ctx.Done() != nil {
		if err := check(C.pgo_cancel_new(&limits.cancel)); err != nil {
			return err
		}
		turned := make(chan struct{})
		stop := context.AfterFunc(ctx, func() {
			C.portalloc_cancel_now(limits.cancel)
			close(turned)
		})
		defer func() {
			if !stop() {
				<-turned // it has begun, so it must end before the switch is freed
			}
			C.portalloc_cancel_free(limits.cancel)
		}()
	}
	err := check(do(limits))
	if failed, ok := err.(*Error); ok && failed.Code == ErrTimeout {
		switch {
		case ctx.Err() != nil:
			failed.cause = context.Cause(ctx)
		case limited && !time.Now().Before(deadline):
			failed.cause = context.DeadlineExceeded // before the context's own timer has gone off
		}
	}
	return err
}

// WaitFor blocks until a server accepts connections on each of the ports, on 127.0.0.1 or on ::1, or until the context is
// done: then it fails with [ErrTimeout] and the context's own error, and says of each port that is not there what was
// seen last.
func WaitFor(ctx context.Context, ports ...int) error {
	given, err := asPorts(ports)
	if err != nil {
		return err
	}
	return within(ctx, func(limits wait) C.pgo_outcome {
		return C.pgo_wait_for(cPorts(given), C.size_t(len(given)), limits.timeout, limits.cancel)
	})
}

// WaitFree blocks until nothing is bound to any of the ports, TCP or UDP, TIME_WAIT included, leased or not; or until the
// context is done, as [WaitFor].
func WaitFree(ctx context.Context, ports ...int) error {
	given, err := asPorts(ports)
	if err != nil {
		return err
	}
	return within(ctx, func(limits wait) C.pgo_outcome {
		return C.pgo_wait_free(cPorts(given), C.size_t(len(given)), limits.timeout, limits.cancel)
	})
}
