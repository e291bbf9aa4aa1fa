package portalloc

// #include "bridge.h"
import "C"

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

// Code says what kind of error it was: the same in every language. Compare by [errors.Is]:
//
//	if errors.Is(err, portalloc.ErrPoolExhausted) { ...
//
// Where Go has an error of the same meaning, that is matched, too: [syscall.EADDRINUSE] by ErrPortInUse, [fs.ErrExist] by
// ErrEnvFileExists, [fs.ErrPermission] by ErrPermissionDenied, [os.ErrDeadlineExceeded] by ErrTimeout,
// [errors.ErrUnsupported] by ErrUnsupported.
type Code uint32

// The numbers are those of portalloc.h, and are never reused or changed.
const (
	// ErrInvalidArgument: an argument, a PORTALLOC_* variable or the project file is out of range or malformed.
	ErrInvalidArgument Code = C.PORTALLOC_RESULT_INVALID_ARGUMENT
	// ErrInvalidID: the text is not an isolation ID (12 lower-case hexadecimal digits).
	ErrInvalidID Code = C.PORTALLOC_RESULT_INVALID_ID
	// ErrPoolExhausted: no free run of that size is left in the pool.
	ErrPoolExhausted Code = C.PORTALLOC_RESULT_POOL_EXHAUSTED
	// ErrPortInUse: a specific port that was asked for is leased, or something is bound to it.
	ErrPortInUse Code = C.PORTALLOC_RESULT_PORT_IN_USE
	// ErrNotFound: no environment with that ID, or no such process.
	ErrNotFound Code = C.PORTALLOC_RESULT_NOT_FOUND
	// ErrInUse: the environment is held by a live process, so it cannot be cleaned up from outside.
	ErrInUse Code = C.PORTALLOC_RESULT_IN_USE
	// ErrEnvFileExists: the env file asked for exists and is not portalloc's to overwrite.
	ErrEnvFileExists Code = C.PORTALLOC_RESULT_ENV_FILE_EXISTS
	// ErrIDExhausted: 999 isolation IDs in a row were taken.
	ErrIDExhausted Code = C.PORTALLOC_RESULT_ID_EXHAUSTED
	// ErrRegistryUnusable: the registry folder is missing, replaced, damaged, full, or not trustworthy.
	ErrRegistryUnusable Code = C.PORTALLOC_RESULT_REGISTRY_UNUSABLE
	// ErrPermissionDenied: the operating system refused for lack of rights.
	ErrPermissionDenied Code = C.PORTALLOC_RESULT_PERMISSION_DENIED
	// ErrTimeout: the deadline passed, or the context is done.
	ErrTimeout Code = C.PORTALLOC_RESULT_TIMEOUT
	// ErrUnsupported: not available on this platform or kernel.
	ErrUnsupported Code = C.PORTALLOC_RESULT_UNSUPPORTED
	// ErrIO: any other failure of the operating system.
	ErrIO Code = C.PORTALLOC_RESULT_IO
	// ErrInternal: a defect in portalloc itself, caught before it could end the program.
	ErrInternal Code = C.PORTALLOC_RESULT_INTERNAL
)

// Codes are all that this version of the library has, in the order of the documentation.
func Codes() []Code {
	var codes []Code
	for code := ErrInvalidArgument; C.portalloc_error_code(C.uint32_t(code)) != nil; code++ {
		codes = append(codes, code)
	}
	return codes
}

// String is the stable text, such as "pool_exhausted".
func (c Code) String() string {
	return C.GoString(C.portalloc_error_code(C.uint32_t(c)))
}

// Error is the stable text behind "portalloc: ".
func (c Code) Error() string {
	return "portalloc: " + c.String()
}

// Is matches Go's own errors of the same meaning.
func (c Code) Is(target error) bool {
	switch c {
	case ErrPortInUse:
		return target == syscall.EADDRINUSE
	case ErrEnvFileExists:
		return target == fs.ErrExist
	case ErrPermissionDenied:
		return target == fs.ErrPermission
	case ErrTimeout:
		return target == os.ErrDeadlineExceeded
	case ErrUnsupported:
		return target == errors.ErrUnsupported
	}
	return false
}

// Error is what every call of this package fails with.
type Error struct {
	// Code is the kind.
	Code Code
	// Message says what happened, with the value in it.
	Message string
	// Remedy says what to do next.
	Remedy string

	// Why the context of a wait was done.
	cause error
}

// Error is message and remedy, on one line.
func (e *Error) Error() string {
	text := "portalloc: " + e.Message
	if e.Remedy != "" {
		text += "; " + e.Remedy
	}
	if e.cause != nil {
		text += " (" + e.cause.Error() + ")"
	}
	return text
}

// Unwrap gives the code, and why the context of a wait was done.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.cause}
}

// Timeout makes it a timeout for code that knows [net.Error] only.
func (e *Error) Timeout() bool {
	return e.Code == ErrTimeout
}
