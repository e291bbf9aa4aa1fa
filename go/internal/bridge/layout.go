package bridge

// What bridge.go says of structs and constants is what the headers say: where it is not, this does not compile.

// #include "bridge.h"
import "C"

import "unsafe"

// An array of as many numbers as two of them differ by. A difference below 0 does not compile either.
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
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size) +
		(unsafe.Sizeof(here.Size) - unsafe.Sizeof(there.size))]int{})
	_ = same([unsafe.Offsetof(here.Count) - unsafe.Offsetof(there.count) +
		(unsafe.Sizeof(here.Count) - unsafe.Sizeof(there.count))]int{})
	_ = same([unsafe.Offsetof(here.Exact) - unsafe.Offsetof(there.exact) +
		(unsafe.Sizeof(here.Exact) - unsafe.Sizeof(there.exact))]int{})
	_ = same([unsafe.Offsetof(here.ExactCount) - unsafe.Offsetof(there.exact_count) +
		(unsafe.Sizeof(here.ExactCount) - unsafe.Sizeof(there.exact_count))]int{})
	_ = same([unsafe.Offsetof(here.Offsets) - unsafe.Offsetof(there.offsets) +
		(unsafe.Sizeof(here.Offsets) - unsafe.Sizeof(there.offsets))]int{})
	_ = same([unsafe.Offsetof(here.OffsetsCount) - unsafe.Offsetof(there.offsets_count) +
		(unsafe.Sizeof(here.OffsetsCount) - unsafe.Sizeof(there.offsets_count))]int{})
	_ = same([unsafe.Offsetof(here.Pool) - unsafe.Offsetof(there.pool) +
		(unsafe.Sizeof(here.Pool) - unsafe.Sizeof(there.pool))]int{})
	_ = same([unsafe.Offsetof(here.Exclude) - unsafe.Offsetof(there.exclude) +
		(unsafe.Sizeof(here.Exclude) - unsafe.Sizeof(there.exclude))]int{})
	_ = same([unsafe.Offsetof(here.StickyKey) - unsafe.Offsetof(there.sticky_key) +
		(unsafe.Sizeof(here.StickyKey) - unsafe.Sizeof(there.sticky_key))]int{})
	_ = same([unsafe.Offsetof(here.Place) - unsafe.Offsetof(there.place) +
		(unsafe.Sizeof(here.Place) - unsafe.Sizeof(there.place))]int{})
	_ = same([unsafe.Offsetof(here.WaitMs) - unsafe.Offsetof(there.wait_ms) +
		(unsafe.Sizeof(here.WaitMs) - unsafe.Sizeof(there.wait_ms))]int{})
	_ = same([unsafe.Offsetof(here.Cancel) - unsafe.Offsetof(there.cancel) +
		(unsafe.Sizeof(here.Cancel) - unsafe.Sizeof(there.cancel))]int{})
	_ = same([unsafe.Offsetof(here.Scattered) - unsafe.Offsetof(there.scattered) +
		(unsafe.Sizeof(here.Scattered) - unsafe.Sizeof(there.scattered))]int{})
	_ = same([unsafe.Offsetof(here.Guard) - unsafe.Offsetof(there.guard) +
		(unsafe.Sizeof(here.Guard) - unsafe.Sizeof(there.guard))]int{})
	_ = same([unsafe.Offsetof(here.Prefer) - unsafe.Offsetof(there.prefer) +
		(unsafe.Sizeof(here.Prefer) - unsafe.Sizeof(there.prefer))]int{})
	_ = same([unsafe.Offsetof(here.PreferCount) - unsafe.Offsetof(there.prefer_count) +
		(unsafe.Sizeof(here.PreferCount) - unsafe.Sizeof(there.prefer_count))]int{})
}

