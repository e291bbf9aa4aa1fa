package bridge

// What bridge.go says of structs and constants is what the headers say: where it is not, this does not compile.

// #include "bridge.h"
import "C"

import "unsafe"

// An array of as many numbers as two of them differ by.
type same = [0]int

var (
	_ same = [Zero - C.PORTALLOC_ZERO]int{}
	_ same = [Forever - C.PORTALLOC_FOREVER]int{}
	_ same = [GuardNone - C.PORTALLOC_GUARD_NONE]int{}
	_ same = [GuardShared - C.PORTALLOC_GUARD_SHARED]int{}
	_ same = [GuardExclusive - C.PORTALLOC_GUARD_EXCLUSIVE]int{}
	_ same = [SocketUDP - C.PORTALLOC_SOCKET_TYPE_UDP]int{}
	_ same = [EnvFileWorktree - C.PORTALLOC_ENV_FILE_WORKTREE]int{}
	_ same = [SwitchOn - C.PORTALLOC_SWITCH_ON]int{}
	_ same = [SwitchOff - C.PORTALLOC_SWITCH_OFF]int{}
	_ same = [unsupported - C.PORTALLOC_RESULT_UNSUPPORTED]int{}
	_ same = [systemCall - C.PORTALLOC_RESULT_IO]int{}
)

func _() {
	var here LeaseOptions
	var there C.portalloc_lease_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size)]int{})
	_ = same([unsafe.Offsetof(here.Count) - unsafe.Offsetof(there.count)]int{})
	_ = same([unsafe.Offsetof(here.Exact) - unsafe.Offsetof(there.exact)]int{})
	_ = same([unsafe.Offsetof(here.ExactCount) - unsafe.Offsetof(there.exact_count)]int{})
	_ = same([unsafe.Offsetof(here.Offsets) - unsafe.Offsetof(there.offsets)]int{})
	_ = same([unsafe.Offsetof(here.OffsetsCount) - unsafe.Offsetof(there.offsets_count)]int{})
	_ = same([unsafe.Offsetof(here.Pool) - unsafe.Offsetof(there.pool)]int{})
	_ = same([unsafe.Offsetof(here.Exclude) - unsafe.Offsetof(there.exclude)]int{})
	_ = same([unsafe.Offsetof(here.StickyKey) - unsafe.Offsetof(there.sticky_key)]int{})
	_ = same([unsafe.Offsetof(here.Place) - unsafe.Offsetof(there.place)]int{})
	_ = same([unsafe.Offsetof(here.WaitMs) - unsafe.Offsetof(there.wait_ms)]int{})
	_ = same([unsafe.Offsetof(here.Cancel) - unsafe.Offsetof(there.cancel)]int{})
	_ = same([unsafe.Offsetof(here.Scattered) - unsafe.Offsetof(there.scattered)]int{})
	_ = same([unsafe.Offsetof(here.Guard) - unsafe.Offsetof(there.guard)]int{})
}

