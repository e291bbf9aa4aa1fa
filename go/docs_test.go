package portalloc_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

// Every block of Go in docs/go.md, as it stands there, in a module of its own that uses this one. One
// without a package clause is a test file. One behind `<!-- fails -->` must fail, and print what is in the block of `text`
// behind it. Blocks of `sh` are run by tests/docs.rs.
type block struct {
	language, text, note string
	line                 int
}

const page = "../docs/go.md"

func blocks(t *testing.T, text string) (found []block) {
	var note string
	var open *block
	for number, line := range strings.Split(text, "\n") {
		switch {
		case open != nil && line == "```":
			found = append(found, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		case strings.HasPrefix(line, "```"):
			open = &block{language: line[3:], note: note, line: number + 2}
			note = ""
		case strings.HasPrefix(line, "<!-- "):
			note = strings.TrimSuffix(strings.TrimPrefix(line, "<!-- "), " -->")
		}
	}
	if open != nil || note != "" {
		t.Fatalf("%s: a block is not closed, or a note without one: %v %q", page, open, note)
	}
	return found
}

func TestTheGoOfTheDocumentation(t *testing.T) {
	text, err := os.ReadFile(page)
	must(t, err)
	root, err := filepath.Abs(".")
	must(t, err)
	here := world.New(t, 40)
	module := here.Directory("work")
	own := "github.com/portalloc/portalloc/go"
	// This directory in place of a release.
	must(t, os.WriteFile(module+"/go.mod", []byte("module page\n\ngo 1.25.0\n\nreplace "+own+" => "+root+"\n"), 0o600))
	all := blocks(t, string(text))
	var programs, printed []func()
	tests, failures := 0, 0
	var fail string
	for _, one := range all {
		where := fmt.Sprintf("line%d", one.line)
		directory := filepath.Join(module, where)
		switch one.language {
		case "go":
			must(t, os.Mkdir(directory, 0o700))
			name := "page_test.go"
			switch {
			case strings.HasPrefix(one.text, "package main\n"):
				name = "main.go"
				programs = append(programs, func() {
					if output, err := goes(module, "run", "./"+where); err != nil {
						t.Errorf("%s: %v\n%s", where, err, output)
					}
				})
			case one.note == "fails":
				one.text = "//go:build fails\n\npackage page\n\n" + one.text
				fail = where
				failures++
			default:
				one.text = "package page\n\n" + one.text
				tests++
			}
			must(t, os.WriteFile(filepath.Join(directory, name), []byte(one.text), 0o600))
		case "text":
			printed = append(printed, func() {
				output, err := goes(module, "test", "-tags=fails", "./"+fail)
				if err == nil || !strings.Contains(numberless(output), numberless(strings.TrimSpace(one.text))) {
					t.Errorf("%s: %v, and not %q\n%s", fail, err, one.text, output)
				}
			})
		case "sh", "console":
		default:
			t.Errorf("%s: nobody runs a block of %q", where, one.language)
		}
	}
	if len(programs) < 2 || tests < 7 || failures != 1 || len(printed) != 1 {
		t.Errorf("%d programs, %d tests, %d failures, %d texts", len(programs), tests, failures, len(printed))
	}
	if command := "\n$ go get " + own + "\n"; !strings.Contains(string(text), command) {
		t.Errorf("the page does not say %q", command)
	}
	if output, err := goes(module, "get", own); err != nil {
		t.Fatalf("%v\n%s", err, output)
	}
	for _, run := range append(programs, printed...) {
		run()
	}
	for _, arguments := range [][]string{{"vet", "-tags=fails", "./..."}, {"test", "-v", "-count=1", "./..."}} {
		output, err := goes(module, arguments...)
		if err != nil {
			t.Errorf("%v: %v\n%s", arguments, err, output)
		}
		if passed := strings.Count(output, "\n--- PASS: "); arguments[0] == "test" && passed < tests {
			t.Errorf("%d tests, but %d have passed\n%s", tests, passed, output)
		}
	}
	formatted, err := exec.Command("gofmt", "-l", module).CombinedOutput()
	if err != nil || len(formatted) > 0 {
		t.Errorf("not as gofmt has it: %v %s", err, formatted)
	}
}

func goes(directory string, arguments ...string) (string, error) {
	cmd := exec.Command("go", arguments...)
	cmd.Dir = directory
	cmd.Env = append(os.Environ(), "GOPROXY=off", "GOSUMDB=off", "GOWORK=off")
	output, err := cmd.CombinedOutput()
	return string(output), err
}

func numberless(text string) string {
	return regexp.MustCompile(`\d+`).ReplaceAllString(text, "N")
}

func TestTheTableOfErrorsIsThatOfTheCode(t *testing.T) {
	text, err := os.ReadFile(page)
	must(t, err)
	rows := regexp.MustCompile("(?m)^\\| `(\\w+)` \\| `Err(\\w+)` \\|").FindAllStringSubmatch(string(text), -1)
	codes := portalloc.Codes()
	if len(rows) != len(codes) {
		t.Fatalf("%d rows for %d codes", len(rows), len(codes))
	}
	for index, row := range rows {
		if row[1] != codes[index].String() || constants[strings.ToUpper(row[1])] != codes[index] ||
			!named(row[2], row[1]) {
			t.Errorf("%s %s, not %v", row[1], row[2], codes[index])
		}
	}
}

// named says whether a constant is named after its code.
func named(constant, code string) bool {
	others := map[string]string{"in_use": "EnvironmentInUse", "timeout": "WaitTimeout", "io": "SystemCall"}
	if other, ok := others[code]; ok {
		return constant == other
	}
	return strings.ToLower(constant) == strings.ReplaceAll(code, "_", "")
}

// What the page names in passing is there.
func TestEveryNameOfTheDocumentationExists(t *testing.T) {
	text, err := os.ReadFile(page)
	must(t, err)
	output, err := exec.Command("go", "doc", "-all", ".").Output()
	must(t, err)
	helpers, err := exec.Command("go", "doc", "-all", "./portalloctest").Output()
	must(t, err)
	for _, found := range regexp.MustCompile("\\b(portalloc|portalloctest)\\.([A-Z]\\w+)|`(With\\w+)").
		FindAllStringSubmatch(string(text), -1) {
		where, name := string(output), found[2]+found[3]
		if found[1] == "portalloctest" {
			where = string(helpers)
		}
		if !regexp.MustCompile(`(?m)^\s*(func|type)? ?` + name + `\b`).MatchString(where) {
			t.Errorf("%s.%s does not exist", found[1], name)
		}
	}
}
