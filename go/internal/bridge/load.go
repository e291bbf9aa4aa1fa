//go:build !cgo && !portalloc_static && linux && (amd64 || arm64)

package bridge

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"

	"github.com/ebitengine/purego"
	"github.com/portalloc/portalloc/go/internal/library"
)

// The library, once it is loaded. There is never a second one: its state is that of the process. What failed is tried again
// at the next call, for it may be that there was no descriptor left.
var (
	loading sync.Mutex
	loaded  uintptr
)

func load() (uintptr, error) {
	loading.Lock()
	defer loading.Unlock()
	if loaded != 0 {
		return loaded, nil
	}
	opened, err := openFromMemory(library.Shared)
	if err != nil {
		path, fallback := cached(library.Shared)
		if fallback == nil {
			opened, fallback = open(path)
		}
		if fallback != nil {
			return 0, fmt.Errorf("the library cannot be loaded from memory: %w; nor from the cache directory: %w", err, fallback)
		}
	}
	collect, err := purego.Dlsym(opened, "pgo_collect_warnings")
	if err != nil {
		return 0, err
	}
	purego.SyscallN(collect)
	loaded = opened
	return loaded, nil
}

// failure is the outcome of a call for which there is no library.
func failure(err error) Outcome {
	if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM) {
		return Outcome{Result: systemCall, Message: err.Error(), Remedy: "raise the limit, or close what is not needed"}
	}
	return Outcome{
		Result:  unsupported,
		Message: err.Error(),
		Remedy:  "build the program with cgo, or let it execute what is in its memory or in its user's cache directory",
	}
}

func open(path string) (uintptr, error) {
	// The reason of a failure is kept for the thread.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	// Local: other libraries of the program, which may link portalloc themselves, see nothing of this one.
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

// openFromMemory needs memfd_create and /proc.
func openFromMemory(content []byte) (uintptr, error) {
	file, err := memoryFile()
	if err != nil {
		return 0, err
	}
	defer file.Close()
	if _, err := file.Write(content); err != nil {
		return 0, err
	}
	// The dynamic loader takes a path for a library that it has if that one had the same path, whatever is there by now. The
	// dot keeps this path apart from those of others who load libraries in this way, and get the same descriptor later.
	return open(fmt.Sprintf("/proc/self/fd/./%d", file.Fd()))
}

var memfdCreate = map[string]uintptr{"amd64": 319, "arm64": 279}[runtime.GOARCH]

const (
	memfdCloseOnExec = 1
	// Nobody can start it as a program, which the sysctl vm.memfd_noexec may demand. It can still be mapped as a library.
	memfdNoExec = 8
)

func memoryFile() (*os.File, error) {
	name := []byte("portalloc\x00")
	fd, _, failure := syscall.Syscall(memfdCreate, uintptr(p(&name[0])), memfdCloseOnExec|memfdNoExec, 0)
	if failure == syscall.EINVAL { // before Linux 6.3
		fd, _, failure = syscall.Syscall(memfdCreate, uintptr(p(&name[0])), memfdCloseOnExec, 0)
	}
	if failure != 0 {
		return nil, os.NewSyscallError("memfd_create", failure)
	}
	return os.NewFile(fd, "portalloc in memory"), nil
}
