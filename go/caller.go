package portalloc

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// places has what [placeOf] found, because to look a line up costs most of what Go adds to a lease.
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

// placeOf is the file and line of a program counter; empty if it is in this module. One counter is one frame, since
// [runtime.Callers] also has one for each call that was inlined.
func placeOf(counter uintptr) string {
	const module = "github.com/portalloc/portalloc/go"
	frame, _ := runtime.CallersFrames([]uintptr{counter}).Next()
	own := strings.HasPrefix(frame.Function, module+".") || strings.HasPrefix(frame.Function, module+"/portalloctest.")
	if own || frame.File == "" {
		return ""
	}
	return fmt.Sprintf("%s:%d", frame.File, frame.Line)
}
