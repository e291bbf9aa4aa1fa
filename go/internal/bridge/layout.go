package bridge

// What bridge.go says of structs and constants is what the headers say: where it is not, this does not compile.

// #include "bridge.h"
import "C"

import "unsafe"

// An array of as many numbers as two of them differ by.
type same = [0]int

var (
	_ same = [unsafe.Sizeof(LeaseOptions{}) - C.sizeof_portalloc_lease_options]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Size) - unsafe.Offsetof(C.portalloc_lease_options{}.size)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Count) - unsafe.Offsetof(C.portalloc_lease_options{}.count)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Exact) - unsafe.Offsetof(C.portalloc_lease_options{}.exact)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.ExactCount) - unsafe.Offsetof(C.portalloc_lease_options{}.exact_count)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Offsets) - unsafe.Offsetof(C.portalloc_lease_options{}.offsets)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.OffsetsCount) - unsafe.Offsetof(C.portalloc_lease_options{}.offsets_count)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Pool) - unsafe.Offsetof(C.portalloc_lease_options{}.pool)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Exclude) - unsafe.Offsetof(C.portalloc_lease_options{}.exclude)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.StickyKey) - unsafe.Offsetof(C.portalloc_lease_options{}.sticky_key)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Place) - unsafe.Offsetof(C.portalloc_lease_options{}.place)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.WaitMs) - unsafe.Offsetof(C.portalloc_lease_options{}.wait_ms)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Cancel) - unsafe.Offsetof(C.portalloc_lease_options{}.cancel)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Scattered) - unsafe.Offsetof(C.portalloc_lease_options{}.scattered)]int{}
	_ same = [unsafe.Offsetof(LeaseOptions{}.Guard) - unsafe.Offsetof(C.portalloc_lease_options{}.guard)]int{}
	_ same = [unsafe.Sizeof(EnvironmentOptions{}) - C.sizeof_portalloc_environment_options]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Size) - unsafe.Offsetof(C.portalloc_environment_options{}.size)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Count) - unsafe.Offsetof(C.portalloc_environment_options{}.count)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Names) - unsafe.Offsetof(C.portalloc_environment_options{}.names)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.NamesCount) - unsafe.Offsetof(C.portalloc_environment_options{}.names_count)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Exact) - unsafe.Offsetof(C.portalloc_environment_options{}.exact)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.ExactCount) - unsafe.Offsetof(C.portalloc_environment_options{}.exact_count)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Offsets) - unsafe.Offsetof(C.portalloc_environment_options{}.offsets)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.OffsetsCount) - unsafe.Offsetof(C.portalloc_environment_options{}.offsets_count)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Pool) - unsafe.Offsetof(C.portalloc_environment_options{}.pool)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Exclude) - unsafe.Offsetof(C.portalloc_environment_options{}.exclude)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.InstanceID) - unsafe.Offsetof(C.portalloc_environment_options{}.instance_id)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Worktree) - unsafe.Offsetof(C.portalloc_environment_options{}.worktree)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.EnvFile) - unsafe.Offsetof(C.portalloc_environment_options{}.env_file)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Place) - unsafe.Offsetof(C.portalloc_environment_options{}.place)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.TTLMs) - unsafe.Offsetof(C.portalloc_environment_options{}.ttl_ms)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.OwnerPID) - unsafe.Offsetof(C.portalloc_environment_options{}.owner_pid)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.WaitMs) - unsafe.Offsetof(C.portalloc_environment_options{}.wait_ms)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Cancel) - unsafe.Offsetof(C.portalloc_environment_options{}.cancel)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.EnvFilePlace) - unsafe.Offsetof(C.portalloc_environment_options{}.env_file_place)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Guard) - unsafe.Offsetof(C.portalloc_environment_options{}.guard)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Sticky) - unsafe.Offsetof(C.portalloc_environment_options{}.sticky)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Scattered) - unsafe.Offsetof(C.portalloc_environment_options{}.scattered)]int{}
	_ same = [unsafe.Offsetof(EnvironmentOptions{}.Kept) - unsafe.Offsetof(C.portalloc_environment_options{}.kept)]int{}
	_ same = [unsafe.Sizeof(PortOptions{}) - C.sizeof_portalloc_port_options]int{}
	_ same = [unsafe.Offsetof(PortOptions{}.Size) - unsafe.Offsetof(C.portalloc_port_options{}.size)]int{}
	_ same = [unsafe.Offsetof(PortOptions{}.Pool) - unsafe.Offsetof(C.portalloc_port_options{}.pool)]int{}
	_ same = [unsafe.Offsetof(PortOptions{}.Exclude) - unsafe.Offsetof(C.portalloc_port_options{}.exclude)]int{}
	_ same = [unsafe.Sizeof(SocketOptions{}) - C.sizeof_portalloc_socket_options]int{}
	_ same = [unsafe.Offsetof(SocketOptions{}.Size) - unsafe.Offsetof(C.portalloc_socket_options{}.size)]int{}
	_ same = [unsafe.Offsetof(SocketOptions{}.Host) - unsafe.Offsetof(C.portalloc_socket_options{}.host)]int{}
	_ same = [unsafe.Offsetof(SocketOptions{}.Type) - unsafe.Offsetof(C.portalloc_socket_options{}._type)]int{}
	_ same = [unsafe.Offsetof(SocketOptions{}.BoundOnly) - unsafe.Offsetof(C.portalloc_socket_options{}.bound_only)]int{}
	_ same = [unsafe.Sizeof(Facts{}) - C.sizeof_pgo_facts]int{}
	_ same = [unsafe.Offsetof(Facts{}.ID) - unsafe.Offsetof(C.pgo_facts{}.id)]int{}
	_ same = [unsafe.Offsetof(Facts{}.TempDir) - unsafe.Offsetof(C.pgo_facts{}.temp_dir)]int{}
	_ same = [unsafe.Offsetof(Facts{}.EnvFile) - unsafe.Offsetof(C.pgo_facts{}.env_file)]int{}
	_ same = [unsafe.Offsetof(Facts{}.Worktree) - unsafe.Offsetof(C.pgo_facts{}.worktree)]int{}
	_ same = [unsafe.Offsetof(Facts{}.InstanceID) - unsafe.Offsetof(C.pgo_facts{}.instance_id)]int{}
	_ same = [unsafe.Offsetof(Facts{}.PortCount) - unsafe.Offsetof(C.pgo_facts{}.port_count)]int{}
	_ same = [unsafe.Offsetof(Facts{}.VariableCount) - unsafe.Offsetof(C.pgo_facts{}.variable_count)]int{}
	_ same = [unsafe.Offsetof(Facts{}.IsKept) - unsafe.Offsetof(C.pgo_facts{}.is_kept)]int{}
	_ same = [unsafe.Offsetof(Facts{}.IsAttached) - unsafe.Offsetof(C.pgo_facts{}.is_attached)]int{}
	_ same = [unsafe.Sizeof(raw{}) - C.sizeof_pgo_outcome]int{}
	_ same = [unsafe.Offsetof(raw{}.message) - unsafe.Offsetof(C.pgo_outcome{}.message)]int{}
	_ same = [unsafe.Offsetof(raw{}.remedy) - unsafe.Offsetof(C.pgo_outcome{}.remedy)]int{}
	_ same = [unsafe.Offsetof(raw{}.warnings) - unsafe.Offsetof(C.pgo_outcome{}.warnings)]int{}
	_ same = [unsafe.Offsetof(raw{}.result) - unsafe.Offsetof(C.pgo_outcome{}.result)]int{}
	_ same = [unsafe.Sizeof(rawWarning{}) - C.sizeof_pgo_warning]int{}
	_ same = [unsafe.Offsetof(rawWarning{}.earlier) - unsafe.Offsetof(C.pgo_warning{}.earlier)]int{}
	_ same = [unsafe.Offsetof(rawWarning{}.code) - unsafe.Offsetof(C.pgo_warning{}.code)]int{}
	_ same = [unsafe.Offsetof(rawWarning{}.message) - unsafe.Offsetof(C.pgo_warning{}.message)]int{}
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
