package portalloc

// #include <stdlib.h>
// #include "bridge.h"
import "C"

import (
	"runtime"
	"time"
	"unsafe"
)

// IsFree says whether a lease of this port could be had at this moment: not leased, and nothing bound to it, TCP or UDP,
// on any address. What is free now may be taken a moment later: to have a port, lease it.
func IsFree(port int) (bool, error) {
	given, err := asPort(port)
	if err != nil {
		return false, err
	}
	var free C.bool
	err = check(C.pgo_is_free(given, &free))
	return bool(free), err
}

// Report says who is on a port.
type Report struct {
	Port int
	// Message is one sentence: who is on it, since when, and the lease or environment that has it.
	Message string
	// InUse says whether there is a socket on the port.
	InUse bool
	// Leased says whether a lease or an environment has the port.
	Leased bool
	// Holders are the processes that have sockets on it or took its lease.
	Holders []Holder
}

// Holder is a process that has a socket on a port, or took its lease.
type Holder struct {
	// PID is its process ID; of one that only has the lease, as seen from its own PID namespace.
	PID int
	// Leased says whether it took the port's lease.
	Leased bool
	// Listening says whether clients can reach it: it has a TCP socket that listens, or a UDP socket that is not connected.
	Listening bool
	// Name is its command name; empty where it cannot be read from here.
	Name string
	// Command is its command line; empty, as are the following, if it has no socket on the port.
	Command string
	// User is the one it runs as, by name or else by number.
	User string
	// StartedAt is when it started.
	StartedAt time.Time
}

// String is the message.
func (r *Report) String() string { return r.Message }

// Who says who is on this port. Nothing is locked, probed or changed. Processes of other users can be seen by root only.
func Who(port int) (*Report, error) {
	given, err := asPort(port)
	if err != nil {
		return nil, err
	}
	var handle *C.portalloc_report
	if err := check(C.pgo_who(given, &handle)); err != nil {
		return nil, err
	}
	defer C.portalloc_report_free(handle)
	report := &Report{
		Port:    port,
		Message: C.GoString(C.portalloc_report_message(handle)),
		InUse:   bool(C.portalloc_report_in_use(handle)),
		Leased:  bool(C.portalloc_report_leased(handle)),
	}
	for index := range C.portalloc_report_holder_count(handle) {
		var holder C.portalloc_holder
		if err := check(C.pgo_report_holder(handle, index, &holder)); err != nil {
			return nil, err
		}
		report.Holders = append(report.Holders, Holder{
			PID:       int(holder.pid),
			Leased:    bool(holder.leased),
			Listening: bool(holder.listening),
			Name:      C.GoString(holder.name),
			Command:   C.GoString(holder.command),
			User:      C.GoString(holder.user),
			StartedAt: asTime(holder.started_at_unix_ms),
		})
	}
	return report, nil
}

// Listing is what there was when it was made.
type Listing struct {
	// Environments are all of this network namespace, oldest first.
	Environments []EnvironmentInfo
	// Leases are the live ones that belong to no environment, by port.
	Leases []LeaseInfo
}

// EnvironmentInfo is an environment as others see it.
type EnvironmentInfo struct {
	// ID is its isolation ID.
	ID string
	// Status is "active", "stale" (its holder, TTL or owner is gone) or "damaged".
	Status string
	// Reason says why it is not active.
	Reason string
	// Ports are its ports, in the order of the names.
	Ports []int
	// HolderPID is the process that made a held one, or the owner of a kept one; 0 if there is none.
	HolderPID int
	// UserID is the user it belongs to.
	UserID int
	// Kept says whether it outlives its process.
	Kept bool
	// CreatedAt is when it was made; zero if that is not known.
	CreatedAt time.Time
	// ExpiresAt is when its TTL is over; zero for never.
	ExpiresAt time.Time
	// Worktree, TempDir and EnvFile are empty for another user's.
	Worktree, TempDir, EnvFile string
}

// LeaseInfo is a lease as others see it.
type LeaseInfo struct {
	// Ports are its ports, ascending.
	Ports []int
	// HolderPID is the process that took it; 0 if that is not known.
	HolderPID int
	// HolderName is that process's command name, while it runs.
	HolderName string
	// UserID is the user it belongs to.
	UserID int
	// Since is when it was taken.
	Since time.Time
}

