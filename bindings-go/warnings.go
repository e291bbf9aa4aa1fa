package portalloc

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"unsafe"
)

// Nil once they are silenced.
var onWarning atomic.Pointer[func(code, message string)]

func init() {
	OnWarning(func(_, message string) { fmt.Fprintln(os.Stderr, "portalloc: warning: "+message) })
	C.pgo_collect_warnings()
}

// OnWarning has handle called with every warning, each once in a process: what the user should know though no call failed,
// such as a pool that was asked for and is used in part only. The code is a stable word, the message says what happened and
// what to do. Without it, warnings are printed on [os.Stderr]; nil silences them.
//
// The handler is called on the goroutine of the call that the warning came up in, before that returns; several may call it
// at once. It may call this package.
func OnWarning(handle func(code, message string)) {
	if handle == nil {
		onWarning.Store(nil)
		return
	}
	onWarning.Store(&handle)
}

// warn takes over a list, the last warning first, and tells of each.
func warn(last *C.pgo_warning) {
	type warning struct{ code, message string }
	var all []warning
	for last != nil {
		all = append(all, warning{taken(last.code), taken(last.message)})
		earlier := last.earlier
		C.free(unsafe.Pointer(last))
		last = earlier
	}
	slices.Reverse(all)
	for _, one := range all {
		if handle := onWarning.Load(); handle != nil {
			(*handle)(one.code, one.message)
		}
	}
}
