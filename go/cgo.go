package portalloc

// The only file that knows how texts and errors cross the border.
//
// No runtime.KeepAlive is needed: a handle is used only under the mutex of its owner. The unlock after each call refers to
// the owner, so the owner stays reachable until then, and its cleanup cannot free the handle.

// #cgo pkg-config: portalloc-static
// #include <stdlib.h>
// #include "bridge.h"
//
// // These neither keep Go's pointers nor call Go back, so their arguments may stay on the goroutine's stack.
// #cgo noescape pgo_lease_new
// #cgo nocallback pgo_lease_new
// #cgo nocallback pgo_lease_free
import "C"

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"unsafe"
)

// check takes over the texts of an outcome and reports its warnings. Never call it under a lock: the handler of warnings may
// use what is locked.
func check(outcome C.pgo_outcome) error {
	if outcome.warnings != nil {
		warn(outcome.warnings)
	}
	if outcome.result == C.PORTALLOC_RESULT_OK {
		return nil
	}
	failed := &Error{Code: Code(outcome.result)}
	failed.Message, failed.Remedy = taken(outcome.message), taken(outcome.remedy)
	return failed
}

// taken copies a text from malloc, or NULL, and frees it.
func taken(text *C.char) string {
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text)
}

// given copies a string of the library's, or NULL, and frees it.
func given(call func(out **C.char) C.pgo_outcome) (string, error) {
	var text *C.char
	if err := check(call(&text)); err != nil {
		return "", err
	}
	defer C.portalloc_string_free(text)
	return C.GoString(text), nil
}

// decoded reads a string of the library's as JSON.
func decoded[T any](call func(out **C.char) C.pgo_outcome) (value T, err error) {
	text, err := given(call)
	if err == nil {
		err = json.Unmarshal([]byte(text), &value)
	}
	return value, err
}

// cText is a text for C, in Go's memory. A zero byte would end it early in C.
func cText(what, text string) (*C.char, error) {
	if at := strings.IndexByte(text, 0); at >= 0 {
		return nil, &Error{Code: ErrInvalidArgument, Message: fmt.Sprintf("%s has a zero byte at index %d", what, at),
			Remedy: "leave the zero byte out"}
	}
	bytes := make([]byte, len(text)+1)
	copy(bytes, text)
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(bytes))), nil
}

// cTexts is an array of texts. All of it is pinned, because C may follow pointers in Go's memory to pinned ones only.
func cTexts(pinner *runtime.Pinner, what string, texts []string) (**C.char, error) {
	array := make([]*C.char, len(texts), len(texts)+1) // so that it has an address even without texts
	for index, text := range texts {
		one, err := cText(what, text)
		if err != nil {
			return nil, err
		}
		pinner.Pin(one)
		array[index] = one
	}
	pinner.Pin(unsafe.SliceData(array))
	return unsafe.SliceData(array), nil
}

// cNumbers is an array that has an address even if it is empty: NULL means "not given".
func cNumbers[C, Go any](numbers []Go) *C {
	if cap(numbers) == 0 {
		numbers = make([]Go, 0, 1)
	}
	return (*C)(unsafe.Pointer(unsafe.SliceData(numbers)))
}

func asInts(ports []uint16) []int {
	ints := make([]int, len(ports))
	for index, port := range ports {
		ints[index] = int(port)
	}
	return ints
}

// asPorts lets the core refuse what does not fit C's type for ports.
func asPorts(ints []int) ([]uint16, error) {
	ports := make([]uint16, len(ints))
	for index, port := range ints {
		if ports[index] = uint16(port); int(ports[index]) != port {
			_, err := IsFree(port)
			return nil, err
		}
	}
	return ports, nil
}

// Version is the version of the library.
func Version() string {
	return C.GoString(C.portalloc_version())
}
