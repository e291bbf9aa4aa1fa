package portalloc_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

func TestAnEnvironment(t *testing.T) {
	here := world.New(t, 10)
	environment, err := portalloc.NewEnvironment(t.Context(), portalloc.WithNames("web", "my-db"), portalloc.WithInstanceID("one"),
		portalloc.WithEnvFile(""))
	must(t, err)
	defer environment.Close()
	must(t, portalloc.CheckID(environment.ID()))
	if info, err := os.Stat(environment.TempDir()); err != nil || !info.IsDir() ||
		filepath.Dir(environment.TempDir()) != here.Directory("temp") {
		t.Error(environment.TempDir(), err)
	}
	file, err := os.ReadFile(environment.EnvFile())
	must(t, err)
	for _, line := range environment.Environ() {
		if !strings.Contains(string(file), line+"\n") {
			t.Errorf("%q is not in the env file", line)
		}
	}
	if !slices.Contains(environment.Environ(), fmt.Sprintf("MY_DB_PORT=%d", environment.MustPort("my-db"))) {
		t.Error(environment.Environ())
	}
	if environment.MustPort("web") != environment.Base() || environment.MustPort("my-db") != environment.Ports()[1] ||
		!reflect.DeepEqual(environment.Names(), []string{"web", "my-db"}) || environment.InstanceID() != "one" ||
		environment.Kept() || environment.Attached() || environment.Worktree() != here.Directory("work") {
		t.Errorf("%+v", environment)
	}
	if port, err := environment.Port("my-db"); err != nil || port != environment.Ports()[1] {
		t.Error(port, err)
	}
	fails(t, second(environment.Port("redis")), portalloc.ErrInvalidArgument, `"redis"`, "web, my-db")
	func() {
		defer func() {
			if why := recover(); why == nil || !strings.Contains(fmt.Sprint(why), `"redis"`) {
				t.Error(why)
			}
		}()
		environment.MustPort("redis")
	}()
	found, err := portalloc.Validate(environment.ID())
	if err != nil || !found.Valid || found.ID != environment.ID() || len(found.Checks) != 4 || len(found.Ports) != 2 {
		t.Error(found, err)
	}
	must(t, os.Remove(environment.EnvFile()))
	found, err = portalloc.Validate(environment.ID())
	if broken := func(one portalloc.Check) bool { return one.Name == "env_file" && !one.OK && one.Failure != "" }; err != nil ||
		found.Valid || !slices.ContainsFunc(found.Checks, broken) {
		t.Error(found, err)
	}
	must(t, environment.Close())
	must(t, environment.Close())
	if _, err := os.Stat(environment.TempDir()); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestTheLeaseOfAnEnvironment(t *testing.T) {
	world.New(t, 5)
	environment, err := portalloc.NewEnvironment(t.Context(), portalloc.WithNames("web"), portalloc.WithGuard())
	must(t, err)
	defer environment.Close()
	lease, err := environment.Lease()
	must(t, err)
	if lease.GuardState() != portalloc.GuardExclusive || lease.Base() != environment.MustPort("web") {
		t.Error(lease, lease.GuardState())
	}
	server, err := lease.Listener(0)
	must(t, err)
	must(t, server.Close())
	lease.Close() // gives up this view of it
	if free, err := portalloc.IsFree(environment.Base()); err != nil || free {
		t.Error(free, err)
	}
	lease, err = environment.Lease()
	must(t, err)
	must(t, environment.Close())
	if lease.IsHeld() {
		t.Error("it outlives its environment")
	}
	fails(t, lease.Guard(), portalloc.ErrInvalidArgument)
	fails(t, second(environment.Lease()), portalloc.ErrInvalidArgument)
	lease.Close()
}

func TestALeaseKeepsItsEnvironmentAlive(t *testing.T) {
	world.New(t, 5)
	lease := func() *portalloc.Lease {
		environment, err := portalloc.NewEnvironment(t.Context())
		must(t, err)
		lease, err := environment.Lease()
		must(t, err)
		return lease
	}()
	for range 20 {
		runtime.GC()
		if !lease.IsHeld() {
			t.Fatal("it is gone")
		}
	}
	runtime.KeepAlive(lease)
	lease = nil
	until(t, "the lost environment is cleaned up", func() bool {
		runtime.GC()
		environments, err := portalloc.Environments()
		must(t, err)
		return len(environments) == 0
	})
}

func TestAKeptEnvironment(t *testing.T) {
	here := world.New(t, 5)
	made, err := portalloc.NewEnvironment(t.Context(), portalloc.WithKept(), portalloc.WithTTL(time.Hour), portalloc.Exactly(here.Base+4),
		portalloc.WithEnvFile(here.Directory("work")+"/.env.isolation.mine"), portalloc.WithWorktree(here.Directory("work")))
	must(t, err)
	t.Cleanup(func() { made.Close() })
	if !made.Kept() || made.Base() != here.Base+4 || filepath.Base(made.EnvFile()) != ".env.isolation.mine" {
		t.Errorf("%+v", made)
	}
	fails(t, second(made.Lease()), portalloc.ErrInvalidArgument)
	found, err := portalloc.Attach(made.ID())
	must(t, err)
	if !found.Attached() || found.Base() != made.Base() || found.TempDir() != made.TempDir() {
		t.Errorf("%+v", found)
	}
	t.Setenv("ISOLATION_ID", made.ID())
	for _, attach := range []func() (*portalloc.Environment, error){
		portalloc.AttachNamed,
		func() (*portalloc.Environment, error) { return portalloc.Current(t.Context()) },
	} {
		current, err := attach()
		must(t, err)
		if current.ID() != made.ID() || !current.Attached() {
			t.Errorf("%+v", current)
		}
	}
	must(t, found.Close()) // which leaves the environment alone
	environments, err := portalloc.Environments()
	must(t, err)
	if len(environments) != 1 {
		t.Fatalf("%+v", environments)
	}
	info := environments[0]
	// The hour begins with the call, a little before the environment is there.
	lasts := info.ExpiresAt.Sub(info.CreatedAt)
	if info.ID != made.ID() || info.Status != "active" || info.Reason != "" || info.Lifetime != "kept" || info.Holder != nil ||
		!reflect.DeepEqual(info.Ports, made.Ports()) || info.UserID != os.Getuid() ||
		lasts > time.Hour || lasts < time.Hour-world.Deadline || time.Since(info.CreatedAt) > world.Deadline ||
		info.Worktree != made.Worktree() || info.TempDir != made.TempDir() || info.EnvFile != made.EnvFile() {
		t.Errorf("%+v", info)
	}
	if removed, err := portalloc.Cleanup(made.ID()); err != nil || !removed {
		t.Error(removed, err)
	}
	if removed, err := portalloc.Cleanup(made.ID()); err != nil || removed {
		t.Error(removed, err)
	}
	fails(t, second(portalloc.Attach(made.ID())), portalloc.ErrNotFound)
}

func TestCurrentMakesOneIfThereIsNone(t *testing.T) {
	here := world.New(t, 10)
	made, err := portalloc.Current(t.Context(), portalloc.WithPool(fmt.Sprint(here.Base)), portalloc.Offsets(0, 4),
		portalloc.WithSticky())
	must(t, err)
	defer made.Close()
	if made.Attached() || made.Base() != here.Base || made.Ports()[1] != here.Base+4 || made.EnvFile() != "" {
		t.Errorf("%+v", made)
	}
}

func TestTheProjectFileIsRead(t *testing.T) {
	here := world.New(t, 10)
	must(t, os.WriteFile(here.Directory("work")+"/portalloc.toml", []byte("names = [\"web\", \"db\"]\n"), 0o600))
	made, err := portalloc.NewEnvironment(t.Context())
	must(t, err)
	defer made.Close()
	if !reflect.DeepEqual(made.Names(), []string{"web", "db"}) || len(made.Ports()) != 2 {
		t.Errorf("%+v", made)
	}
}

func TestWhoAndList(t *testing.T) {
	world.New(t, 2)
	lease := acquire(t, 2)
	server, err := lease.Listener(1)
	must(t, err)
	defer server.Close()
	report, err := portalloc.Who(lease.Port(1))
	must(t, err)
	if !report.InUse || report.Lease == nil || report.Lease.Holder.PID != os.Getpid() || report.Lease.Since.IsZero() ||
		len(report.Sockets) != 1 || report.Sockets[0].State != "listen" || report.Sockets[0].Local != address(report.Port) || len(report.Holders) != 1 || report.String() == "" {
		t.Fatalf("%+v", report)
	}
	holder := report.Holders[0]
	if holder.PID != os.Getpid() || !holder.Leased || !holder.Listening || holder.Name == "" || holder.User == "" ||
		!strings.Contains(holder.Command, os.Args[0]) || holder.StartedAt.IsZero() || time.Since(holder.StartedAt) < 0 {
		t.Errorf("%+v", holder)
	}
	leases, err := portalloc.Leases()
	must(t, err)
	if len(leases) != 1 {
		t.Fatalf("%+v", leases)
	}
	if info := leases[0]; !reflect.DeepEqual(info.Ports, lease.Ports()) || info.Holder.PID != os.Getpid() ||
		info.Holder.Name == "" || info.UserID != os.Getuid() || time.Since(info.Since) > world.Deadline {
		t.Errorf("%+v", info)
	}
	lease.Close()
}

func TestOptionsOverrideTheProjectFile(t *testing.T) {
	here := world.New(t, 10)
	must(t, os.WriteFile(here.Directory("work")+"/portalloc.toml", []byte("guard = true\n"), 0o600))
	for expected, options := range map[portalloc.GuardState][]portalloc.EnvironmentOption{
		portalloc.GuardExclusive: nil,
		portalloc.GuardNone:      {portalloc.WithoutGuard(), portalloc.WithoutSticky()},
	} {
		made, err := portalloc.NewEnvironment(t.Context(), options...)
		must(t, err)
		lease, err := made.Lease()
		must(t, err)
		if lease.GuardState() != expected {
			t.Errorf("%v, not %v", lease.GuardState(), expected)
		}
		must(t, lease.Close())
		must(t, made.Close())
	}
}

func TestLeaksAndConflictsAreExplained(t *testing.T) {
	world.New(t, 1)
	lease := acquire(t, 1)
	if leaks, err := portalloc.Leaks(lease.Ports()...); err != nil || leaks != "" {
		t.Error(leaks, err)
	}
	server, err := lease.Listener(0)
	must(t, err)
	defer server.Close()
	if leaks, err := portalloc.Leaks(lease.Ports()...); err != nil || !strings.Contains(leaks, fmt.Sprint(lease.Base())) {
		t.Error(leaks, err)
	}
	_, err = net.Listen("tcp", address(lease.Base()))
	if err == nil {
		t.Fatal("two servers on one port")
	}
	told, err := portalloc.ExplainConflict(err.Error())
	if err != nil || !strings.Contains(told, fmt.Sprintf("PID %d", os.Getpid())) {
		t.Error(told, err)
	}
	if told, err := portalloc.ExplainConflict("all is well"); err != nil || told != "" {
		t.Error(told, err)
	}
	lease.Close()
}

func TestDoctor(t *testing.T) {
	here := world.New(t, 4)
	report, err := portalloc.Doctor(0)
	must(t, err)
	if len(report.Checks) < 20 || report.Checks[0].Code != "registry" || report.Checks[0].Status != "ok" ||
		report.Checks[0].Facts["directory"] != here.Directory("registry") || report.Explanation != nil {
		t.Errorf("%+v", report)
	}
	pool := portalloc.Variable{Name: "PORTALLOC_POOL", Value: here.Pool()}
	if report.Machine.Version != portalloc.Version() || !slices.Contains(report.Machine.Variables, pool) {
		t.Errorf("%+v", report.Machine)
	}
	report, err = portalloc.Doctor(5)
	must(t, err)
	if told := report.Explanation; told == nil || told.Granted || told.Count != 5 || told.Census["free"] != 4 || told.Remedy == "" {
		t.Errorf("%+v", told)
	}
	must(t, os.WriteFile(here.Directory("file"), nil, 0o600))
	t.Setenv("PORTALLOC_DIR", here.Directory("file"))
	report, err = portalloc.Doctor(1)
	must(t, err)
	if report.OK || report.Checks[0].Status != "broken" || report.Checks[0].Remedy == "" || report.Explanation.Census != nil {
		t.Errorf("%+v", report)
	}
	_, err = portalloc.Doctor(-1)
	fails(t, err, portalloc.ErrInvalidArgument, "-1 ports")
}

func TestSettingsAndVersion(t *testing.T) {
	manifest, err := os.ReadFile("../Cargo.toml")
	must(t, err)
	here := world.New(t, 4)
	settings, err := portalloc.ReadSettings()
	must(t, err)
	if settings.Directory != here.Directory("registry") || settings.Pool != here.Pool() || settings.Ports != here.Pool() ||
		settings.PortCount != 4 || len(settings.Warnings) != 0 {
		t.Errorf("%+v", settings)
	}
	if !strings.Contains(string(manifest), fmt.Sprintf("\nversion = %q\n", portalloc.Version())) {
		t.Error(portalloc.Version())
	}
}

// The most common conflict in tests: the server of the test before is still open.
func TestAConflictWithinThisProcess(t *testing.T) {
	world.New(t, 1)
	lease, err := portalloc.Acquire(t.Context(), 1)
	_, file, line, _ := runtime.Caller(0)
	must(t, err)
	defer lease.Close()
	server, err := net.Listen("tcp", address(lease.Base()))
	must(t, err)
	defer server.Close()
	_, err = net.Listen("tcp", server.Addr().String())
	told, err := portalloc.ExplainConflict(err.Error())
	must(t, err)
	begin := fmt.Sprintf("port %d is in use by this process, PID %d (", lease.Base(), os.Getpid())
	leased := fmt.Sprintf("; held by this process, leased at %s:%d, since ", file, line-1)
	if !strings.HasPrefix(told, begin) || !strings.Contains(told, leased) {
		t.Errorf("%q lacks %q or %q", told, begin, leased)
	}
}
