package model_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/model"
)

// ample is far above what the short set needs: a search that meets it is incomplete, which is a failure.
var ample = model.Limits{Megabytes: 1500}

func TestProtocol(t *testing.T) {
	for _, s := range model.Short() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			r, err := s.Run(t.Context(), t.TempDir(), ample)
			if err != nil {
				t.Fatal(err)
			}
			if err := s.Judge(r); err != nil {
				t.Fatalf("%v\nto see it: go run ./ldapstore/model/search -match '%s'", err, s)
			}
			if !s.Broken() && (r.Errors != 0 || !r.Complete || r.States < 1000) {
				t.Fatalf("judged well, but: %+v", r)
			}
		})
	}
}

func TestSets(t *testing.T) {
	t.Run("no search is made twice, and a name says whether a rule is broken", func(t *testing.T) {
		seen := map[string]bool{}
		for _, s := range model.Long() {
			if seen[s.String()] || seen[s.Name] {
				t.Errorf("twice: %s (%s)", s, s.Name)
			}
			seen[s.String()], seen[s.Name] = true, true
			if s.Broken() != strings.HasPrefix(s.Name, "broken: ") {
				t.Errorf("%s: its name does not say whether a rule is broken", s)
			}
		}
	})
}

func TestSources(t *testing.T) {
	var text strings.Builder
	files, err := filepath.Glob("*.pml")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d sources, %v", len(files), err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(b)
	}
	var searched strings.Builder
	for _, s := range model.Long() {
		fmt.Fprintf(&searched, " %s ", s)
	}
	for rule, pattern := range map[string]string{
		"every rule that can be broken is broken in a search": `\b(BUG_[A-Z_]+)\b`,
		"every scenario is searched":                          `#define ([A-Z_]+) +\(\d+[+A-Z_]*\)`,
	} {
		t.Run(rule, func(t *testing.T) {
			found := regexp.MustCompile(pattern).FindAllStringSubmatch(text.String(), -1)
			if len(found) < 20 {
				t.Fatalf("only %d found", len(found))
			}
			for _, m := range found {
				if !strings.Contains(searched.String(), " "+m[1]+" ") {
					t.Errorf("%s is in no search", m[1])
				}
			}
		})
	}
}

// small is a search that takes a second and about 20 MB.
func small() model.Search {
	return model.Search{Name: "small", Scenario: "RESOLVE_ALONE"}
}

func TestSearch(t *testing.T) {
	for name, limits := range map[string]model.Limits{
		"memory": {Megabytes: 12},
		"time":   {Megabytes: ample.Megabytes, Time: 10 * time.Millisecond},
	} {
		t.Run("cut off by "+name+" is not exhaustive", func(t *testing.T) {
			t.Parallel()
			r, err := small().Run(t.Context(), t.TempDir(), limits)
			if err != nil {
				t.Fatal(err)
			}
			if r.Complete || !errors.Is(small().Judge(r), model.ErrIncomplete) {
				t.Errorf("got %+v, judged %v", r, small().Judge(r))
			}
		})
	}
	t.Run("of a scenario that there is not is an error", func(t *testing.T) {
		s := model.Search{Name: "none", Scenario: "NO_SUCH"}
		if _, err := s.Run(t.Context(), t.TempDir(), ample); err == nil || !strings.Contains(err.Error(), "no such SCENARIO") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("without spin is an error that says how to install it", func(t *testing.T) {
		t.Setenv("PATH", t.TempDir())
		_, err := small().Run(t.Context(), t.TempDir(), ample)
		if !errors.Is(err, model.ErrMissing) || !strings.Contains(err.Error(), "apt-get install spin") {
			t.Errorf("got %v", err)
		}
	})
}

func TestJudge(t *testing.T) {
	holds, broken := small(), model.Search{Name: "b", Switches: []string{"LATE", "BUG_NO_LOCK"}}
	found := model.Result{States: 10, Errors: 1, Violation: "assertion violated"}
	for _, c := range []struct {
		name   string
		search model.Search
		result model.Result
		want   error
	}{
		{"every schedule and no error holds", holds, model.Result{States: 10, Complete: true}, nil},
		{"an error is a violation", holds, found, model.ErrViolated},
		{"cut off without an error proves nothing", holds, model.Result{States: 10}, model.ErrIncomplete},
		{"no report at all proves nothing", holds, model.Result{}, model.ErrIncomplete},
		{"a broken rule that is found is seen", broken, found, nil},
		{"a broken rule that is not found is a failure", broken, model.Result{States: 10, Complete: true}, model.ErrNotSeen},
		{"a broken rule looked for in part is a failure", broken, model.Result{States: 10}, model.ErrNotSeen},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := c.search.Judge(c.result); !errors.Is(err, c.want) || (c.want == nil) != (err == nil) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}
