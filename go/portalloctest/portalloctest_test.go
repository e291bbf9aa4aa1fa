package portalloctest_test

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"strings"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
	"github.com/portalloc/portalloc/go/portalloctest"
)

func TestMain(m *testing.M) { os.Exit(world.Main(m, 60)) }

// scene is a test within a test: it notes what fails, and ends when it is told to.
type scene struct {
	testing.TB
	errors   []string
	cleanups []func()
}

func (s *scene) Helper()           {}
func (s *scene) Cleanup(do func()) { s.cleanups = append(s.cleanups, do) }
func (s *scene) Error(args ...any) { s.errors = append(s.errors, fmt.Sprint(args...)) }
func (s *scene) Errorf(format string, args ...any) {
	s.errors = append(s.errors, fmt.Sprintf(format, args...))
}
func (s *scene) Fatal(args ...any) { s.Error(args...); runtime.Goexit() }

func play(t *testing.T, test func(*scene)) []string {
	one := &scene{TB: t}
	over := make(chan struct{})
	go func() {
		defer close(over)
		defer func() {
			for index := len(one.cleanups) - 1; index >= 0; index-- {
				one.cleanups[index]()
			}
		}()
		test(one)
	}()
	<-over
	return one.errors
}

func isLeased(t *testing.T, port int, leased bool) {
	t.Helper()
	report, err := portalloc.Who(port)
	if err != nil || (report.Lease != nil) != leased {
		t.Errorf("%v %v", report, err)
	}
}

func TestPortsAreTheTestsUntilItEnds(t *testing.T) {
	var ports []int
	if errors := play(t, func(s *scene) {
		ports = append(portalloctest.Ports(s, 3), portalloctest.Port(s))
		ports = append(ports, portalloctest.Lease(s, 2, portalloc.WithGuard()).Ports()...)
		runtime.GC() // a number alone keeps the lease, too
		for _, port := range ports {
			isLeased(t, port, true)
		}
	}); len(errors) > 0 || len(ports) != 6 {
		t.Error(errors, ports)
	}
	for _, port := range ports {
		isLeased(t, port, false)
	}
}

func TestATestWithoutPortsFails(t *testing.T) {
	got := play(t, func(s *scene) {
		portalloctest.Port(s, portalloc.WithPool("0"))
		t.Error("it goes on")
	})
	if len(got) != 1 || !strings.Contains(got[0], "portalloc: ") {
		t.Error(got)
	}
	got = play(t, func(s *scene) {
		portalloctest.Env(s, portalloc.WithNames("a b"))
		t.Error("it goes on")
	})
	if len(got) != 1 {
		t.Error(got)
	}
	got = play(t, func(s *scene) {
		portalloctest.Listener(s, portalloc.WithHost("example.org"))
		t.Error("it goes on")
	})
	if len(got) != 1 {
		t.Error(got)
	}
}

func TestAForgottenServerIsNamed(t *testing.T) {
	var server net.Listener
	var port int
	errors := play(t, func(s *scene) {
		var err error
		port = portalloctest.Port(s)
		if server, err = net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port)); err != nil {
			t.Error(err)
		}
	})
	server.Close()
	named := fmt.Sprintf("port %d is given back, but still listened on by this process, PID %d", port, os.Getpid())
	if len(errors) != 1 || !strings.HasPrefix(errors[0], named) {
		t.Errorf("%q, not %q", errors, named)
	}
	isLeased(t, port, false)
}

func TestAServerThatIsClosedIsNot(t *testing.T) {
	for name, end := range map[string]func(*scene, net.Listener){
		"by a cleanup": func(s *scene, server net.Listener) { s.Cleanup(func() { server.Close() }) },
		// A moment later, as by a process that was told to end.
		"in a moment": func(s *scene, server net.Listener) { s.Cleanup(func() { go server.Close() }) },
	} {
		t.Run(name, func(t *testing.T) {
			if errors := play(t, func(s *scene) {
				server, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", portalloctest.Port(s)))
				if err != nil {
					t.Error(err)
					return
				}
				end(s, server)
			}); len(errors) > 0 {
				t.Error(errors)
			}
		})
	}
}

func TestAnEarlyReleaseIsNotJudged(t *testing.T) {
	if errors := play(t, func(s *scene) {
		lease := portalloctest.Lease(s, 1)
		lease.Close()
	}); len(errors) > 0 {
		t.Error(errors)
	}
}

func TestAListenerServes(t *testing.T) {
	var address net.Addr
	if errors := play(t, func(s *scene) {
		server := httptest.NewUnstartedServer(http.NotFoundHandler())
		server.Listener.Close()
		server.Listener = portalloctest.Listener(s)
		address = server.Listener.Addr()
		server.Start()
		defer server.Close()
		answer, err := server.Client().Get(server.URL)
		if err != nil {
			t.Error(err)
			return
		}
		answer.Body.Close()
		if answer.StatusCode != http.StatusNotFound || !strings.HasSuffix(server.URL, address.String()) {
			t.Error(answer, server.URL)
		}
		isLeased(t, address.(*net.TCPAddr).Port, true)
	}); len(errors) > 0 {
		t.Error(errors)
	}
	isLeased(t, address.(*net.TCPAddr).Port, false)
}

func TestAPacketConn(t *testing.T) {
	var port int
	if errors := play(t, func(s *scene) {
		port = portalloctest.PacketConn(s).LocalAddr().(*net.UDPAddr).Port
		isLeased(t, port, true)
	}); len(errors) > 0 {
		t.Error(errors)
	}
	isLeased(t, port, false)
}

func TestAnEnvironmentEndsWithItsTest(t *testing.T) {
	var directory string
	if errors := play(t, func(s *scene) {
		environment := portalloctest.Env(s, portalloc.WithNames("web", "db"))
		directory = environment.TempDir()
		if environment.EnvFile() != "" {
			t.Error(environment.EnvFile())
		}
		if _, err := os.Stat(directory); err != nil {
			t.Error(err)
		}
		isLeased(t, environment.MustPort("db"), true)
	}); len(errors) > 0 {
		t.Error(errors)
	}
	if _, err := os.Stat(directory); !os.IsNotExist(err) {
		t.Error(err)
	}
}
