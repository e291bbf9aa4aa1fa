//go:build !cgo

package bridge

// The functions of bridge.h by name, through call if they have an outcome, else through plain. Both have the directive
// uintptrescapes: what an argument points to is on the heap, where nothing is moved, and lives until they return.

import "unsafe"

type p = unsafe.Pointer

// StringFree frees a string that a function wrote to an out parameter.
func StringFree(text *byte) {
	plain("pgo_string_free", uintptr(p(text)))
}

func free(of *raw) {
	plain("pgo_outcome_free", uintptr(p(of)))
}

func version(out **byte) {
	plain("pgo_version", uintptr(p(out)))
}

func LeaseNew(options *LeaseOptions, out **Lease, ports *uint16, capacity int) Outcome {
	return call("pgo_lease_new", uintptr(p(options)), uintptr(p(out)), uintptr(p(ports)), uintptr(capacity))
}

func LeaseFree(lease *Lease) Outcome {
	return call("pgo_lease_free", uintptr(p(lease)))
}

func LeaseIsHeld(lease *Lease, out *bool) Outcome {
	return call("pgo_lease_is_held", uintptr(p(lease)), uintptr(p(out)))
}

func LeaseGuard(lease *Lease) Outcome {
	return call("pgo_lease_guard", uintptr(p(lease)))
}

func LeaseShareGuard(lease *Lease) Outcome {
	return call("pgo_lease_share_guard", uintptr(p(lease)))
}

func LeaseDropGuard(lease *Lease) Outcome {
	return call("pgo_lease_drop_guard", uintptr(p(lease)))
}

func LeaseGuardState(lease *Lease, out *uint32) {
	plain("pgo_lease_guard_state", uintptr(p(lease)), uintptr(p(out)))
}

func LeaseSocket(lease *Lease, index int64, options *SocketOptions, out *int32) Outcome {
	return call("pgo_lease_socket", uintptr(p(lease)), uintptr(index), uintptr(p(options)), uintptr(p(out)))
}

func LeaseInheritable(lease *Lease, out *int32) Outcome {
	return call("pgo_lease_inheritable", uintptr(p(lease)), uintptr(p(out)))
}

func PortAt(place *byte, options *PortOptions, out *uint16) Outcome {
	return call("pgo_port_at", uintptr(p(place)), uintptr(p(options)), uintptr(p(out)))
}

func GiveBack(port int64, out *bool) Outcome {
	return call("pgo_give_back", uintptr(port), uintptr(p(out)))
}

func EnvironmentNew(options *EnvironmentOptions, out **Environment) Outcome {
	return call("pgo_environment_new", uintptr(p(options)), uintptr(p(out)))
}

func EnvironmentCurrent(options *EnvironmentOptions, out **Environment) Outcome {
	return call("pgo_environment_current", uintptr(p(options)), uintptr(p(out)))
}

func EnvironmentAttach(id *byte, out **Environment) Outcome {
	return call("pgo_environment_attach", uintptr(p(id)), uintptr(p(out)))
}

func EnvironmentFree(environment *Environment) Outcome {
	return call("pgo_environment_free", uintptr(p(environment)))
}

func EnvironmentCleanup(environment *Environment) Outcome {
	return call("pgo_environment_cleanup", uintptr(p(environment)))
}

func EnvironmentLease(environment *Environment, out **Lease) Outcome {
	return call("pgo_environment_lease", uintptr(p(environment)), uintptr(p(out)))
}

func EnvironmentPort(environment *Environment, name *byte, out *uint16) Outcome {
	return call("pgo_environment_port", uintptr(p(environment)), uintptr(p(name)), uintptr(p(out)))
}

func EnvironmentFacts(environment *Environment, out *Facts) {
	plain("pgo_environment_facts", uintptr(p(environment)), uintptr(p(out)))
}

func EnvironmentPorts(environment *Environment, out *uint16, capacity int) {
	plain("pgo_environment_ports", uintptr(p(environment)), uintptr(p(out)), uintptr(capacity))
}

func EnvironmentName(environment *Environment, index int, out **byte) {
	plain("pgo_environment_name", uintptr(p(environment)), uintptr(index), uintptr(p(out)))
}

func EnvironmentVariable(environment *Environment, index int, name, value **byte) {
	plain("pgo_environment_variable", uintptr(p(environment)), uintptr(index), uintptr(p(name)),
		uintptr(p(value)))
}

func WorktreeEnvironment(options *EnvironmentOptions, out **Environment) Outcome {
	return call("pgo_worktree_environment", uintptr(p(options)), uintptr(p(out)))
}

func WorktreeEnvironmentFind(options *EnvironmentOptions, out **Environment) Outcome {
	return call("pgo_worktree_environment_find", uintptr(p(options)), uintptr(p(out)))
}