func _() {
	var here EnvironmentOptions
	var there C.portalloc_environment_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size) +
		(unsafe.Sizeof(here.Size) - unsafe.Sizeof(there.size))]int{})
	_ = same([unsafe.Offsetof(here.Count) - unsafe.Offsetof(there.count) +
		(unsafe.Sizeof(here.Count) - unsafe.Sizeof(there.count))]int{})
	_ = same([unsafe.Offsetof(here.Names) - unsafe.Offsetof(there.names) +
		(unsafe.Sizeof(here.Names) - unsafe.Sizeof(there.names))]int{})
	_ = same([unsafe.Offsetof(here.NamesCount) - unsafe.Offsetof(there.names_count) +
		(unsafe.Sizeof(here.NamesCount) - unsafe.Sizeof(there.names_count))]int{})
	_ = same([unsafe.Offsetof(here.Exact) - unsafe.Offsetof(there.exact) +
		(unsafe.Sizeof(here.Exact) - unsafe.Sizeof(there.exact))]int{})
	_ = same([unsafe.Offsetof(here.ExactCount) - unsafe.Offsetof(there.exact_count) +
		(unsafe.Sizeof(here.ExactCount) - unsafe.Sizeof(there.exact_count))]int{})
	_ = same([unsafe.Offsetof(here.Offsets) - unsafe.Offsetof(there.offsets) +
		(unsafe.Sizeof(here.Offsets) - unsafe.Sizeof(there.offsets))]int{})
	_ = same([unsafe.Offsetof(here.OffsetsCount) - unsafe.Offsetof(there.offsets_count) +
		(unsafe.Sizeof(here.OffsetsCount) - unsafe.Sizeof(there.offsets_count))]int{})
	_ = same([unsafe.Offsetof(here.Pool) - unsafe.Offsetof(there.pool) +
		(unsafe.Sizeof(here.Pool) - unsafe.Sizeof(there.pool))]int{})
	_ = same([unsafe.Offsetof(here.Exclude) - unsafe.Offsetof(there.exclude) +
		(unsafe.Sizeof(here.Exclude) - unsafe.Sizeof(there.exclude))]int{})
	_ = same([unsafe.Offsetof(here.InstanceID) - unsafe.Offsetof(there.instance_id) +
		(unsafe.Sizeof(here.InstanceID) - unsafe.Sizeof(there.instance_id))]int{})
	_ = same([unsafe.Offsetof(here.Worktree) - unsafe.Offsetof(there.worktree) +
		(unsafe.Sizeof(here.Worktree) - unsafe.Sizeof(there.worktree))]int{})
	_ = same([unsafe.Offsetof(here.EnvFile) - unsafe.Offsetof(there.env_file) +
		(unsafe.Sizeof(here.EnvFile) - unsafe.Sizeof(there.env_file))]int{})
	_ = same([unsafe.Offsetof(here.Place) - unsafe.Offsetof(there.place) +
		(unsafe.Sizeof(here.Place) - unsafe.Sizeof(there.place))]int{})
	_ = same([unsafe.Offsetof(here.TTLMs) - unsafe.Offsetof(there.ttl_ms) +
		(unsafe.Sizeof(here.TTLMs) - unsafe.Sizeof(there.ttl_ms))]int{})
	_ = same([unsafe.Offsetof(here.OwnerPID) - unsafe.Offsetof(there.owner_pid) +
		(unsafe.Sizeof(here.OwnerPID) - unsafe.Sizeof(there.owner_pid))]int{})
	_ = same([unsafe.Offsetof(here.WaitMs) - unsafe.Offsetof(there.wait_ms) +
		(unsafe.Sizeof(here.WaitMs) - unsafe.Sizeof(there.wait_ms))]int{})
	_ = same([unsafe.Offsetof(here.Cancel) - unsafe.Offsetof(there.cancel) +
		(unsafe.Sizeof(here.Cancel) - unsafe.Sizeof(there.cancel))]int{})
	_ = same([unsafe.Offsetof(here.EnvFilePlace) - unsafe.Offsetof(there.env_file_place) +
		(unsafe.Sizeof(here.EnvFilePlace) - unsafe.Sizeof(there.env_file_place))]int{})
	_ = same([unsafe.Offsetof(here.Guard) - unsafe.Offsetof(there.guard) +
		(unsafe.Sizeof(here.Guard) - unsafe.Sizeof(there.guard))]int{})
	_ = same([unsafe.Offsetof(here.Sticky) - unsafe.Offsetof(there.sticky) +
		(unsafe.Sizeof(here.Sticky) - unsafe.Sizeof(there.sticky))]int{})
	_ = same([unsafe.Offsetof(here.Scattered) - unsafe.Offsetof(there.scattered) +
		(unsafe.Sizeof(here.Scattered) - unsafe.Sizeof(there.scattered))]int{})
	_ = same([unsafe.Offsetof(here.Kept) - unsafe.Offsetof(there.kept) +
		(unsafe.Sizeof(here.Kept) - unsafe.Sizeof(there.kept))]int{})
	_ = same([unsafe.Offsetof(here.Prefer) - unsafe.Offsetof(there.prefer) +
		(unsafe.Sizeof(here.Prefer) - unsafe.Sizeof(there.prefer))]int{})
	_ = same([unsafe.Offsetof(here.PreferCount) - unsafe.Offsetof(there.prefer_count) +
		(unsafe.Sizeof(here.PreferCount) - unsafe.Sizeof(there.prefer_count))]int{})
}

