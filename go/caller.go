package portalloc

import (
	"fmt"
	"runtime"
	"strings"
	"sync"
)

// places has what [placeOf] found as text for C, because to look a line up, and to hand it over, costs most of what Go adds to
// a lease. It stays pinned: a program has few such lines.
var (
	places  sync.Map
	nowhere byte
	pins    struct {
		sync.Mutex
		runtime.Pinner
	}
)

// caller is the file and line that called this module, this package or portalloctest, as text for C; empty if it is not known.
func caller() *byte {
	// Few frames at first, because unwinding costs time for each. This module's own are seldom more than three.
	for _, depth := range []int{4, 32} {
		var stack [32]uintptr
		for _, counter := range stack[:runtime.Callers(2, stack[:depth])] {
			place, isKnown := places.Load(counter)
			if !isKnown {
				place = pinned(placeOf(counter))
				places.Store(counter, place)
			}
			if text := place.(*byte); text != nil {
				return text
			}
		}
	}
	return &nowhere
}

// pinned is text for C that stays where it is for good; nil if it is empty.
func pinned(text string) *byte {
	given, err := cText("the place", text)
	if text == "" || err != nil {
		return nil
	}
	pins.Lock()
	defer pins.Unlock()
	pins.Pin(given)
	return given
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
