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

// StringFree frees a string that a function wrote to an out parameter.
func StringFree(text *byte) {
	C.pgo_string_free((*C.char)(unsafe.Pointer(text)))
}

func free(of *raw) {
	C.pgo_outcome_free((*C.pgo_outcome)(unsafe.Pointer(of)))
}

func version(out **byte) {
	C.pgo_version((**C.char)(unsafe.Pointer(out)))
}

func LeaseNew(options *LeaseOptions, out **Lease, ports *uint16, capacity int) Outcome {
	var of raw
	C.pgo_lease_new((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_lease_options)(unsafe.Pointer(options)),
		(**C.portalloc_lease)(unsafe.Pointer(out)), (*C.uint16_t)(unsafe.Pointer(ports)), C.size_t(capacity))
	return of.outcome()
}

func LeaseFree(lease *Lease) Outcome {
	var of raw
	C.pgo_lease_free((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_lease)(unsafe.Pointer(lease)))
	return of.outcome()
}

func LeaseIsHeld(lease *Lease, out *bool) Outcome {
	var of raw
	C.pgo_lease_is_held((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_lease)(unsafe.Pointer(lease)), (*C.bool)(unsafe.Pointer(out)))
	return of.outcome()
}

func LeaseGuard(lease *Lease) Outcome {
	var of raw
	C.pgo_lease_guard((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_lease)(unsafe.Pointer(lease)))
	return of.outcome()
}

func LeaseShareGuard(lease *Lease) Outcome {
	var of raw
	C.pgo_lease_share_guard((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_lease)(unsafe.Pointer(lease)))
	return of.outcome()
}

func LeaseDropGuard(lease *Lease) Outcome {
	var of raw
	C.pgo_lease_drop_guard((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_lease)(unsafe.Pointer(lease)))
	return of.outcome()
}

func LeaseGuardState(lease *Lease, out *uint32) {
	C.pgo_lease_guard_state((*C.portalloc_lease)(unsafe.Pointer(lease)), (*C.uint32_t)(unsafe.Pointer(out)))
}

func LeaseSocket(lease *Lease, index int64, options *SocketOptions, out *int32) Outcome {
	var of raw
	C.pgo_lease_socket((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_lease)(unsafe.Pointer(lease)), C.int64_t(index),
		(*C.portalloc_socket_options)(unsafe.Pointer(options)), (*C.int32_t)(unsafe.Pointer(out)))
	return of.outcome()
}

func LeaseInheritable(lease *Lease, out *int32) Outcome {
	var of raw
	C.pgo_lease_inheritable((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_lease)(unsafe.Pointer(lease)), (*C.int32_t)(unsafe.Pointer(out)))
	return of.outcome()
}

func PortAt(place *byte, options *PortOptions, out *uint16) Outcome {
	var of raw
	C.pgo_port_at((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.char)(unsafe.Pointer(place)), (*C.portalloc_port_options)(unsafe.Pointer(options)),
		(*C.uint16_t)(unsafe.Pointer(out)))
	return of.outcome()
}

