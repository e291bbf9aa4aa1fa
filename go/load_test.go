//go:build !cgo

package portalloc_test

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

// loaded is what a program says of the library after its first call.
type loaded struct {
	Version, Error string
	IsUnsupported  bool
	// Mapped are the executable files of that name in the memory of the process.
	Mapped []string
}

func init() {
	roles["loads"] = sayWhatIsLoaded
	roles["loads without memfd_create"] = func() {
		refuseMemoryFiles()
		sayWhatIsLoaded()
	}
	roles["loads without /proc"] = func() {
		if err := syscall.Mount("none", "/proc", "tmpfs", 0, ""); err != nil {
			panic(err)
		}
		sayWhatIsLoaded()
	}
	roles["loads without descriptors first"] = func() {
		var before syscall.Rlimit
		if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			panic(err)
		}
		none := syscall.Rlimit{Cur: 0, Max: before.Max}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &none); err != nil {
			panic(err)
		}
		err := portalloc.CheckID("0123456789ab")
		if !errors.Is(err, portalloc.ErrSystemCall) || !strings.Contains(err.Error(), "too many open files") {
			panic(err)
		}
		if err := syscall.Setrlimit(syscall.RLIMIT_NOFILE, &before); err != nil {
			panic(err)
		}
		sayWhatIsLoaded()
	}
}

func sayWhatIsLoaded() {
	var of loaded
	if err := portalloc.CheckID("0123456789ab"); err != nil {
		of.Error, of.IsUnsupported = err.Error(), errors.Is(err, errors.ErrUnsupported)
	}
	of.Version = portalloc.Version()
	// An error of the library, with its message and its remedy, whatever that thread did before.
	if err := portalloc.CheckID("no ID"); of.Error == "" && !errors.Is(err, portalloc.ErrInvalidID) {
		panic(err)
	}
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		panic(err)
	}
	for line := range strings.Lines(string(maps)) {
		if fields := strings.Fields(line); len(fields) > 5 && fields[1] == "r-xp" && strings.Contains(fields[5], "portalloc") {
			of.Mapped = append(of.Mapped, fields[5])
		}
	}
	say(of)
}

// refuseMemoryFiles makes memfd_create fail in all threads of this process, as a container's policy may.
func refuseMemoryFiles() {
	numbers := map[string][2]uint32{"amd64": {319, 317}, "arm64": {279, 277}}[runtime.GOARCH] // memfd_create, seccomp
	const allow, fail = 0x7fff0000, 0x00050000                                                // SECCOMP_RET_
	filter := []syscall.SockFilter{
		{Code: syscall.BPF_LD | syscall.BPF_W | syscall.BPF_ABS, K: 0}, // the number of the call
		{Code: syscall.BPF_JMP | syscall.BPF_JEQ | syscall.BPF_K, K: numbers[0], Jt: 0, Jf: 1},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: fail | uint32(syscall.EPERM)},
		{Code: syscall.BPF_RET | syscall.BPF_K, K: allow},
	}
	program := syscall.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	runtime.LockOSThread()
	const noNewPrivileges, setModeFilter, allThreads = 38, 1, 1
	if _, _, failure := syscall.Syscall6(syscall.SYS_PRCTL, noNewPrivileges, 1, 0, 0, 0, 0); failure != 0 {
		panic(failure)
	}
	_, _, failure := syscall.Syscall(uintptr(numbers[1]), setModeFilter, allThreads, uintptr(unsafe.Pointer(&program)))
	if failure != 0 {
		panic(failure)
	}
	runtime.UnlockOSThread()
}

// loads runs a role with a cache directory, with a program in front of it if that is needed.
func loads(t *testing.T, role, cache string, front ...string) loaded {
	t.Helper()
	words := append(front, os.Args[0])
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Env = append(os.Environ(), roleVariable+"="+role, "XDG_CACHE_HOME="+cache)
	cmd.Stderr = os.Stderr
	output, err := cmd.Output()
	must(t, err)
	var of loaded
	must(t, json.Unmarshal(output, &of))
	return of
}

// files are those below a directory.
func files(t *testing.T, directory string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(directory, "*", "*"))
	must(t, err)
	return found
}

func TestTheLibraryIsLoadedFromMemory(t *testing.T) {
	world.New(t, 1)
	cache := t.TempDir()
	of := loads(t, "loads", cache)
	if len(of.Mapped) != 1 || !strings.HasPrefix(of.Mapped[0], "/memfd:") || of.Version != portalloc.Version() ||
		len(files(t, cache)) != 0 {
		t.Errorf("%+v %v", of, files(t, cache))
	}
}