func _() {
	var here PortOptions
	var there C.portalloc_port_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size) +
		(unsafe.Sizeof(here.Size) - unsafe.Sizeof(there.size))]int{})
	_ = same([unsafe.Offsetof(here.Pool) - unsafe.Offsetof(there.pool) +
		(unsafe.Sizeof(here.Pool) - unsafe.Sizeof(there.pool))]int{})
	_ = same([unsafe.Offsetof(here.Exclude) - unsafe.Offsetof(there.exclude) +
		(unsafe.Sizeof(here.Exclude) - unsafe.Sizeof(there.exclude))]int{})
}

func _() {
	var here SocketOptions
	var there C.portalloc_socket_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size) +
		(unsafe.Sizeof(here.Size) - unsafe.Sizeof(there.size))]int{})
	_ = same([unsafe.Offsetof(here.Host) - unsafe.Offsetof(there.host) +
		(unsafe.Sizeof(here.Host) - unsafe.Sizeof(there.host))]int{})
	_ = same([unsafe.Offsetof(here.Type) - unsafe.Offsetof(there._type) +
		(unsafe.Sizeof(here.Type) - unsafe.Sizeof(there._type))]int{})
	_ = same([unsafe.Offsetof(here.BoundOnly) - unsafe.Offsetof(there.bound_only) +
		(unsafe.Sizeof(here.BoundOnly) - unsafe.Sizeof(there.bound_only))]int{})
}

func _() {
	var here StopOptions
	var there C.portalloc_stop_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size) +
		(unsafe.Sizeof(here.Size) - unsafe.Sizeof(there.size))]int{})
	_ = same([unsafe.Offsetof(here.Ports) - unsafe.Offsetof(there.ports) +
		(unsafe.Sizeof(here.Ports) - unsafe.Sizeof(there.ports))]int{})
	_ = same([unsafe.Offsetof(here.PortsCount) - unsafe.Offsetof(there.ports_count) +
		(unsafe.Sizeof(here.PortsCount) - unsafe.Sizeof(there.ports_count))]int{})
	_ = same([unsafe.Offsetof(here.TimeoutMs) - unsafe.Offsetof(there.timeout_ms) +
		(unsafe.Sizeof(here.TimeoutMs) - unsafe.Sizeof(there.timeout_ms))]int{})
	_ = same([unsafe.Offsetof(here.Cancel) - unsafe.Offsetof(there.cancel) +
		(unsafe.Sizeof(here.Cancel) - unsafe.Sizeof(there.cancel))]int{})
	_ = same([unsafe.Offsetof(here.DryRun) - unsafe.Offsetof(there.dry_run) +
		(unsafe.Sizeof(here.DryRun) - unsafe.Sizeof(there.dry_run))]int{})
}

