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
// Errors of Go with the same meaning match, too: [syscall.EADDRINUSE] by ErrPortInUse, [fs.ErrExist] by
// ErrEnvFileExists, [fs.ErrPermission] by ErrPermissionDenied, [os.ErrDeadlineExceeded] by ErrWaitTimeout,
// [errors.ErrUnsupported] by ErrUnsupported.
type Code uint32

// The numbers are those of portalloc.h, and are never reused or changed.
const (
	// ErrInvalidArgument: an argument, a PORTALLOC_* variable or the project file is out of range or malformed.
	ErrInvalidArgument Code = C.PORTALLOC_RESULT_INVALID_ARGUMENT
	// ErrInvalidID: the text is not an isolation ID (12 lower-case hexadecimal digits).
	ErrInvalidID Code = C.PORTALLOC_RESULT_INVALID_ID
	// ErrPoolExhausted: the pool has no free ports of the kind asked for.
	ErrPoolExhausted Code = C.PORTALLOC_RESULT_POOL_EXHAUSTED
	// ErrPortInUse: an exact port is leased, or a socket is bound to it.
	ErrPortInUse Code = C.PORTALLOC_RESULT_PORT_IN_USE
	// ErrNotFound: there is no environment with that ID, or no such process.
	ErrNotFound Code = C.PORTALLOC_RESULT_NOT_FOUND
	// ErrEnvironmentInUse: a live process holds the environment, so it cannot be cleaned up from outside.
	ErrEnvironmentInUse Code = C.PORTALLOC_RESULT_IN_USE
	// ErrEnvFileExists: the env file exists already, and portalloc did not write it.
	ErrEnvFileExists Code = C.PORTALLOC_RESULT_ENV_FILE_EXISTS
	// ErrIDExhausted: 999 random isolation IDs in a row existed already.
	ErrIDExhausted Code = C.PORTALLOC_RESULT_ID_EXHAUSTED
	// ErrRegistryUnusable: the registry directory is missing, replaced, damaged, full, or not trustworthy.
	ErrRegistryUnusable Code = C.PORTALLOC_RESULT_REGISTRY_UNUSABLE
	// ErrPermissionDenied: the operating system denied permission.
	ErrPermissionDenied Code = C.PORTALLOC_RESULT_PERMISSION_DENIED
	// ErrWaitTimeout: the time to wait is over, or the context is done.
	ErrWaitTimeout Code = C.PORTALLOC_RESULT_TIMEOUT
	// ErrUnsupported: not available on this platform or kernel.
	ErrUnsupported Code = C.PORTALLOC_RESULT_UNSUPPORTED
	// ErrSystemCall: another system call failed.
	ErrSystemCall Code = C.PORTALLOC_RESULT_IO
	// ErrInternal: a defect in portalloc, caught before it could end the program.
	ErrInternal Code = C.PORTALLOC_RESULT_INTERNAL
)

// Codes are all codes of this version of the library, in the order of the documentation.
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

// Error is the stable text after "portalloc: ".
func (c Code) Error() string {
	return "portalloc: " + c.String()
}

// Is matches Go's own errors with the same meaning.
func (c Code) Is(target error) bool {
	switch c {
	case ErrPortInUse:
		return target == syscall.EADDRINUSE
	case ErrEnvFileExists:
		return target == fs.ErrExist
	case ErrPermissionDenied:
		return target == fs.ErrPermission
	case ErrWaitTimeout:
		return target == os.ErrDeadlineExceeded
	case ErrUnsupported:
		return target == errors.ErrUnsupported
	}
	return false
}

// Error is the error of every call of this package.
type Error struct {
	// Code is the kind.
	Code Code
	// Message says what happened, with the value in it.
	Message string
	// Remedy says what to do next.
	Remedy string

	// Why the context was done.
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

// Unwrap gives the code, and why the context was done.
func (e *Error) Unwrap() []error {
	if e.cause == nil {
		return []error{e.Code}
	}
	return []error{e.Code, e.cause}
}

// Timeout makes it a timeout for code that only knows [net.Error].
func (e *Error) Timeout() bool {
	return e.Code == ErrWaitTimeout
}
