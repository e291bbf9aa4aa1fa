// Package bridge calls the library: with cgo, by functions that are linked into the program (cgo.go); without, by those of a
// shared library that it loads at the first call (nocgo.go). Everything else is the same for both, and no other package
// knows which of them it is.
//
// Functions with an [Outcome] can fail. Pointers to memory of Go must be pinned if they are in a struct or an array.
package bridge

import (
	"slices"
	"structs"
	"unsafe"

	_ "github.com/portalloc/portalloc/go/internal/library" // which does not compile where there is no library
)

// Handles of the library.
type (
	// Lease is a portalloc_lease.
	Lease struct{ opaque }
	// Environment is a portalloc_environment.
	Environment struct{ opaque }
	// Cancel is a portalloc_cancel.
	Cancel struct{ opaque }
	// Hold is a portalloc_hold.
	Hold struct{ opaque }
)

type opaque struct{ _ [0]byte }

// The structs of portalloc.h, member by member. With cgo, the compiler compares them with the header: see layout.go.
type (
	// LeaseOptions is portalloc_lease_options.
	LeaseOptions struct {
		_            structs.HostLayout
		Size         uintptr
		Count        int64
		Exact        *uint16
		ExactCount   uintptr
		Offsets      *int64
		OffsetsCount uintptr
		Pool         *byte
		Exclude      *byte
		StickyKey    *byte
		Place        *byte
		WaitMs       int64
		Cancel       *Cancel
		Scattered    bool
		Guard        bool
		Prefer       *uint16
		PreferCount  uintptr
	}

	// EnvironmentOptions is portalloc_environment_options.
	EnvironmentOptions struct {
		_            structs.HostLayout
		Size         uintptr
		Count        int64
		Names        **byte
		NamesCount   uintptr
		Exact        *uint16
		ExactCount   uintptr
		Offsets      *int64
		OffsetsCount uintptr
		Pool         *byte
		Exclude      *byte
		InstanceID   *byte
		Worktree     *byte
		EnvFile      *byte
		Place        *byte
		TTLMs        int64
		OwnerPID     int64
		WaitMs       int64
		Cancel       *Cancel
		EnvFilePlace uint32
		Guard        uint32
		Sticky       uint32
		Scattered    bool
		Kept         bool
		Prefer       *uint16
		PreferCount  uintptr
	}

	// StopOptions is portalloc_stop_options.
	StopOptions struct {
		_          structs.HostLayout
		Size       uintptr
		Ports      *uint16
		PortsCount uintptr
		TimeoutMs  int64
		Cancel     *Cancel
		DryRun     bool
	}

	// ReadyOptions is portalloc_ready_options.
	ReadyOptions struct {
		_      structs.HostLayout
		Size   uintptr
		HTTP   *byte
		Status int64
	}

	// PortOptions is portalloc_port_options.
	PortOptions struct {
		_       structs.HostLayout
		Size    uintptr
		Pool    *byte
		Exclude *byte
	}

	// SocketOptions is portalloc_socket_options.
	SocketOptions struct {
		_         structs.HostLayout
		Size      uintptr
		Host      *byte
		Type      uint32
		BoundOnly bool
	}

	// Facts is pgo_facts.
	Facts struct {
		_                                          structs.HostLayout
		ID, TempDir, EnvFile, Worktree, InstanceID *byte
		PortCount, VariableCount                   uintptr
		IsKept, IsAttached                         bool
	}
)

// The constants of portalloc.h.
const (
	Zero            = -1 << 63
	Forever         = 1<<63 - 1
	GuardNone       = 0
	GuardShared     = 1
	GuardExclusive  = 2
	SocketUDP       = 1
	EnvFileWorktree = 1
	SwitchOn        = 1
	SwitchOff       = 2
	unsupported     = 12
	systemCall      = 13
)

// Outcome is what became of a call.
type Outcome struct {
	// Result is 0 for success, else the number of an error, which has a message and a remedy.
	Result          uint32
	Message, Remedy string
	// Warnings are all since the last outcome, of any thread.
	Warnings []Warning
}

// Warning is a stable word, and a sentence.
type Warning struct{ Code, Message string }

// raw is pgo_outcome.
type raw struct {
	_               structs.HostLayout
	message, remedy *byte
	warnings        *rawWarning
	result          uint32
}

// rawWarning is pgo_warning.
type rawWarning struct {
	_             structs.HostLayout
	earlier       *rawWarning
	code, message *byte
}

// outcome copies the texts, and frees them.
func (r *raw) outcome() Outcome {
	if r.result == 0 && r.warnings == nil {
		return Outcome{}
	}
	defer free(r)
	outcome := Outcome{Result: r.result, Message: Text(r.message), Remedy: Text(r.remedy)}
	for warning := r.warnings; warning != nil; warning = warning.earlier {
		outcome.Warnings = append(outcome.Warnings, Warning{Text(warning.code), Text(warning.message)})
	}
	slices.Reverse(outcome.Warnings) // the latest was first
	return outcome
}

// Text copies a text of C; NULL is empty.
func Text(text *byte) string {
	if text == nil {
		return ""
	}
	length := 0
	for *(*byte)(unsafe.Add(unsafe.Pointer(text), length)) != 0 {
		length++
	}
	return string(unsafe.Slice(text, length))
}

// Version is that of the library; empty if it cannot be loaded.
func Version() string {
	var text *byte
	version(&text)
	return Text(text)
}
