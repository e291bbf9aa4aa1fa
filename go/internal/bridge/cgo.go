package bridge

// #cgo CFLAGS: -I${SRCDIR}/../library
// #cgo linux,amd64 LDFLAGS: ${SRCDIR}/../library/libportalloc_linux_amd64.a
// #cgo linux,arm64 LDFLAGS: ${SRCDIR}/../library/libportalloc_linux_arm64.a
// #cgo LDFLAGS: -lgcc_eh -lutil -lrt -lpthread -lm -ldl
// #include "bridge.h"
//
// // These neither keep Go's pointers nor call Go back, so their arguments may stay on the goroutine's stack.
// #cgo noescape pgo_outcome_free
// #cgo nocallback pgo_outcome_free
// #cgo noescape pgo_lease_new
// #cgo nocallback pgo_lease_new
// #cgo noescape pgo_lease_free
// #cgo nocallback pgo_lease_free
import "C"

import "unsafe"

func init() {
	C.pgo_collect_warnings()
}

func outcomeOf(of *raw) *C.pgo_outcome {
	return (*C.pgo_outcome)(unsafe.Pointer(of))
}

func leaseOf(lease *Lease) *C.portalloc_lease {
	return (*C.portalloc_lease)(unsafe.Pointer(lease))
}

func environmentOf(environment *Environment) *C.portalloc_environment {
	return (*C.portalloc_environment)(unsafe.Pointer(environment))
}

func cancelOf(cancel *Cancel) *C.portalloc_cancel {
	return (*C.portalloc_cancel)(unsafe.Pointer(cancel))
}

func holdOf(hold *Hold) *C.portalloc_hold {
	return (*C.portalloc_hold)(unsafe.Pointer(hold))
}

func textOf(text *byte) *C.char {
	return (*C.char)(unsafe.Pointer(text))
}

func textsOf(texts **byte) **C.char {
	return (**C.char)(unsafe.Pointer(texts))
}

// StringFree frees a string that a function wrote to an out parameter.
func StringFree(text *byte) {
	C.pgo_string_free(textOf(text))
}

func free(of *raw) {
	C.pgo_outcome_free(outcomeOf(of))
}

func version(out **byte) {
	C.pgo_version(textsOf(out))
}

func LeaseNew(options *LeaseOptions, out **Lease, ports *uint16, capacity int) Outcome {
	var of raw
	C.pgo_lease_new(outcomeOf(&of), (*C.portalloc_lease_options)(unsafe.Pointer(options)),
		(**C.portalloc_lease)(unsafe.Pointer(out)), (*C.uint16_t)(ports), C.size_t(capacity))
	return of.outcome()
}

func LeaseFree(lease *Lease) Outcome {
	var of raw
	C.pgo_lease_free(outcomeOf(&of), leaseOf(lease))
	return of.outcome()
}

func LeaseIsHeld(lease *Lease, out *bool) Outcome {
	var of raw
	C.pgo_lease_is_held(outcomeOf(&of), leaseOf(lease), (*C.bool)(out))
	return of.outcome()
}

func LeaseGuard(lease *Lease) Outcome {
	var of raw
	C.pgo_lease_guard(outcomeOf(&of), leaseOf(lease))
	return of.outcome()
}

func LeaseShareGuard(lease *Lease) Outcome {
	var of raw
	C.pgo_lease_share_guard(outcomeOf(&of), leaseOf(lease))
	return of.outcome()
}

func LeaseDropGuard(lease *Lease) Outcome {
	var of raw
	C.pgo_lease_drop_guard(outcomeOf(&of), leaseOf(lease))
	return of.outcome()
}

func LeaseGuardState(lease *Lease, out *uint32) {
	C.pgo_lease_guard_state(leaseOf(lease), (*C.uint32_t)(out))
}

func LeaseSocket(lease *Lease, index int64, options *SocketOptions, out *int32) Outcome {
	var of raw
	C.pgo_lease_socket(outcomeOf(&of), leaseOf(lease), C.int64_t(index),
		(*C.portalloc_socket_options)(unsafe.Pointer(options)), (*C.int32_t)(out))
	return of.outcome()
}

func LeaseInheritable(lease *Lease, out *int32) Outcome {
	var of raw
	C.pgo_lease_inheritable(outcomeOf(&of), leaseOf(lease), (*C.int32_t)(out))
	return of.outcome()
}

func PortAt(place *byte, options *PortOptions, out *uint16) Outcome {
	var of raw
	C.pgo_port_at(outcomeOf(&of), textOf(place), (*C.portalloc_port_options)(unsafe.Pointer(options)),
		(*C.uint16_t)(out))
	return of.outcome()
}

