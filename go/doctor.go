package portalloc

import "github.com/portalloc/portalloc/go/internal/bridge"

// DoctorReport is what [Doctor] found.
type DoctorReport struct {
	// OK says whether portalloc keeps every promise here: no check is broken.
	OK bool `json:"ok"`
	// Checks has one entry for each thing that could be otherwise, always the same ones in the same order.
	Checks []DoctorCheck `json:"checks"`
	// Explanation says whether a lease would be granted; nil if that was not asked.
	Explanation *Explanation `json:"explanation"`
	// Machine is what a bug report should contain beside the checks.
	Machine Machine `json:"machine"`
}

// DoctorCheck is one line of a [DoctorReport].
type DoctorCheck struct {
	// Code is a stable word for what was examined, such as "ephemeral_range".
	Code string `json:"code"`
	// Status is "ok", "note" (every promise is kept, but a user should know this), "broken" (a promise is not kept here) or
	// "skipped" (because of another line that is broken).
	Status string `json:"status"`
	// Message says what was found.
	Message string `json:"message"`
	// Remedy says what to do about it; empty if nothing can be done.
	Remedy string `json:"remedy"`
	// Facts are details by name, to compare reports of two processes.
	Facts map[string]string `json:"facts"`
}

// Explanation says whether a lease of so many consecutive ports would be granted at the moment of a [DoctorReport].
type Explanation struct {
	Count   int  `json:"count"`
	Granted bool `json:"granted"`
	// Message says why.
	Message string `json:"message"`
	// Remedy says what to do if it would be refused.
	Remedy string `json:"remedy"`
	// Census counts the ports of the pool by state ("pool", "held", "kept", "stale", "foreign", "denied", "free"), with the
	// "longest_run" that could be leased; nil if the registry or the pool cannot be used.
	Census map[string]int `json:"census"`
	// Holders are those who have ports of the pool, most ports first.
	Holders []HolderCount `json:"holders"`
}

// HolderCount says how many ports of the pool an environment or a process has.
type HolderCount struct {
	Holder string `json:"holder"`
	Ports  int    `json:"ports"`
}

// Machine is what a bug report should contain beside the checks of a [DoctorReport].
type Machine struct {
	// Version is that of portalloc.
	Version      string `json:"version"`
	System       string `json:"system"`
	Kernel       string `json:"kernel"`
	Architecture string `json:"architecture"`
	Libc         string `json:"libc"`
	UserID       int    `json:"user_id"`
	// Sandboxes are the containers and sandboxes in which this process seems to run.
	Sandboxes []string `json:"sandboxes"`
	// Namespaces are the numbers of the calling thread's namespaces, by kind.
	Namespaces map[string]uint64 `json:"namespaces"`
	// Variables are TMPDIR, ISOLATION_ID and every variable whose name begins with PORTALLOC_.
	Variables []Variable `json:"variables"`
}

// Doctor examines whether portalloc keeps its promises on this machine. If count is not 0, it also says whether a lease of so
// many consecutive ports would be granted at this moment, and why not. It does not fail because of what it finds: a registry
// that cannot be opened is a line of the report. It changes nothing, except that it creates a missing registry.
func Doctor(count int, options ...PoolOption) (*DoctorReport, error) {
	var asked request
	defer asked.pinner.Unpin()
	if err := apply(&asked, options); err != nil {
		return nil, err
	}
	return decoded[*DoctorReport](func(out **byte) bridge.Outcome {
		return bridge.Doctor(int64(count), asked.c.Pool, asked.c.Exclude, out)
	})
}
