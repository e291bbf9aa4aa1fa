package portalloc

import (
	"runtime"
	"time"

	"github.com/portalloc/portalloc/go/internal/bridge"
)

// Process is a process that holds or owns something.
type Process struct {
	// PID is its process ID, in its own PID namespace.
	PID int `json:"pid"`
	// Name is that of its program; empty if it cannot be read from here.
	Name string `json:"name"`
}

// Report says who is on a port.
type Report struct {
	Port int `json:"port"`
	// Message is one sentence: the processes on the port, since when, and the lease or environment that has it.
	Message string `json:"message"`
	// InUse says whether there is a socket on the port.
	InUse bool `json:"in_use"`
	// Lease is the lease or environment that has the port; nil if there is none.
	Lease *Claim `json:"lease"`
	// Sockets are all sockets on the port, TCP and UDP, in every state.
	Sockets []Socket `json:"sockets"`
	// Holders are the processes that have sockets on the port or took its lease.
	Holders []Holder `json:"holders"`
	// Complete says whether the kernel shows every kind of socket; before Linux 6.8 it does not.
	Complete bool `json:"complete"`
}

// String is the message.
func (r *Report) String() string { return r.Message }

// Claim is the lease or environment that has a port.
type Claim struct {
	// Lifetime is "held" or "kept".
	Lifetime string `json:"lifetime"`
	// Holder is the process that took the lease; nil if unknown.
	Holder *Process `json:"holder"`
	// IsolationID is that of the environment; empty for a lease without one.
	IsolationID string `json:"isolation_id"`
	// Since is when the port was leased; zero if unknown.
	Since time.Time `json:"since"`
	// Worktree is that of the environment; empty for another user's, as is InstanceID.
	Worktree string `json:"worktree_path"`
	// InstanceID tells the environment from others of its worktree.
	InstanceID string `json:"instance_id"`
}

// Socket is a socket on a port.
type Socket struct {
	// Protocol is "tcp" or "udp".
	Protocol string `json:"protocol"`
	// Local is its address.
	Local string `json:"local"`
	// Remote is the other end; empty unless it is connected.
	Remote string `json:"remote"`
	// State is a stable word, such as "listen", "established" or "time_wait".
	State string `json:"state"`
	// UserID is the user who made it; nil if no process has it.
	UserID *int `json:"user_id"`
	// Processes are those that have it open, as far as this one may see.
	Processes []SocketProcess `json:"processes"`
	// Hidden says why no process is shown although one has it: "other_user" or "elsewhere".
	Hidden string `json:"hidden"`
}

// SocketProcess is a process that has a socket open.
type SocketProcess struct {
	PID       int       `json:"pid"`
	Name      string    `json:"name"`
	Command   string    `json:"command"`
	UserID    int       `json:"user_id"`
	User      string    `json:"user"`
	StartedAt time.Time `json:"started_at"`
}

// Holder is a process that has a socket on a port or took its lease.
type Holder struct {
	// PID is its process ID; if it only has the lease, in its own PID namespace.
	PID int `json:"pid"`
	// Name is that of its program; empty if it cannot be read from here.
	Name string `json:"name"`
	// Command is its command line; empty, as are User and StartedAt, if it has no socket on the port.
	Command string `json:"command"`
	// User is the user it runs as, by name or else by number.
	User string `json:"user"`
	// StartedAt is when it started.
	StartedAt time.Time `json:"started_at"`
	// Leased says whether it took the port's lease.
	Leased bool `json:"leased"`
	// Listening says whether clients can reach it: it has a TCP socket that listens, or a UDP socket that is not connected.
	Listening bool `json:"listening"`
}

// EnvironmentInfo is an entry of [Environments].
type EnvironmentInfo struct {
	// ID is its isolation ID.
	ID string `json:"isolation_id"`
	// Status is "active", "stale" or "damaged".
	Status string `json:"status"`
	// StaleReason is a stable word, such as "expired"; empty unless it is stale.
	StaleReason string `json:"stale_reason"`
	// Reason says why it is not active.
	Reason string `json:"reason"`
	// Lifetime is "held" or "kept"; empty if its record is broken.
	Lifetime string `json:"lifetime"`
	// Ports are its ports, in the order of the names.
	Ports []int `json:"ports"`
	// Names are the names of the first ports.
	Names []string `json:"names"`
	// CreatedAt is when it was made; zero if unknown.
	CreatedAt time.Time `json:"created_at"`
	// ExpiresAt is when its TTL ends; zero for never.
	ExpiresAt time.Time `json:"expires_at"`
	// Holder is the process that made a held environment, or the owner of a kept one; nil if there is none.
	Holder *Process `json:"holder"`
	// UserID is the user it belongs to.
	UserID int `json:"user_id"`
	// InstanceID tells it from others of its worktree; empty for another user's, as are the following.
	InstanceID string `json:"instance_id"`
	// Worktree, TempDir and EnvFile are its paths.
	Worktree string `json:"worktree_path"`
	TempDir  string `json:"temp_dir"`
	EnvFile  string `json:"env_file"`
	// RecordFile is the path of its record in the registry.
	RecordFile string `json:"lock_file"`
}