func GiveBack(port int64, out *bool) Outcome {
	var of raw
	C.pgo_give_back(outcomeOf(&of), C.int64_t(port), (*C.bool)(out))
	return of.outcome()
}

func EnvironmentNew(options *EnvironmentOptions, out **Environment) Outcome {
	var of raw
	C.pgo_environment_new(outcomeOf(&of), (*C.portalloc_environment_options)(unsafe.Pointer(options)),
		(**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentCurrent(options *EnvironmentOptions, out **Environment) Outcome {
	var of raw
	C.pgo_environment_current(outcomeOf(&of), (*C.portalloc_environment_options)(unsafe.Pointer(options)),
		(**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentAttach(id *byte, out **Environment) Outcome {
	var of raw
	C.pgo_environment_attach(outcomeOf(&of), textOf(id), (**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentFree(environment *Environment) Outcome {
	var of raw
	C.pgo_environment_free(outcomeOf(&of), environmentOf(environment))
	return of.outcome()
}

func EnvironmentCleanup(environment *Environment) Outcome {
	var of raw
	C.pgo_environment_cleanup(outcomeOf(&of), environmentOf(environment))
	return of.outcome()
}

func EnvironmentLease(environment *Environment, out **Lease) Outcome {
	var of raw
	C.pgo_environment_lease(outcomeOf(&of), environmentOf(environment), (**C.portalloc_lease)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentPort(environment *Environment, name *byte, out *uint16) Outcome {
	var of raw
	C.pgo_environment_port(outcomeOf(&of), environmentOf(environment), textOf(name), (*C.uint16_t)(out))
	return of.outcome()
}

func EnvironmentFacts(environment *Environment, out *Facts) {
	C.pgo_environment_facts(environmentOf(environment), (*C.pgo_facts)(unsafe.Pointer(out)))
}

func EnvironmentPorts(environment *Environment, out *uint16, capacity int) {
	C.pgo_environment_ports(environmentOf(environment), (*C.uint16_t)(out), C.size_t(capacity))
}

func EnvironmentName(environment *Environment, index int, out **byte) {
	C.pgo_environment_name(environmentOf(environment), C.size_t(index), textsOf(out))
}

func EnvironmentVariable(environment *Environment, index int, name, value **byte) {
	C.pgo_environment_variable(environmentOf(environment), C.size_t(index), textsOf(name), textsOf(value))
}

func WorktreeEnvironment(options *EnvironmentOptions, out **Environment) Outcome {
	var of raw
	C.pgo_worktree_environment(outcomeOf(&of), (*C.portalloc_environment_options)(unsafe.Pointer(options)),
		(**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func WorktreeEnvironmentFind(options *EnvironmentOptions, out **Environment) Outcome {
	var of raw
	C.pgo_worktree_environment_find(outcomeOf(&of), (*C.portalloc_environment_options)(unsafe.Pointer(options)),
		(**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func WorktreeEnvironmentRepair(options *EnvironmentOptions, out **Environment) Outcome {
	var of raw
	C.pgo_worktree_environment_repair(outcomeOf(&of), (*C.portalloc_environment_options)(unsafe.Pointer(options)),
		(**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentStop(environment *Environment, options *StopOptions, out **byte) Outcome {
	var of raw
	C.pgo_environment_stop(outcomeOf(&of), environmentOf(environment), (*C.portalloc_stop_options)(unsafe.Pointer(options)),
		textsOf(out))
	return of.outcome()
}

func EnvironmentDown(environment *Environment, options *StopOptions, out **byte) Outcome {
	var of raw
	C.pgo_environment_down(outcomeOf(&of), environmentOf(environment), (*C.portalloc_stop_options)(unsafe.Pointer(options)),
		textsOf(out))
	return of.outcome()
}

func WaitUntilOurs(
	environment *Environment, ports *uint16, count int, options *ReadyOptions, waitMs int64, cancel *Cancel,
) Outcome {
	var of raw
	C.pgo_wait_until_ours(outcomeOf(&of), environmentOf(environment), (*C.uint16_t)(ports), C.size_t(count),
		(*C.portalloc_ready_options)(unsafe.Pointer(options)), C.int64_t(waitMs), cancelOf(cancel))
	return of.outcome()
}

func EnvironmentWriteBlock(environment *Environment, path *byte) Outcome {
	var of raw
	C.pgo_environment_write_block(outcomeOf(&of), environmentOf(environment), textOf(path))
	return of.outcome()
}

func EnvironmentHold(environment *Environment, out **Hold) Outcome {
	var of raw
	C.pgo_environment_hold(outcomeOf(&of), environmentOf(environment), (**C.portalloc_hold)(unsafe.Pointer(out)))
	return of.outcome()
}

func HoldInheritable(hold *Hold, out *int32) Outcome {
	var of raw
	C.pgo_hold_inheritable(outcomeOf(&of), holdOf(hold), (*C.int32_t)(out))
	return of.outcome()
}

func HoldFree(hold *Hold) Outcome {
	var of raw
	C.pgo_hold_free(outcomeOf(&of), holdOf(hold))
	return of.outcome()
}

func CancelNew(out **Cancel) Outcome {
	var of raw
	C.pgo_cancel_new(outcomeOf(&of), (**C.portalloc_cancel)(unsafe.Pointer(out)))
	return of.outcome()
}

func CancelNow(cancel *Cancel) {
	C.pgo_cancel_now(cancelOf(cancel))
}

func CancelFree(cancel *Cancel) {
	C.pgo_cancel_free(cancelOf(cancel))
}

func WaitUntilOpen(ports *uint16, count int, waitMs int64, cancel *Cancel) Outcome {
	var of raw
	C.pgo_wait_until_open(outcomeOf(&of), (*C.uint16_t)(ports), C.size_t(count), C.int64_t(waitMs), cancelOf(cancel))
	return of.outcome()
}

func WaitUntilReady(ports *uint16, count int, options *ReadyOptions, waitMs int64, cancel *Cancel) Outcome {
	var of raw
	C.pgo_wait_until_ready(outcomeOf(&of), (*C.uint16_t)(ports), C.size_t(count),
		(*C.portalloc_ready_options)(unsafe.Pointer(options)), C.int64_t(waitMs), cancelOf(cancel))
	return of.outcome()
}

func WaitUntilFree(ports *uint16, count int, waitMs int64, cancel *Cancel) Outcome {
	var of raw
	C.pgo_wait_until_free(outcomeOf(&of), (*C.uint16_t)(ports), C.size_t(count), C.int64_t(waitMs), cancelOf(cancel))
	return of.outcome()
}

func IsFree(port int64, out *bool) Outcome {
	var of raw
	C.pgo_is_free(outcomeOf(&of), C.int64_t(port), (*C.bool)(out))
	return of.outcome()
}

func Who(port int64, out **byte) Outcome {
	var of raw
	C.pgo_who(outcomeOf(&of), C.int64_t(port), textsOf(out))
	return of.outcome()
}

func List(out **byte) Outcome {
	var of raw
	C.pgo_list(outcomeOf(&of), textsOf(out))
	return of.outcome()
}

func Validate(id *byte, out **byte) Outcome {
	var of raw
	C.pgo_validate(outcomeOf(&of), textOf(id), textsOf(out))
	return of.outcome()
}

func Settings(pool, exclude *byte, out **byte) Outcome {
	var of raw
	C.pgo_settings(outcomeOf(&of), textOf(pool), textOf(exclude), textsOf(out))
	return of.outcome()
}

func Doctor(count int64, pool, exclude *byte, out **byte) Outcome {
	var of raw
	C.pgo_doctor(outcomeOf(&of), C.int64_t(count), textOf(pool), textOf(exclude), textsOf(out))
	return of.outcome()
}

func Leaks(ports *uint16, count int, out **byte) Outcome {
	var of raw
	C.pgo_leaks(outcomeOf(&of), (*C.uint16_t)(ports), C.size_t(count), textsOf(out))
	return of.outcome()
}

func ExplainConflict(text *byte, out **byte) Outcome {
	var of raw
	C.pgo_explain_conflict(outcomeOf(&of), textOf(text), textsOf(out))
	return of.outcome()
}

func Render(names, values **byte, count int, syntax *byte, out **byte) Outcome {
	var of raw
	C.pgo_render(outcomeOf(&of), textsOf(names), textsOf(values), C.size_t(count), textOf(syntax), textsOf(out))
	return of.outcome()
}

func Cleanup(id *byte, removed *bool) Outcome {
	var of raw
	C.pgo_cleanup(outcomeOf(&of), textOf(id), (*C.bool)(removed))
	return of.outcome()
}

func CleanupStale(removed *uintptr) Outcome {
	var of raw
	C.pgo_cleanup_stale(outcomeOf(&of), (*C.size_t)(unsafe.Pointer(removed)))
	return of.outcome()
}

func CheckID(id *byte) Outcome {
	var of raw
	C.pgo_check_id(outcomeOf(&of), textOf(id))
	return of.outcome()
}
