package portalloc_test

import (
	"errors"
	"io/fs"
	"os"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

var constants = map[string]portalloc.Code{
	"INVALID_ARGUMENT":  portalloc.ErrInvalidArgument,
	"INVALID_ID":        portalloc.ErrInvalidID,
	"POOL_EXHAUSTED":    portalloc.ErrPoolExhausted,
	"PORT_IN_USE":       portalloc.ErrPortInUse,
	"NOT_FOUND":         portalloc.ErrNotFound,
	"IN_USE":            portalloc.ErrEnvironmentInUse,
	"ENV_FILE_EXISTS":   portalloc.ErrEnvFileExists,
	"ID_EXHAUSTED":      portalloc.ErrIDExhausted,
	"REGISTRY_UNUSABLE": portalloc.ErrRegistryUnusable,
	"PERMISSION_DENIED": portalloc.ErrPermissionDenied,
	"TIMEOUT":           portalloc.ErrWaitTimeout,
	"UNSUPPORTED":       portalloc.ErrUnsupported,
	"IO":                portalloc.ErrSystemCall,
	"INTERNAL":          portalloc.ErrInternal,
}

// The header's table, which a test of the library compares with the core's.
func TestEveryCodeOfTheHeaderHasAConstant(t *testing.T) {
	header, err := os.ReadFile("../bindings-c/include/portalloc.h")
	must(t, err)
	found := regexp.MustCompile(`PORTALLOC_RESULT_(\w+) = (\d+)`).FindAllStringSubmatch(string(header), -1)
	if len(found) != len(constants)+1 || len(portalloc.Codes()) != len(constants) {
		t.Errorf("%d in the header with OK, %d constants, %d codes", len(found), len(constants), len(portalloc.Codes()))
	}
	for _, one := range found {
		number, err := strconv.Atoi(one[2])
		must(t, err)
		if one[1] == "OK" {
			continue
		}
		code, ok := constants[one[1]]
		if !ok || int(code) != number || code.String() != strings.ToLower(one[1]) {
			t.Errorf("%s is %d (%v), not %d", one[1], code, code, number)
		}
	}
}

func TestErrorsAreMatched(t *testing.T) {
	world.New(t, 3)
	lease := acquire(t, 3)
	_, exhausted := portalloc.Acquire(t.Context(), 1)
	_, taken := portalloc.Acquire(t.Context(), 0, portalloc.Exactly(lease.Port(1)))
	if !errors.Is(exhausted, portalloc.ErrPoolExhausted) || errors.Is(exhausted, portalloc.ErrPortInUse) {
		t.Error(exhausted)
	}
	if !errors.Is(taken, portalloc.ErrPortInUse) || !errors.Is(taken, syscall.EADDRINUSE) {
		t.Error(taken)
	}
	var failed *portalloc.Error
	if !errors.As(taken, &failed) || failed.Remedy == "" ||
		taken.Error() != "portalloc: "+failed.Message+"; "+failed.Remedy {
		t.Error(taken)
	}
	lease.Close()
	for code, own := range map[portalloc.Code]error{
		portalloc.ErrEnvFileExists:    fs.ErrExist,
		portalloc.ErrPermissionDenied: fs.ErrPermission,
		portalloc.ErrUnsupported:      errors.ErrUnsupported,
		portalloc.ErrWaitTimeout:      os.ErrDeadlineExceeded,
	} {
		if !errors.Is(&portalloc.Error{Code: code}, own) || errors.Is(portalloc.ErrInternal, own) {
			t.Errorf("%v is not %v", code, own)
		}
	}
}

func TestATimeoutIsOneForThoseWhoAskOnlyThat(t *testing.T) {
	var timeout interface{ Timeout() bool }
	if !errors.As(error(&portalloc.Error{Code: portalloc.ErrWaitTimeout}), &timeout) || !timeout.Timeout() ||
		(&portalloc.Error{Code: portalloc.ErrSystemCall}).Timeout() {
		t.Error("not a timeout")
	}
}

// What C cannot say must not become something else on its way.
func TestWhatDoesNotCrossTheBorder(t *testing.T) {
	here := world.New(t, 10)
	for name, err := range map[string]error{
		"no ports":           second(portalloc.Acquire(t.Context(), 0)),
		"fewer than none":    second(portalloc.Acquire(t.Context(), -1)),
		"a port below 0":     second(portalloc.Acquire(t.Context(), 0, portalloc.Exactly(-1))),
		"a port too high":    second(portalloc.Acquire(t.Context(), 0, portalloc.Exactly(65536))),
		"port 0":             second(portalloc.Acquire(t.Context(), 0, portalloc.Exactly(0))),
		"an empty list":      second(portalloc.Acquire(t.Context(), 0, portalloc.Exactly())),
		"another number":     second(portalloc.Acquire(t.Context(), 3, portalloc.Exactly(here.Base))),
		"no offsets":         second(portalloc.Acquire(t.Context(), 0, portalloc.Offsets())),
		"an offset":          second(portalloc.Acquire(t.Context(), 0, portalloc.Offsets(0, 65535))),
		"offsets and more":   second(portalloc.Acquire(t.Context(), 0, portalloc.Offsets(0, 1), portalloc.Scattered())),
		"a zero byte":        second(portalloc.Acquire(t.Context(), 1, portalloc.WithPool("20000\x00-20001"))),
		"a sticky key":       second(portalloc.Acquire(t.Context(), 1, portalloc.WithStickyKey("a\x00b"))),
		"no UTF-8":           second(portalloc.Acquire(t.Context(), 1, portalloc.WithPool("\xff"))),
		"no time":            second(portalloc.Acquire(t.Context(), 1, portalloc.WithWait(-1))),
		"free":               second(portalloc.IsFree(65536 + 80)),
		"who":                second(portalloc.Who(-1)),
		"wait":               portalloc.WaitUntilOpen(t.Context(), 65536),
		"wait for an answer": portalloc.WaitUntilReady(t.Context(), portalloc.Readiness{HTTP: "health"}, 80),
		"a status":           portalloc.WaitUntilReady(t.Context(), portalloc.Readiness{Status: 99}, 80),
		"wait free":          portalloc.WaitUntilFree(t.Context(), -1),
		"a name":             second(portalloc.NewEnvironment(t.Context(), portalloc.WithNames("web\x00"))),
		"no environment":     second(portalloc.NewEnvironment(t.Context(), portalloc.WithPortCount(0))),
		"a TTL":              second(portalloc.NewEnvironment(t.Context(), portalloc.WithKept(), portalloc.WithTTL(-1))),
		"an owner":           second(portalloc.NewEnvironment(t.Context(), portalloc.WithKept(), portalloc.WithOwner(-1))),
		"a huge owner":       second(portalloc.NewEnvironment(t.Context(), portalloc.WithKept(), portalloc.WithOwner(1<<32))),
		"no index":           second(acquire(t, 1).Socket(-1)),
		"a value":            second(portalloc.Render([]portalloc.Variable{{Name: "A", Value: "\x00"}}, "shell")),
	} {
		t.Run(name, func(t *testing.T) { fails(t, err, portalloc.ErrInvalidArgument) })
	}
	fails(t, portalloc.CheckID("0123456789ab\x00"), portalloc.ErrInvalidID)
	fails(t, second(portalloc.Cleanup("0123456789ab\x00")), portalloc.ErrInvalidID)
	fails(t, second(portalloc.Attach("0123456789ab\x00")), portalloc.ErrInvalidID)
}

func second[T any](_ T, err error) error { return err }

// The message is kept for a thread, and goroutines change threads.
func TestAnErrorIsThatOfItsOwnCall(t *testing.T) {
	world.New(t, 1)
	lease := acquire(t, 1)
	var group sync.WaitGroup
	for port := range 64 {
		group.Add(1)
		go func() {
			defer group.Done()
			for range 200 {
				_, err := portalloc.Acquire(t.Context(), 0, portalloc.Exactly(lease.Base(), port+1, port+1))
				fails(t, err, portalloc.ErrInvalidArgument, "port "+strconv.Itoa(port+1)+" asked for twice")
			}
		}()
	}
	group.Wait()
	lease.Close()
}