func GiveBack(port int64, out *bool) Outcome {
	var of raw
	C.pgo_give_back((*C.pgo_outcome)(unsafe.Pointer(&of)), C.int64_t(port), (*C.bool)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentNew(options *EnvironmentOptions, out **Environment) Outcome {
	var of raw
	C.pgo_environment_new((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_environment_options)(unsafe.Pointer(options)),
		(**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentCurrent(options *EnvironmentOptions, out **Environment) Outcome {
	var of raw
	C.pgo_environment_current((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_environment_options)(unsafe.Pointer(options)),
		(**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentAttach(id *byte, out **Environment) Outcome {
	var of raw
	C.pgo_environment_attach((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.char)(unsafe.Pointer(id)), (**C.portalloc_environment)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentFree(environment *Environment) Outcome {
	var of raw
	C.pgo_environment_free((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_environment)(unsafe.Pointer(environment)))
	return of.outcome()
}

func EnvironmentCleanup(environment *Environment) Outcome {
	var of raw
	C.pgo_environment_cleanup((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_environment)(unsafe.Pointer(environment)))
	return of.outcome()
}

func EnvironmentLease(environment *Environment, out **Lease) Outcome {
	var of raw
	C.pgo_environment_lease((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_environment)(unsafe.Pointer(environment)),
		(**C.portalloc_lease)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentPort(environment *Environment, name *byte, out *uint16) Outcome {
	var of raw
	C.pgo_environment_port((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.portalloc_environment)(unsafe.Pointer(environment)),
		(*C.char)(unsafe.Pointer(name)), (*C.uint16_t)(unsafe.Pointer(out)))
	return of.outcome()
}

func EnvironmentFacts(environment *Environment, out *Facts) {
	C.pgo_environment_facts((*C.portalloc_environment)(unsafe.Pointer(environment)), (*C.pgo_facts)(unsafe.Pointer(out)))
}

func EnvironmentPorts(environment *Environment, out *uint16, capacity int) {
	C.pgo_environment_ports((*C.portalloc_environment)(unsafe.Pointer(environment)), (*C.uint16_t)(unsafe.Pointer(out)),
		C.size_t(capacity))
}

func EnvironmentName(environment *Environment, index int, out **byte) {
	C.pgo_environment_name((*C.portalloc_environment)(unsafe.Pointer(environment)), C.size_t(index), (**C.char)(unsafe.Pointer(out)))
}

func EnvironmentVariable(environment *Environment, index int, name, value **byte) {
	C.pgo_environment_variable((*C.portalloc_environment)(unsafe.Pointer(environment)), C.size_t(index), (**C.char)(unsafe.Pointer(name)),
		(**C.char)(unsafe.Pointer(value)))
}

func CancelNew(out **Cancel) Outcome {
	var of raw
	C.pgo_cancel_new((*C.pgo_outcome)(unsafe.Pointer(&of)), (**C.portalloc_cancel)(unsafe.Pointer(out)))
	return of.outcome()
}

func CancelNow(cancel *Cancel) {
	C.pgo_cancel_now((*C.portalloc_cancel)(unsafe.Pointer(cancel)))
}

func CancelFree(cancel *Cancel) {
	C.pgo_cancel_free((*C.portalloc_cancel)(unsafe.Pointer(cancel)))
}

func WaitUntilOpen(ports *uint16, count int, waitMs int64, cancel *Cancel) Outcome {
	var of raw
	C.pgo_wait_until_open((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.uint16_t)(unsafe.Pointer(ports)), C.size_t(count), C.int64_t(waitMs),
		(*C.portalloc_cancel)(unsafe.Pointer(cancel)))
	return of.outcome()
}

func WaitUntilFree(ports *uint16, count int, waitMs int64, cancel *Cancel) Outcome {
	var of raw
	C.pgo_wait_until_free((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.uint16_t)(unsafe.Pointer(ports)), C.size_t(count), C.int64_t(waitMs),
		(*C.portalloc_cancel)(unsafe.Pointer(cancel)))
	return of.outcome()
}

func IsFree(port int64, out *bool) Outcome {
	var of raw
	C.pgo_is_free((*C.pgo_outcome)(unsafe.Pointer(&of)), C.int64_t(port), (*C.bool)(unsafe.Pointer(out)))
	return of.outcome()
}

func Who(port int64, out **byte) Outcome {
	var of raw
	C.pgo_who((*C.pgo_outcome)(unsafe.Pointer(&of)), C.int64_t(port), (**C.char)(unsafe.Pointer(out)))
	return of.outcome()
}

func List(out **byte) Outcome {
	var of raw
	C.pgo_list((*C.pgo_outcome)(unsafe.Pointer(&of)), (**C.char)(unsafe.Pointer(out)))
	return of.outcome()
}

func Validate(id *byte, out **byte) Outcome {
	var of raw
	C.pgo_validate((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.char)(unsafe.Pointer(id)), (**C.char)(unsafe.Pointer(out)))
	return of.outcome()
}

func Settings(pool, exclude *byte, out **byte) Outcome {
	var of raw
	C.pgo_settings((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.char)(unsafe.Pointer(pool)), (*C.char)(unsafe.Pointer(exclude)), (**C.char)(unsafe.Pointer(out)))
	return of.outcome()
}

func Doctor(count int64, pool, exclude *byte, out **byte) Outcome {
	var of raw
	C.pgo_doctor((*C.pgo_outcome)(unsafe.Pointer(&of)), C.int64_t(count), (*C.char)(unsafe.Pointer(pool)), (*C.char)(unsafe.Pointer(exclude)),
		(**C.char)(unsafe.Pointer(out)))
	return of.outcome()
}

func Leaks(ports *uint16, count int, out **byte) Outcome {
	var of raw
	C.pgo_leaks((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.uint16_t)(unsafe.Pointer(ports)), C.size_t(count), (**C.char)(unsafe.Pointer(out)))
	return of.outcome()
}

func ExplainConflict(text *byte, out **byte) Outcome {
	var of raw
	C.pgo_explain_conflict((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.char)(unsafe.Pointer(text)), (**C.char)(unsafe.Pointer(out)))
	return of.outcome()
}

func Render(names, values **byte, count int, syntax *byte, out **byte) Outcome {
	var of raw
	C.pgo_render((*C.pgo_outcome)(unsafe.Pointer(&of)), (**C.char)(unsafe.Pointer(names)), (**C.char)(unsafe.Pointer(values)), C.size_t(count),
		(*C.char)(unsafe.Pointer(syntax)), (**C.char)(unsafe.Pointer(out)))
	return of.outcome()
}

func Cleanup(id *byte, removed *bool) Outcome {
	var of raw
	C.pgo_cleanup((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.char)(unsafe.Pointer(id)), (*C.bool)(unsafe.Pointer(removed)))
	return of.outcome()
}

func CleanupStale(removed *uintptr) Outcome {
	var of raw
	C.pgo_cleanup_stale((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.size_t)(unsafe.Pointer(removed)))
	return of.outcome()
}

func CheckID(id *byte) Outcome {
	var of raw
	C.pgo_check_id((*C.pgo_outcome)(unsafe.Pointer(&of)), (*C.char)(unsafe.Pointer(id)))
	return of.outcome()
}