func _() {
	var here ReadyOptions
	var there C.portalloc_ready_options
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.Size) - unsafe.Offsetof(there.size) +
		(unsafe.Sizeof(here.Size) - unsafe.Sizeof(there.size))]int{})
	_ = same([unsafe.Offsetof(here.HTTP) - unsafe.Offsetof(there.http) +
		(unsafe.Sizeof(here.HTTP) - unsafe.Sizeof(there.http))]int{})
	_ = same([unsafe.Offsetof(here.Status) - unsafe.Offsetof(there.status) +
		(unsafe.Sizeof(here.Status) - unsafe.Sizeof(there.status))]int{})
}

func _() {
	var here Facts
	var there C.pgo_facts
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.ID) - unsafe.Offsetof(there.id) +
		(unsafe.Sizeof(here.ID) - unsafe.Sizeof(there.id))]int{})
	_ = same([unsafe.Offsetof(here.TempDir) - unsafe.Offsetof(there.temp_dir) +
		(unsafe.Sizeof(here.TempDir) - unsafe.Sizeof(there.temp_dir))]int{})
	_ = same([unsafe.Offsetof(here.EnvFile) - unsafe.Offsetof(there.env_file) +
		(unsafe.Sizeof(here.EnvFile) - unsafe.Sizeof(there.env_file))]int{})
	_ = same([unsafe.Offsetof(here.Worktree) - unsafe.Offsetof(there.worktree) +
		(unsafe.Sizeof(here.Worktree) - unsafe.Sizeof(there.worktree))]int{})
	_ = same([unsafe.Offsetof(here.InstanceID) - unsafe.Offsetof(there.instance_id) +
		(unsafe.Sizeof(here.InstanceID) - unsafe.Sizeof(there.instance_id))]int{})
	_ = same([unsafe.Offsetof(here.PortCount) - unsafe.Offsetof(there.port_count) +
		(unsafe.Sizeof(here.PortCount) - unsafe.Sizeof(there.port_count))]int{})
	_ = same([unsafe.Offsetof(here.VariableCount) - unsafe.Offsetof(there.variable_count) +
		(unsafe.Sizeof(here.VariableCount) - unsafe.Sizeof(there.variable_count))]int{})
	_ = same([unsafe.Offsetof(here.IsKept) - unsafe.Offsetof(there.is_kept) +
		(unsafe.Sizeof(here.IsKept) - unsafe.Sizeof(there.is_kept))]int{})
	_ = same([unsafe.Offsetof(here.IsAttached) - unsafe.Offsetof(there.is_attached) +
		(unsafe.Sizeof(here.IsAttached) - unsafe.Sizeof(there.is_attached))]int{})
}

func _() {
	var here raw
	var there C.pgo_outcome
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.message) - unsafe.Offsetof(there.message) +
		(unsafe.Sizeof(here.message) - unsafe.Sizeof(there.message))]int{})
	_ = same([unsafe.Offsetof(here.remedy) - unsafe.Offsetof(there.remedy) +
		(unsafe.Sizeof(here.remedy) - unsafe.Sizeof(there.remedy))]int{})
	_ = same([unsafe.Offsetof(here.warnings) - unsafe.Offsetof(there.warnings) +
		(unsafe.Sizeof(here.warnings) - unsafe.Sizeof(there.warnings))]int{})
	_ = same([unsafe.Offsetof(here.result) - unsafe.Offsetof(there.result) +
		(unsafe.Sizeof(here.result) - unsafe.Sizeof(there.result))]int{})
}

func _() {
	var here rawWarning
	var there C.pgo_warning
	_ = same([unsafe.Sizeof(here) - unsafe.Sizeof(there)]int{})
	_ = same([unsafe.Offsetof(here.earlier) - unsafe.Offsetof(there.earlier) +
		(unsafe.Sizeof(here.earlier) - unsafe.Sizeof(there.earlier))]int{})
	_ = same([unsafe.Offsetof(here.code) - unsafe.Offsetof(there.code) +
		(unsafe.Sizeof(here.code) - unsafe.Sizeof(there.code))]int{})
	_ = same([unsafe.Offsetof(here.message) - unsafe.Offsetof(there.message) +
		(unsafe.Sizeof(here.message) - unsafe.Sizeof(there.message))]int{})
}