func WorktreeEnvironmentRepair(options *EnvironmentOptions, out **Environment) Outcome {
	return call("pgo_worktree_environment_repair", uintptr(p(options)), uintptr(p(out)))
}

func EnvironmentStop(environment *Environment, options *StopOptions, out **byte) Outcome {
	return call("pgo_environment_stop", uintptr(p(environment)), uintptr(p(options)), uintptr(p(out)))
}

func EnvironmentDown(environment *Environment, options *StopOptions, out **byte) Outcome {
	return call("pgo_environment_down", uintptr(p(environment)), uintptr(p(options)), uintptr(p(out)))
}

func WaitUntilOurs(
	environment *Environment, ports *uint16, count int, options *ReadyOptions, waitMs int64, cancel *Cancel,
) Outcome {
	return call("pgo_wait_until_ours", uintptr(p(environment)), uintptr(p(ports)), uintptr(count), uintptr(p(options)),
		uintptr(waitMs), uintptr(p(cancel)))
}

func EnvironmentWriteBlock(environment *Environment, path *byte) Outcome {
	return call("pgo_environment_write_block", uintptr(p(environment)), uintptr(p(path)))
}

func EnvironmentHold(environment *Environment, out **Hold) Outcome {
	return call("pgo_environment_hold", uintptr(p(environment)), uintptr(p(out)))
}

func HoldInheritable(hold *Hold, out *int32) Outcome {
	return call("pgo_hold_inheritable", uintptr(p(hold)), uintptr(p(out)))
}

func HoldFree(hold *Hold) Outcome {
	return call("pgo_hold_free", uintptr(p(hold)))
}

func CancelNew(out **Cancel) Outcome {
	return call("pgo_cancel_new", uintptr(p(out)))
}

func CancelNow(cancel *Cancel) {
	plain("pgo_cancel_now", uintptr(p(cancel)))
}

func CancelFree(cancel *Cancel) {
	plain("pgo_cancel_free", uintptr(p(cancel)))
}

func WaitUntilOpen(ports *uint16, count int, waitMs int64, cancel *Cancel) Outcome {
	return call("pgo_wait_until_open", uintptr(p(ports)), uintptr(count), uintptr(waitMs), uintptr(p(cancel)))
}

func WaitUntilReady(ports *uint16, count int, options *ReadyOptions, waitMs int64, cancel *Cancel) Outcome {
	return call("pgo_wait_until_ready", uintptr(p(ports)), uintptr(count), uintptr(p(options)), uintptr(waitMs),
		uintptr(p(cancel)))
}

func WaitUntilFree(ports *uint16, count int, waitMs int64, cancel *Cancel) Outcome {
	return call("pgo_wait_until_free", uintptr(p(ports)), uintptr(count), uintptr(waitMs), uintptr(p(cancel)))
}

func IsFree(port int64, out *bool) Outcome {
	return call("pgo_is_free", uintptr(port), uintptr(p(out)))
}

func Who(port int64, out **byte) Outcome {
	return call("pgo_who", uintptr(port), uintptr(p(out)))
}

func List(out **byte) Outcome {
	return call("pgo_list", uintptr(p(out)))
}

func Validate(id *byte, out **byte) Outcome {
	return call("pgo_validate", uintptr(p(id)), uintptr(p(out)))
}

func Settings(pool, exclude *byte, out **byte) Outcome {
	return call("pgo_settings", uintptr(p(pool)), uintptr(p(exclude)), uintptr(p(out)))
}

func Doctor(count int64, pool, exclude *byte, out **byte) Outcome {
	return call("pgo_doctor", uintptr(count), uintptr(p(pool)), uintptr(p(exclude)), uintptr(p(out)))
}

func Leaks(ports *uint16, count int, out **byte) Outcome {
	return call("pgo_leaks", uintptr(p(ports)), uintptr(count), uintptr(p(out)))
}

func ExplainConflict(text *byte, out **byte) Outcome {
	return call("pgo_explain_conflict", uintptr(p(text)), uintptr(p(out)))
}

func Render(names, values **byte, count int, syntax *byte, out **byte) Outcome {
	return call("pgo_render", uintptr(p(names)), uintptr(p(values)), uintptr(count), uintptr(p(syntax)),
		uintptr(p(out)))
}

func Cleanup(id *byte, removed *bool) Outcome {
	return call("pgo_cleanup", uintptr(p(id)), uintptr(p(removed)))
}

func CleanupStale(removed *uintptr) Outcome {
	return call("pgo_cleanup_stale", uintptr(p(removed)))
}

func CheckID(id *byte) Outcome {
	return call("pgo_check_id", uintptr(p(id)))
}