// List reads all environments and leases of this network namespace. Nothing is locked or changed.
func List() (*Listing, error) {
	var handle *C.portalloc_listing
	if err := check(C.pgo_listing_new(&handle)); err != nil {
		return nil, err
	}
	defer C.portalloc_listing_free(handle)
	listing := new(Listing)
	for index := range C.portalloc_listing_environment_count(handle) {
		var info C.portalloc_environment_info
		if err := check(C.pgo_listing_environment(handle, index, &info)); err != nil {
			return nil, err
		}
		listing.Environments = append(listing.Environments, EnvironmentInfo{
			ID:        C.GoString(info.id),
			Status:    C.GoString(info.status),
			Reason:    C.GoString(info.reason),
			Ports:     goPorts(info.ports, info.ports_count),
			HolderPID: int(info.holder_pid),
			UserID:    int(info.user_id),
			Kept:      bool(info.is_kept),
			CreatedAt: asTime(info.created_at_unix_ms),
			ExpiresAt: asTime(info.expires_at_unix_ms),
			Worktree:  C.GoString(info.worktree),
			TempDir:   C.GoString(info.temp_dir),
			EnvFile:   C.GoString(info.env_file),
		})
	}
	for index := range C.portalloc_listing_lease_count(handle) {
		var info C.portalloc_lease_info
		if err := check(C.pgo_listing_lease(handle, index, &info)); err != nil {
			return nil, err
		}
		listing.Leases = append(listing.Leases, LeaseInfo{
			Ports:      goPorts(info.ports, info.ports_count),
			HolderPID:  int(info.holder_pid),
			HolderName: C.GoString(info.holder_name),
			UserID:     int(info.user_id),
			Since:      asTime(info.since_unix_ms),
		})
	}
	return listing, nil
}

// asTime is zero for what C has no time for.
func asTime(unixMilliseconds C.uint64_t) time.Time {
	if unixMilliseconds == 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(unixMilliseconds))
}

// Settings are the registry and the pool that calls go by.
type Settings struct {
	// Directory is the registry's folder, in which all leases of this machine meet.
	Directory string
	// Pool is the pool as it was asked for, such as "20000-29999".
	Pool string
	// Ports may be given out: the pool without the kernel's ephemeral range, known services, and exclusions.
	Ports string
	// PortCount is how many those are.
	PortCount int
}

// ReadSettings gives the settings that calls from the current folder go by: [WithPool] and [WithExclude], else variables,
// else the project file, else the defaults. Other options have no effect.
func ReadSettings(options ...LeaseOption) (*Settings, error) {
	var asked request
	defer asked.pinner.Unpin()
	for _, option := range options {
		if err := option.apply(&asked); err != nil {
			return nil, err
		}
	}
	var handle *C.portalloc_settings
	if err := check(C.pgo_settings_new(asked.pool, asked.exclude, &handle)); err != nil {
		return nil, err
	}
	defer C.portalloc_settings_free(handle)
	return &Settings{
		Directory: C.GoString(C.portalloc_settings_directory(handle)),
		Pool:      C.GoString(C.portalloc_settings_pool(handle)),
		Ports:     C.GoString(C.portalloc_settings_ports(handle)),
		PortCount: int(C.portalloc_settings_port_count(handle)),
	}, nil
}

// Render writes variables, a line each, whatever the values contain, in the syntax "shell" (safe to eval), "fish",
// "powershell", "dotenv" or "github".
func Render(variables []Variable, syntax string) (string, error) {
	var pinner runtime.Pinner
	defer pinner.Unpin()
	names, values := make([]string, len(variables)), make([]string, len(variables))
	for index, variable := range variables {
		names[index], values[index] = variable.Name, variable.Value
	}
	cNames, err := cTexts(&pinner, "a name", names)
	if err != nil {
		return "", err
	}
	cValues, err := cTexts(&pinner, "a value", values)
	if err != nil {
		return "", err
	}
	cSyntax, err := cText("syntax", syntax)
	if err != nil {
		return "", err
	}
	var text *C.char
	if err := check(C.pgo_render(cNames, cValues, C.size_t(len(variables)), cSyntax, &text)); err != nil {
		return "", err
	}
	defer C.portalloc_text_free(text)
	return C.GoString((*C.char)(unsafe.Pointer(text))), nil
}