// LeaseInfo is an entry of [Leases].
type LeaseInfo struct {
	// Ports are its ports, ascending.
	Ports []int `json:"ports"`
	// Holder is the process that took it; nil if unknown.
	Holder *Process `json:"holder"`
	// UserID is the user it belongs to.
	UserID int `json:"user_id"`
	// Since is when it was taken.
	Since time.Time `json:"since"`
}

// Validation is what [Validate] found.
type Validation struct {
	ID string `json:"isolation_id"`
	// Valid says whether every check passed.
	Valid bool `json:"valid"`
	// Checks are those of "record", "temp_dir", "env_file" and "lease".
	Checks []Check `json:"checks"`
	// Ports are the ports, and whether a socket is on them.
	Ports []PortCheck `json:"ports"`
}

// Check is one check of a [Validation].
type Check struct {
	Name string `json:"name"`
	OK   bool   `json:"ok"`
	// Failure says why it failed.
	Failure string `json:"failure"`
}

// PortCheck is a port of a [Validation].
type PortCheck struct {
	Port int `json:"port"`
	// InUse says whether a socket is on it, as of a server of the environment. That is not a failure.
	InUse bool `json:"in_use"`
}

// Settings are the registry and the pool that calls use.
type Settings struct {
	// Directory is the registry's directory, in which all leases of this machine meet.
	Directory string `json:"directory"`
	// Pool is the pool as it was asked for, such as "20000-29999".
	Pool string `json:"pool"`
	// Ports can be leased: the pool without the kernel's ephemeral range, well-known services, and exclusions.
	Ports string `json:"ports"`
	// PortCount is their number.
	PortCount int `json:"count"`
	// Warnings say why Ports is less than Pool, where that may surprise.
	Warnings []string `json:"warnings"`
}

// Who says who is on this port, without locking, probing or changing anything. Only root sees processes of other users.
func Who(port int) (*Report, error) {
	return decoded[*Report](func(out **byte) bridge.Outcome { return bridge.Who(int64(port), out) })
}

// Environments lists all environments of this network namespace, oldest first. It locks and changes nothing.
func Environments() ([]EnvironmentInfo, error) {
	listing, err := list()
	return listing.Environments, err
}

// Leases lists the live leases that belong to no environment, by port. It locks and changes nothing.
func Leases() ([]LeaseInfo, error) {
	listing, err := list()
	return listing.Leases, err
}

type listing struct {
	Environments []EnvironmentInfo `json:"environments"`
	Leases       []LeaseInfo       `json:"leases"`
}

func list() (listing, error) {
	return decoded[listing](func(out **byte) bridge.Outcome { return bridge.List(out) })
}

// Validate checks record, temp directory, env file and lease of an environment of this user. It fails if there is none.
func Validate(id string) (*Validation, error) {
	text, err := cID(id)
	if err != nil {
		return nil, err
	}
	return decoded[*Validation](func(out **byte) bridge.Outcome { return bridge.Validate(text, out) })
}

// ReadSettings says which settings calls from the current directory use: options, else variables, else portalloc.toml, else
// the defaults.
func ReadSettings(options ...PoolOption) (*Settings, error) {
	var asked request
	defer asked.pinner.Unpin()
	if err := apply(&asked, options); err != nil {
		return nil, err
	}
	return decoded[*Settings](func(out **byte) bridge.Outcome { return bridge.Settings(asked.c.Pool, asked.c.Exclude, out) })
}

// IsFree says whether a lease of this port would succeed now: no lease has it, and no socket is bound to it, TCP or UDP, on any
// address. That can change at any moment: to have a port, lease it.
func IsFree(port int) (bool, error) {
	var free bool
	err := check(bridge.IsFree(int64(port), &free))
	return free, err
}

// Leaks names servers that still listen on ports that are about to be given back, a line for each port; "" if there are none.
// It gives them 250 ms to end. Drop a guard first: its sockets look like a server. portalloctest calls it for every test.
func Leaks(ports ...int) (string, error) {
	given16, err := asPorts(ports)
	if err != nil {
		return "", err
	}
	return given(func(out **byte) bridge.Outcome {
		return bridge.Leaks(address(given16), len(given16), out)
	})
}

// ExplainConflict says who is on the ports that an error message or the output of a program reports as in use, a line for each
// port; "" if the text reports no such port, or nobody is on it.
func ExplainConflict(text string) (string, error) {
	conflict, err := cText("text", text)
	if err != nil {
		return "", err
	}
	return given(func(out **byte) bridge.Outcome { return bridge.ExplainConflict(conflict, out) })
}

// Render writes variables, one per line and quoted as needed, in the syntax "shell" (safe to eval), "fish", "powershell",
// "dotenv" or "github".
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
	return given(func(out **byte) bridge.Outcome {
		return bridge.Render(cNames, cValues, len(variables), cSyntax, out)
	})
}