func TestWhereMemoryIsRefusedTheLibraryIsInTheCache(t *testing.T) {
	world.New(t, 1)
	cache := t.TempDir()
	for _, damage := range []string{"", "damaged", "cut off"} {
		if before := files(t, cache); damage != "" {
			content := []byte("something else")
			if damage == "cut off" {
				content = must2(os.ReadFile(before[0]))[:4096]
			}
			must(t, os.WriteFile(before[0], content, 0o600))
		}
		of := loads(t, "loads without memfd_create", cache)
		found := files(t, cache)
		if len(found) != 1 {
			t.Fatalf("%+v %v", of, found)
		}
		hash := fmt.Sprintf("%x", sha256.Sum256(must2(os.ReadFile(found[0]))))
		if len(of.Mapped) != 1 || of.Mapped[0] != found[0] || filepath.Base(found[0]) != hash+".so" {
			t.Errorf("%q: %+v %v %s", damage, of, found, hash)
		}
		mode := must2(os.Stat(filepath.Dir(found[0]))).Mode().Perm()
		if mode != 0o700 || of.Version != portalloc.Version() {
			t.Errorf("%v %+v", mode, of)
		}
	}
}

func TestWhatAKilledWriterHasLeftIsRemoved(t *testing.T) {
	world.New(t, 1)
	cache := t.TempDir()
	own := filepath.Join(cache, "portalloc")
	must(t, os.Mkdir(own, 0o700))
	abandoned, young := filepath.Join(own, ".new-1"), filepath.Join(own, ".new-2")
	for path, age := range map[string]time.Duration{abandoned: 2 * time.Hour, young: 0} {
		must(t, os.WriteFile(path, nil, 0o600))
		must(t, os.Chtimes(path, time.Time{}, time.Now().Add(-age)))
	}
	of := loads(t, "loads without memfd_create", cache)
	_, gone := os.Stat(abandoned)
	_, kept := os.Stat(young)
	if of.Error != "" || !errors.Is(gone, os.ErrNotExist) || kept != nil {
		t.Errorf("%+v %v %v", of, gone, kept)
	}
}

func TestWithoutProcTheLibraryIsInTheCache(t *testing.T) {
	world.Possible(t, exec.Command("unshare", "--mount", "true").Run() == nil, "`unshare --mount` does not work here")
	world.New(t, 1)
	cache := t.TempDir()
	of := loads(t, "loads without /proc", cache, "unshare", "--mount")
	if of.Error != "" || len(files(t, cache)) != 1 {
		t.Errorf("%+v %v", of, files(t, cache))
	}
}

// Whoever can write there could make the program execute anything.
func TestACacheThatOthersCanWriteIsNotUsed(t *testing.T) {
	world.New(t, 1)
	for name, prepare := range map[string]func(cache, own string) error{
		"others may write the directory": func(_, own string) error { return os.Chmod(own, 0o702) },
		"others may read the directory":  func(_, own string) error { return os.Chmod(own, 0o755) },
		"its group may write the parent": func(cache, _ string) error { return os.Chmod(cache, 0o770) },
		"others may write the parent":    func(cache, _ string) error { return os.Chmod(cache, 0o777) },
		"a file in its place": func(_, own string) error {
			must(t, os.Remove(own))
			return os.WriteFile(own, nil, 0o600)
		},
		"another user's": func(_, own string) error {
			world.Possible(t, os.Geteuid() == 0, "only root can give a directory to another user")
			return os.Chown(own, 65534, 65534)
		},
		"another user's parent": func(cache, _ string) error {
			world.Possible(t, os.Geteuid() == 0, "only root can give a directory to another user")
			return os.Chown(cache, 65534, 65534)
		},
	} {
		t.Run(name, func(t *testing.T) {
			cache := filepath.Join(t.TempDir(), "cache")
			own := filepath.Join(cache, "portalloc")
			must(t, os.MkdirAll(own, 0o700))
			must(t, prepare(cache, own))
			of := loads(t, "loads without memfd_create", cache)
			if !of.IsUnsupported || of.Version != "" || len(of.Mapped) != 0 || !strings.Contains(of.Error, cache) ||
				!strings.Contains(of.Error, "memfd_create: operation not permitted") {
				t.Errorf("%+v", of)
			}
			if left := files(t, cache); len(left) != 0 {
				t.Error(left)
			}
		})
	}
}

func TestAFailedLoadIsTriedAgain(t *testing.T) {
	world.New(t, 1)
	if of := loads(t, "loads without descriptors first", t.TempDir()); of.Error != "" || len(of.Mapped) != 1 {
		t.Errorf("%+v", of)
	}
}

func must2[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
