package portalloc

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
	ErrInvalidArgument Code = 1
	// ErrInvalidID: the text is not an isolation ID (12 lower-case hexadecimal digits).
	ErrInvalidID Code = 2
	// ErrPoolExhausted: the pool has no free ports of the kind asked for.
	ErrPoolExhausted Code = 3
	// ErrPortInUse: an exact port is leased, or a socket is bound to it.
	ErrPortInUse Code = 4
	// ErrNotFound: there is no environment with that ID, or no such process.
	ErrNotFound Code = 5
	// ErrEnvironmentInUse: a live process holds the environment, so it cannot be cleaned up from outside.
	ErrEnvironmentInUse Code = 6
	// ErrEnvFileExists: the env file exists already, and portalloc did not write it.
	ErrEnvFileExists Code = 7
	// ErrIDExhausted: 999 random isolation IDs in a row existed already.
	ErrIDExhausted Code = 8
	// ErrRegistryUnusable: the registry directory is missing, replaced, damaged, full, or not trustworthy.
	ErrRegistryUnusable Code = 9
	// ErrPermissionDenied: the operating system denied permission.
	ErrPermissionDenied Code = 10
	// ErrWaitTimeout: the time to wait is over, or the context is done.
	ErrWaitTimeout Code = 11
	// ErrUnsupported: not available on this platform or kernel.
	ErrUnsupported Code = 12
	// ErrSystemCall: another system call failed.
	ErrSystemCall Code = 13
	// ErrInternal: a defect in portalloc, caught before it could end the program.
	ErrInternal Code = 14
)

// The texts of the codes. They are not read from the library, which may be what cannot be loaded.
var texts = [...]string{
	0:                   "ok",
	ErrInvalidArgument:  "invalid_argument",
	ErrInvalidID:        "invalid_id",
	ErrPoolExhausted:    "pool_exhausted",
	ErrPortInUse:        "port_in_use",
	ErrNotFound:         "not_found",
	ErrEnvironmentInUse: "in_use",
	ErrEnvFileExists:    "env_file_exists",
	ErrIDExhausted:      "id_exhausted",
	ErrRegistryUnusable: "registry_unusable",
	ErrPermissionDenied: "permission_denied",
	ErrWaitTimeout:      "timeout",
	ErrUnsupported:      "unsupported",
	ErrSystemCall:       "io",
	ErrInternal:         "internal",
}

// Codes are all codes, in the order of the documentation.
func Codes() []Code {
	var codes []Code
	for code := ErrInvalidArgument; int(code) < len(texts); code++ {
		codes = append(codes, code)
	}
	return codes
}

// String is the stable text, such as "pool_exhausted"; empty if there is no such code.
func (c Code) String() string {
	if int(c) >= len(texts) {
		return ""
	}
	return texts[c]
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
