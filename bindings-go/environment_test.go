package portalloc_test

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/bindings-go"
	"github.com/portalloc/portalloc/bindings-go/internal/world"
)

func TestAnEnvironment(t *testing.T) {
	here := world.New(t, 10)
	environment, err := portalloc.NewEnvironment(portalloc.WithNames("web", "my-db"), portalloc.WithInstanceID("one"))
	must(t, err)
	defer environment.Cleanup()
	must(t, portalloc.CheckID(environment.ID()))
	if info, err := os.Stat(environment.TempDir()); err != nil || !info.IsDir() ||
		filepath.Dir(environment.TempDir()) != here.Folder("temp") {
		t.Error(environment.TempDir(), err)
	}
	file, err := os.ReadFile(environment.EnvFile())
	must(t, err)
	for _, line := range environment.Environ() {
		if !strings.Contains(string(file), line+"\n") {
			t.Errorf("%q is not in the env file", line)
		}
	}
	if !slices.Contains(environment.Environ(), fmt.Sprintf("MY_DB_PORT=%d", environment.Port("my-db"))) {
		t.Error(environment.Environ())
	}
	if environment.Port("web") != environment.Base() || environment.Port("my-db") != environment.Ports()[1] ||
		!reflect.DeepEqual(environment.Names(), []string{"web", "my-db"}) || environment.InstanceID() != "one" ||
		environment.Kept() || environment.Attached() || environment.Worktree() != here.Folder("work") {
		t.Errorf("%+v", environment)
	}
	if port, ok := environment.LookupPort("redis"); ok {
		t.Error(port)
	}
	func() {
		defer func() {
			if why := recover(); why == nil || !strings.Contains(why.(string), `"redis"`) {
				t.Error(why)
			}
		}()
		environment.Port("redis")
	}()
	found, err := portalloc.Validate(environment.ID())
	if err != nil || !found.Valid || found.Message != "" {
		t.Error(found, err)
	}
	must(t, os.Remove(environment.EnvFile()))
	if found, err = portalloc.Validate(environment.ID()); err != nil || found.Valid || found.Message == "" {
		t.Error(found, err)
	}
	must(t, environment.Cleanup())
	must(t, environment.Cleanup())
	if _, err := os.Stat(environment.TempDir()); !os.IsNotExist(err) {
		t.Error(err)
	}
}

func TestTheLeaseOfAnEnvironment(t *testing.T) {
	world.New(t, 5)
	environment, err := portalloc.NewEnvironment(portalloc.WithNames("web"), portalloc.WithGuard())
	must(t, err)
	defer environment.Cleanup()
	lease, err := environment.Lease()
	must(t, err)
	if lease.GuardState() != portalloc.GuardShut || lease.Base() != environment.Port("web") {
		t.Error(lease, lease.GuardState())
	}
	server, err := lease.Listener(0)
	must(t, err)
	must(t, server.Close())
	lease.Release() // gives up this view of it
	if free, err := portalloc.IsFree(environment.Base()); err != nil || free {
		t.Error(free, err)
	}
	lease, err = environment.Lease()
	must(t, err)
	must(t, environment.Cleanup())
	if !lease.Released() {
		t.Error("it outlives its environment")
	}
	fails(t, lease.Guard(), portalloc.ErrInvalidArgument)
	fails(t, second(environment.Lease()), portalloc.ErrInvalidArgument)
	lease.Release()
}

func TestALeaseKeepsItsEnvironmentAlive(t *testing.T) {
	world.New(t, 5)
	lease := func() *portalloc.Lease {
		environment, err := portalloc.NewEnvironment(portalloc.WithoutEnvFile())
		must(t, err)
		lease, err := environment.Lease()
		must(t, err)
		return lease
	}()
	for range 20 {
		runtime.GC()
		if lease.Released() {
			t.Fatal("it is gone")
		}
	}
	runtime.KeepAlive(lease)
	lease = nil
	until(t, "the lost environment is cleaned up", func() bool {
		runtime.GC()
		listing, err := portalloc.List()
		must(t, err)
		return len(listing.Environments) == 0
	})
}

