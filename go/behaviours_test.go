package portalloc_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	portalloc "github.com/portalloc/portalloc/go"
	"github.com/portalloc/portalloc/go/internal/world"
)

// The format is that of tests/behaviours/README.md.
type behaviour struct {
	Name, Operation string
	Project         map[string]string
	Arguments       arguments
	Expect          map[string]any
	Error           string
	Message         []any
}

type arguments struct {
	Pool, Worktree, From, Text, ID, Syntax string
	Exclude                                *string
	InstanceID                             *string `json:"instance_id"`
	InstanceIDAgain                        *string `json:"instance_id_again"`
	Count                                  *int
	Ports, Leased, Prefer                  *[]int
	Names                                  *[]string
	Show                                   []string
	WaitMs                                 *int   `json:"wait_ms"`
	TTLMs                                  *int64 `json:"ttl_ms"`
	OwnerPID                               *int   `json:"owner_pid"`
	EnvFile                                any    `json:"env_file"`
	Kept                                   bool
	Variables                              [][2]string
	ProjectAfter                           map[string]string `json:"project_after"`
}

type answer = map[string]any

var operations = map[string]func(*testing.T, arguments) (answer, error){
	"pool": func(_ *testing.T, a arguments) (answer, error) {
		settings, err := portalloc.ReadSettings(a.settings()...)
		if err != nil {
			return nil, err
		}
		return answer{"ports": settings.Ports, "count": settings.PortCount}, nil
	},
	"lease":                       performLease,
	"check":                       performCheck,
	"create_environment":          performEnvironment,
	"worktree_environment":        performWorktree,
	"find_worktree_environment":   performFind,
	"repair_worktree_environment": performRepair,
	"stop":                        performStop,
	"parse_id": func(_ *testing.T, a arguments) (answer, error) {
		return answer{"id": a.Text}, portalloc.CheckID(a.Text)
	},
	"validate": func(_ *testing.T, a arguments) (answer, error) {
		found, err := portalloc.Validate(a.ID)
		if err != nil {
			return nil, err
		}
		return answer{"valid": found.Valid}, nil
	},
	"cleanup": func(_ *testing.T, a arguments) (answer, error) {
		removed, err := portalloc.Cleanup(a.ID)
		count := 0
		if removed {
			count = 1
		}
		return answer{"removed": count}, err
	},
	"render": func(_ *testing.T, a arguments) (answer, error) {
		var variables []portalloc.Variable
		for _, pair := range a.Variables {
			variables = append(variables, portalloc.Variable{Name: pair[0], Value: pair[1]})
		}
		text, err := portalloc.Render(variables, a.Syntax)
		return answer{"text": text}, err
	},
	"error_codes": func(*testing.T, arguments) (answer, error) {
		return answer{"codes": portalloc.Codes()}, nil
	},
}

func (a arguments) settings() []portalloc.PoolOption {
	var options []portalloc.PoolOption
	if a.Pool != "" {
		options = append(options, portalloc.WithPool(a.Pool))
	}
	if a.Exclude != nil {
		options = append(options, portalloc.WithExclude(*a.Exclude))
	}
	return options
}

// hold leases what a case wants to be leased.
func (a arguments) hold(t *testing.T) {
	if a.Leased == nil {
		return
	}
	lease, err := portalloc.Acquire(t.Context(), 0, portalloc.Exactly(*a.Leased...))
	must(t, err)
	t.Cleanup(func() { lease.Close() })
}

func performLease(t *testing.T, a arguments) (answer, error) {
	a.hold(t)
	var options []portalloc.LeaseOption
	for _, option := range a.settings() {
		options = append(options, option)
	}
	if a.WaitMs != nil {
		options = append(options, portalloc.WithWait(time.Duration(*a.WaitMs)*time.Millisecond))
	}
	count := 0
	if a.Count != nil {
		count = *a.Count
	}
	if a.Ports != nil {
		options = append(options, portalloc.Exactly(*a.Ports...))
	}
	if a.Prefer != nil {
		options = append(options, portalloc.WithPrefer(*a.Prefer...))
	}
	lease, err := portalloc.Acquire(t.Context(), count, options...)
	if err != nil {
		return nil, err
	}
	defer lease.Close()
	return answer{"count": lease.Len(), "ports": lease.Ports()}, nil
}

func performCheck(t *testing.T, a arguments) (answer, error) {
	a.hold(t)
	states := []bool{}
	for _, port := range *a.Ports {
		free, err := portalloc.IsFree(port)
		if err != nil {
			return nil, err
		}
		states = append(states, free)
	}
	return answer{"free": states}, nil
}

// environment is what all environments are asked for with.
func (a arguments) environment() []portalloc.EnvironmentOption {
	var options []portalloc.EnvironmentOption
	for _, option := range a.settings() {
		options = append(options, option)
	}
	if a.Count != nil {
		options = append(options, portalloc.WithPortCount(*a.Count))
	}
	if a.Names != nil {
		options = append(options, portalloc.WithNames(*a.Names...))
	}
	if a.InstanceID != nil {
		options = append(options, portalloc.WithInstanceID(*a.InstanceID))
	}
	if a.Prefer != nil {
		options = append(options, portalloc.WithPrefer(*a.Prefer...))
	}
	if a.Worktree != "" {
		options = append(options, portalloc.WithWorktree(a.Worktree))
	}
	return options
}

