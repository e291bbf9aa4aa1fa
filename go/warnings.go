package portalloc

import (
	"fmt"
	"os"
	"sync/atomic"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// Nil if warnings are silenced.
var onWarning atomic.Pointer[func(code, message string)]

func init() {
	OnWarning(func(_, message string) { fmt.Fprintln(os.Stderr, "portalloc: warning: "+message) })
}

// OnWarning sets the handler of warnings: problems that made no call fail, such as a pool of which only a part can be used. It
// receives each warning once per process: the code is a stable word, the message says what happened and what to do. Without a
// handler, warnings are printed on [os.Stderr]; nil silences them.
//
// The goroutine whose call is about to return calls the handler, so several may call it at once. It may use this package, but
// must not hold a mutex of its own meanwhile: such a call may bring the next warning.
func OnWarning(handle func(code, message string)) {
	if handle == nil {
		onWarning.Store(nil)
		return
	}
	onWarning.Store(&handle)
}

// warn passes each warning to the handler.
func warn(all []bridge.Warning) {
	for _, one := range all {
		if handle := onWarning.Load(); handle != nil {
			(*handle)(one.Code, one.Message)
		}
	}
}
