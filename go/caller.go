package portalloc

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// places has what [placeOf] found: to look a line up costs as much as half a lease.
var places sync.Map

// caller is the file and line that called this module: this package, or portalloctest.
func caller() string {
	// Few frames at first, because unwinding costs time for each. This module's own are seldom more than three.
	for _, depth := range []int{4, 32} {
		var stack [32]uintptr
		for _, counter := range stack[:runtime.Callers(2, stack[:depth])] {
			place, isKnown := places.Load(counter)
			if !isKnown {
				place = placeOf(counter)
				places.Store(counter, place)
			}
			if place != "" {
				return place.(string)
			}
		}
	}
	return ""
}

// placeOf is the file and line of a program counter; empty if it is in this module.
func placeOf(counter uintptr) string {
	const module = "github.com/portalloc/portalloc/go"
	// More than one frame where a call was inlined: the caller's comes last.
	frames := runtime.CallersFrames([]uintptr{counter})
	for {
		frame, more := frames.Next()
		own := strings.HasPrefix(frame.Function, module+".") || strings.HasPrefix(frame.Function, module+"/portalloctest.")
		if !own && frame.File != "" {
			return fmt.Sprintf("%s:%d", frame.File, frame.Line)
		}
		if !more {
			return ""
		}
	}
}