// described is what an environment is, with the values of the variables that the case wants to see.
func described(t *testing.T, a arguments, environment *portalloc.Environment) answer {
	t.Helper()
	names, values := []string{}, []any{}
	all := map[string]string{}
	for _, variable := range environment.Variables() {
		names = append(names, variable.Name)
		all[variable.Name] = variable.Value
	}
	for _, name := range a.Show {
		value, ok := all[name]
		if !ok {
			t.Fatalf("no %s in %v", name, names)
		}
		if number, err := strconv.ParseUint(value, 10, 64); err == nil {
			values = append(values, number)
		} else {
			values = append(values, value)
		}
	}
	return answer{"count": len(environment.Ports()), "ports": environment.Ports(), "variables": names, "values": values}
}

func performEnvironment(t *testing.T, a arguments) (answer, error) {
	a.hold(t)
	options := a.environment()
	if a.Kept {
		options = append(options, portalloc.WithKept())
	}
	if a.TTLMs != nil {
		options = append(options, portalloc.WithTTL(duration(*a.TTLMs)))
	}
	if a.OwnerPID != nil {
		options = append(options, portalloc.WithOwner(*a.OwnerPID))
	}
	if place, ok := a.EnvFile.(string); ok { // false is none, which needs no option
		options = append(options, portalloc.WithEnvFile(place))
	}
	environment, err := portalloc.NewEnvironment(t.Context(), options...)
	if err != nil {
		return nil, err
	}
	return described(t, a, environment), environment.Close()
}

// duration is the longest there is for what is longer.
func duration(milliseconds int64) time.Duration {
	if milliseconds > math.MaxInt64/int64(time.Millisecond) {
		return math.MaxInt64
	}
	return time.Duration(milliseconds) * time.Millisecond
}

var place = regexp.MustCompile(`\$(\d+)`)

// filled puts ports in the place of $N; in a list, what is nothing but that becomes a number.
func filled(value any, base int, inList bool) any {
	switch value := value.(type) {
	case string:
		text := place.ReplaceAllStringFunc(value, func(found string) string {
			index, _ := strconv.Atoi(found[1:])
			return strconv.Itoa(base + index)
		})
		if alone := place.FindString(value); inList && alone != "" && alone == value {
			return json.Number(text)
		}
		return text
	case []any:
		for index := range value {
			value[index] = filled(value[index], base, true)
		}
	case map[string]any:
		for name := range value {
			value[name] = filled(value[name], base, false)
		}
	}
	return value
}

// plain makes values comparable with those of a file.
func plain(t *testing.T, value any) any {
	text, err := json.Marshal(value)
	must(t, err)
	var plain any
	must(t, json.Unmarshal(text, &plain))
	return plain
}

func TestBehaviours(t *testing.T) {
	paths, err := filepath.Glob("../tests/behaviours/*.json")
	must(t, err)
	cases, seen := 0, map[string]bool{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		must(t, err)
		var raw []map[string]any
		must(t, json.Unmarshal(text, &raw))
		for _, one := range raw {
			cases++
			seen[fmt.Sprint(one["operation"])] = true
			name := strings.TrimSuffix(filepath.Base(path), ".json") + "/" + fmt.Sprint(one["name"])
			t.Run(name, func(t *testing.T) { perform(t, one) })
		}
	}
	if cases <= 160 || len(seen) != len(operations) {
		t.Errorf("only %d cases of %d operations were found", cases, len(seen))
	}
}

func perform(t *testing.T, raw map[string]any) {
	here := world.New(t, 20)
	os.Unsetenv("PORTALLOC_POOL")
	text, err := json.Marshal(filled(raw, here.Base, false))
	must(t, err)
	var of behaviour
	must(t, json.Unmarshal(text, &of))
	operation, ok := operations[of.Operation]
	if !ok {
		t.Fatalf("%q is no operation", of.Operation)
	}
	writeFiles(t, of.Project)
	done, err := operation(t, of.Arguments)
	if of.Error != "" {
		failed, ok := err.(*portalloc.Error)
		if !ok || failed.Code.String() != of.Error {
			t.Fatalf("%v (%v), not %s", err, done, of.Error)
		}
		for _, part := range of.Message {
			if part := fmt.Sprint(asText(part)); !strings.Contains(failed.Message, part) {
				t.Errorf("%q is not in the message: %v", part, err)
			}
		}
		return
	}
	must(t, err)
	for name, expected := range of.Expect {
		value, ok := done[name]
		if codes, is := value.([]portalloc.Code); is {
			var texts []string
			for _, code := range codes {
				texts = append(texts, code.String())
			}
			value = texts
		}
		if given := plain(t, value); !ok || !reflect.DeepEqual(given, expected) {
			t.Errorf("%s is %v, not %v", name, given, expected)
		}
	}
}

// asText shows a port without an exponent.
func asText(part any) any {
	if number, ok := part.(float64); ok {
		return int(number)
	}
	return part
}
