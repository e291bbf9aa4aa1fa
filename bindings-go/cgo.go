package portalloc

// The only file that knows how texts and errors cross the border.
//
// Why there is no runtime.KeepAlive: a handle is used under the mutex of its owner only. The unlock that follows each
// call refers to the owner, so it is reachable until the call is over, and its cleanup cannot free the handle in between.

// #cgo pkg-config: portalloc-static
// #include <stdlib.h>
// #include "bridge.h"
//
// // They neither keep Go's pointers nor call Go back, so what they are given may stay on the goroutine's stack.
// #cgo noescape pgo_lease_new
// #cgo nocallback pgo_lease_new
// #cgo nocallback pgo_lease_free
import "C"

import (
	"fmt"
	"runtime"
	"strings"
	"unsafe"
)

// check takes over the texts of an outcome, and tells of its warnings. Never under a lock, because whoever is told may use
// what is locked.
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

// taken makes a text of C's, which is NULL or from malloc, Go's.
func taken(text *C.char) string {
	defer C.free(unsafe.Pointer(text))
	return C.GoString(text)
}

// cText is a text for C, in Go's memory. C would take it for a shorter one if it had a zero byte.
func cText(what, text string) (*C.char, error) {
	if at := strings.IndexByte(text, 0); at >= 0 {
		return nil, invalid(fmt.Sprintf("%s has a zero byte at index %d", what, at), "leave the zero byte out")
	}
	bytes := make([]byte, len(text)+1)
	copy(bytes, text)
	return (*C.char)(unsafe.Pointer(unsafe.SliceData(bytes))), nil
}

// cTexts is an array of texts. All of it is pinned, because C may follow pointers in Go's memory to pinned ones only.
func cTexts(pinner *runtime.Pinner, what string, texts []string) (**C.char, error) {
	array := make([]*C.char, len(texts), len(texts)+1) // so that there is an address even of no texts
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

// cPorts is an array of ports that has an address even if it is empty: for C, NULL is not given.
func cPorts(ports []uint16) *C.uint16_t {
	if cap(ports) == 0 {
		ports = make([]uint16, 0, 1)
	}
	return (*C.uint16_t)(unsafe.Pointer(unsafe.SliceData(ports)))
}

func goPorts(ports *C.uint16_t, count C.size_t) []int {
	return asInts(unsafe.Slice((*uint16)(unsafe.Pointer(ports)), count))
}

func asInts(ports []uint16) []int {
	ints := make([]int, len(ports))
	for index, port := range ports {
		ints[index] = int(port)
	}
	return ints
}

// asPorts refuses what C's type for ports cannot say. What it can say is judged by the core.
func asPorts(ints []int) ([]uint16, error) {
	ports := make([]uint16, len(ints))
	for index, port := range ints {
		one, err := asPort(port)
		if err != nil {
			return nil, err
		}
		ports[index] = uint16(one)
	}
	return ports, nil
}

func asPort(port int) (C.uint16_t, error) {
	if port < 0 || port > 65535 {
		return 0, invalid(fmt.Sprintf("port %d does not exist", port), "name ports from 1 to 65535")
	}
	return C.uint16_t(port), nil
}

func invalid(message, remedy string) *Error {
	return &Error{Code: ErrInvalidArgument, Message: message, Remedy: remedy}
}

// Version is that of the library.
func Version() string {
	return C.GoString(C.portalloc_version())
}
