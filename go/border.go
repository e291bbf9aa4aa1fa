package portalloc

// The only file that knows how texts and errors cross the border.
//
// No runtime.KeepAlive is needed: a handle is used only under the mutex of its owner. The unlock after each call refers to
// the owner, so the owner stays reachable until then, and its cleanup cannot free the handle.

import (
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"unsafe"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// check reports the warnings of an outcome, and makes an error of one that failed. Never call it under a lock: the handler of
// warnings may use what is locked.
func check(outcome bridge.Outcome) error {
	warn(outcome.Warnings)
	if outcome.Result == 0 {
		return nil
	}
	return &Error{Code: Code(outcome.Result), Message: outcome.Message, Remedy: outcome.Remedy}
}

// given copies a string of the library's, or NULL, and frees it.
func given(call func(out **byte) bridge.Outcome) (string, error) {
	var text *byte
	if err := check(call(&text)); err != nil {
		return "", err
	}
	defer bridge.StringFree(text)
	return bridge.Text(text), nil
}

// decoded reads a string of the library's as JSON.
func decoded[T any](call func(out **byte) bridge.Outcome) (value T, err error) {
	text, err := given(call)
	if err == nil {
		err = json.Unmarshal([]byte(text), &value)
	}
	return value, err
}

// cText is a text for C, in Go's memory. A zero byte would end it early in C.
func cText(what, text string) (*byte, error) {
	if at := strings.IndexByte(text, 0); at >= 0 {
		return nil, &Error{Code: ErrInvalidArgument, Message: fmt.Sprintf("%s has a zero byte at index %d", what, at),
			Remedy: "leave the zero byte out"}
	}
	bytes := make([]byte, len(text)+1)
	copy(bytes, text)
	return unsafe.SliceData(bytes), nil
}

// cTexts is an array of texts. All of it is pinned, because C may follow pointers in Go's memory to pinned ones only.
func cTexts(pinner *runtime.Pinner, what string, texts []string) (**byte, error) {
	array := make([]*byte, len(texts), len(texts)+1) // so that it has an address even without texts
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

// address is that of the first number; of an empty list, too: NULL means "not given".
func address[Number any](numbers []Number) *Number {
	if cap(numbers) == 0 {
		numbers = make([]Number, 0, 1)
	}
	return unsafe.SliceData(numbers)
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

// Version is the version of the library; empty if it cannot be loaded.
func Version() string {
	return bridge.Version()
}