func _() {
	var here EnvironmentOptions
	var there C.portalloc_environment_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size)]int{})
	_ = same([unsafe.Offsetof(here.Count) - unsafe.Offsetof(there.count)]int{})
	_ = same([unsafe.Offsetof(here.Names) - unsafe.Offsetof(there.names)]int{})
	_ = same([unsafe.Offsetof(here.NamesCount) - unsafe.Offsetof(there.names_count)]int{})
	_ = same([unsafe.Offsetof(here.Exact) - unsafe.Offsetof(there.exact)]int{})
	_ = same([unsafe.Offsetof(here.ExactCount) - unsafe.Offsetof(there.exact_count)]int{})
	_ = same([unsafe.Offsetof(here.Offsets) - unsafe.Offsetof(there.offsets)]int{})
	_ = same([unsafe.Offsetof(here.OffsetsCount) - unsafe.Offsetof(there.offsets_count)]int{})
	_ = same([unsafe.Offsetof(here.Pool) - unsafe.Offsetof(there.pool)]int{})
	_ = same([unsafe.Offsetof(here.Exclude) - unsafe.Offsetof(there.exclude)]int{})
	_ = same([unsafe.Offsetof(here.InstanceID) - unsafe.Offsetof(there.instance_id)]int{})
	_ = same([unsafe.Offsetof(here.Worktree) - unsafe.Offsetof(there.worktree)]int{})
	_ = same([unsafe.Offsetof(here.EnvFile) - unsafe.Offsetof(there.env_file)]int{})
	_ = same([unsafe.Offsetof(here.Place) - unsafe.Offsetof(there.place)]int{})
	_ = same([unsafe.Offsetof(here.TTLMs) - unsafe.Offsetof(there.ttl_ms)]int{})
	_ = same([unsafe.Offsetof(here.OwnerPID) - unsafe.Offsetof(there.owner_pid)]int{})
	_ = same([unsafe.Offsetof(here.WaitMs) - unsafe.Offsetof(there.wait_ms)]int{})
	_ = same([unsafe.Offsetof(here.Cancel) - unsafe.Offsetof(there.cancel)]int{})
	_ = same([unsafe.Offsetof(here.EnvFilePlace) - unsafe.Offsetof(there.env_file_place)]int{})
	_ = same([unsafe.Offsetof(here.Guard) - unsafe.Offsetof(there.guard)]int{})
	_ = same([unsafe.Offsetof(here.Sticky) - unsafe.Offsetof(there.sticky)]int{})
	_ = same([unsafe.Offsetof(here.Scattered) - unsafe.Offsetof(there.scattered)]int{})
	_ = same([unsafe.Offsetof(here.Kept) - unsafe.Offsetof(there.kept)]int{})
}

func _() {
	var here PortOptions
	var there C.portalloc_port_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size)]int{})
	_ = same([unsafe.Offsetof(here.Pool) - unsafe.Offsetof(there.pool)]int{})
	_ = same([unsafe.Offsetof(here.Exclude) - unsafe.Offsetof(there.exclude)]int{})
}

func _() {
	var here SocketOptions
	var there C.portalloc_socket_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size)]int{})
	_ = same([unsafe.Offsetof(here.Host) - unsafe.Offsetof(there.host)]int{})
	_ = same([unsafe.Offsetof(here.Type) - unsafe.Offsetof(there._type)]int{})
	_ = same([unsafe.Offsetof(here.BoundOnly) - unsafe.Offsetof(there.bound_only)]int{})
}

func _() {
	var here Facts
	var there C.pgo_facts
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.ID) - unsafe.Offsetof(there.id)]int{})
	_ = same([unsafe.Offsetof(here.TempDir) - unsafe.Offsetof(there.temp_dir)]int{})
	_ = same([unsafe.Offsetof(here.EnvFile) - unsafe.Offsetof(there.env_file)]int{})
	_ = same([unsafe.Offsetof(here.Worktree) - unsafe.Offsetof(there.worktree)]int{})
	_ = same([unsafe.Offsetof(here.InstanceID) - unsafe.Offsetof(there.instance_id)]int{})
	_ = same([unsafe.Offsetof(here.PortCount) - unsafe.Offsetof(there.port_count)]int{})
	_ = same([unsafe.Offsetof(here.VariableCount) - unsafe.Offsetof(there.variable_count)]int{})
	_ = same([unsafe.Offsetof(here.IsKept) - unsafe.Offsetof(there.is_kept)]int{})
	_ = same([unsafe.Offsetof(here.IsAttached) - unsafe.Offsetof(there.is_attached)]int{})
}

func _() {
	var here raw
	var there C.pgo_outcome
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.message) - unsafe.Offsetof(there.message)]int{})
	_ = same([unsafe.Offsetof(here.remedy) - unsafe.Offsetof(there.remedy)]int{})
	_ = same([unsafe.Offsetof(here.warnings) - unsafe.Offsetof(there.warnings)]int{})
	_ = same([unsafe.Offsetof(here.result) - unsafe.Offsetof(there.result)]int{})
}

func _() {
	var here rawWarning
	var there C.pgo_warning
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.earlier) - unsafe.Offsetof(there.earlier)]int{})
	_ = same([unsafe.Offsetof(here.code) - unsafe.Offsetof(there.code)]int{})
	_ = same([unsafe.Offsetof(here.message) - unsafe.Offsetof(there.message)]int{})
}
