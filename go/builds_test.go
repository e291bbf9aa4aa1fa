//go:build !cgo

package portalloc_test

// Once for all ways in which these tests themselves are built.

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// built builds a program that imports the package, and returns its path.
func built(t *testing.T, environment []string, flags ...string) string {
	t.Helper()
	source, program := filepath.Join(t.TempDir(), "main.go"), filepath.Join(t.TempDir(), "program")
	must(t, os.WriteFile(source, []byte(`package main

import (
	"errors"
	"fmt"

	portalloc "github.com/portalloc/portalloc/go"
)

func main() {
	port, err := portalloc.Port()
	fmt.Println(port > 0, errors.Is(err, errors.ErrUnsupported), portalloc.GiveBack(port), err)
	fmt.Println(portalloc.IsFree(-1))
}
`), 0o600))
	cmd := exec.Command("go", append(append([]string{"build", "-o", program}, flags...), source)...)
	cmd.Env = append(os.Environ(), environment...)
	if output, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return program
}

func isStatic(t *testing.T, program string) bool {
	t.Helper()
	file, err := elf.Open(program)
	must(t, err)
	defer file.Close()
	for _, part := range file.Progs {
		if part.Type == elf.PT_INTERP {
			return false
		}
	}
	return true
}

// runs is what a program prints; it must succeed.
func runs(t *testing.T, program string) string {
	t.Helper()
	output, err := exec.Command(program).CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	return string(output)
}

func TestAStaticProgramWithCgoHasTheLibrary(t *testing.T) {
	program := built(t, []string{"CGO_ENABLED=1"}, "-ldflags=-linkmode external -extldflags -static")
	if output := runs(t, program); !isStatic(t, program) || !strings.HasPrefix(output, "true false true <nil>\n") {
		t.Errorf("%v %s", isStatic(t, program), output)
	}
}

func TestAStaticProgramWithoutCgoSaysWhyItCannot(t *testing.T) {
	program := built(t, []string{"CGO_ENABLED=0"}, "-tags=portalloc_static")
	output := runs(t, program)
	if !isStatic(t, program) || !strings.HasPrefix(output, "false true false portalloc: ") ||
		strings.Count(output, "without cgo and with the tag portalloc_static") != 2 {
		t.Errorf("%v %s", isStatic(t, program), output)
	}
}

// failsToBuild builds the package in a directory, which must fail with this one error.
func failsToBuild(t *testing.T, directory string, environment []string, name string) {
	t.Helper()
	cmd := exec.Command("go", "build", ".")
	cmd.Dir = directory
	cmd.Env = append(os.Environ(), environment...)
	output, err := cmd.CombinedOutput()
	// The first line is the package's.
	if err == nil || strings.Count(string(output), "\n") != 2 || !strings.Contains(string(output), "undefined: "+name) {
		t.Errorf("%v: %v\n%s", environment, err, output)
	}
}

func TestOnForeignSystemsOneErrorSaysSo(t *testing.T) {
	for _, system := range [][2]string{{"darwin", "arm64"}, {"linux", "386"}} {
		failsToBuild(t, ".", []string{"CGO_ENABLED=0", "GOOS=" + system[0], "GOARCH=" + system[1]},
			"portalloc_is_for_linux_on_amd64_and_arm64")
	}
}

// As in what `go get` makes of a branch.
func TestWithoutTheLibraryOneErrorSaysSo(t *testing.T) {
	copied := t.TempDir()
	must(t, os.CopyFS(copied, os.DirFS(".")))
	made, err := filepath.Glob(filepath.Join(copied, "internal/library/*_linux_*"))
	must(t, err)
	if len(made) != 4 {
		t.Errorf("%v is what `make go-library` makes", made)
	}
	for _, file := range append(made, filepath.Join(copied, "internal/library/portalloc.h")) {
		must(t, os.Remove(file))
	}
	for _, cgo := range []string{"CGO_ENABLED=0", "CGO_ENABLED=1"} {
		failsToBuild(t, copied, []string{cgo}, "this_copy_of_portalloc_has_no_library")
	}
}