func TestAKeptEnvironment(t *testing.T) {
	here := world.New(t, 5)
	made, err := portalloc.NewEnvironment(portalloc.WithKept(), portalloc.WithTTL(time.Hour), portalloc.WithPorts(here.Base+4),
		portalloc.WithEnvFile(here.Folder("work")+"/.env.isolation.mine"), portalloc.WithWorktree(here.Folder("work")))
	must(t, err)
	t.Cleanup(func() { made.Cleanup() })
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
		func() (*portalloc.Environment, error) { return portalloc.Attach("") },
		func() (*portalloc.Environment, error) { return portalloc.Current() },
	} {
		current, err := attach()
		must(t, err)
		if current.ID() != made.ID() || !current.Attached() {
			t.Errorf("%+v", current)
		}
	}
	listing, err := portalloc.List()
	must(t, err)
	if len(listing.Environments) != 1 {
		t.Fatalf("%+v", listing)
	}
	info := listing.Environments[0]
	// The hour begins with the call, a little before the environment is there.
	lasts := info.ExpiresAt.Sub(info.CreatedAt)
	if info.ID != made.ID() || info.Status != "active" || info.Reason != "" || !info.Kept || info.HolderPID != 0 ||
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
	made, err := portalloc.Current(portalloc.WithPool(fmt.Sprint(here.Base)), portalloc.WithOffsets(0, 4),
		portalloc.WithSticky(), portalloc.WithoutEnvFile())
	must(t, err)
	defer made.Cleanup()
	if made.Attached() || made.Base() != here.Base || made.Ports()[1] != here.Base+4 || made.EnvFile() != "" {
		t.Errorf("%+v", made)
	}
}

func TestTheProjectFileIsRead(t *testing.T) {
	here := world.New(t, 10)
	must(t, os.WriteFile(here.Folder("work")+"/portalloc.toml", []byte("names = [\"web\", \"db\"]\n"), 0o600))
	made, err := portalloc.NewEnvironment(portalloc.WithoutEnvFile())
	must(t, err)
	defer made.Cleanup()
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
	if !report.InUse || !report.Leased || len(report.Holders) != 1 || report.String() == "" {
		t.Fatalf("%+v", report)
	}
	holder := report.Holders[0]
	if holder.PID != os.Getpid() || !holder.Leased || !holder.Listening || holder.Name == "" || holder.User == "" ||
		!strings.Contains(holder.Command, os.Args[0]) || holder.StartedAt.IsZero() || time.Since(holder.StartedAt) < 0 {
		t.Errorf("%+v", holder)
	}
	listing, err := portalloc.List()
	must(t, err)
	if len(listing.Leases) != 1 || len(listing.Environments) != 0 {
		t.Fatalf("%+v", listing)
	}
	if info := listing.Leases[0]; !reflect.DeepEqual(info.Ports, lease.Ports()) || info.HolderPID != os.Getpid() ||
		info.HolderName == "" || info.UserID != os.Getuid() || time.Since(info.Since) > world.Deadline {
		t.Errorf("%+v", info)
	}
	lease.Release()
}

func TestSettingsAndVersion(t *testing.T) {
	manifest, err := os.ReadFile("../Cargo.toml")
	must(t, err)
	here := world.New(t, 4)
	settings, err := portalloc.ReadSettings()
	must(t, err)
	if settings.Directory != here.Folder("registry") || settings.Pool != here.Pool() || settings.Ports != here.Pool() ||
		settings.PortCount != 4 {
		t.Errorf("%+v", settings)
	}
	if !strings.Contains(string(manifest), fmt.Sprintf("\nversion = %q\n", portalloc.Version())) {
		t.Error(portalloc.Version())
	}
}
