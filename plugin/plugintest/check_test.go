package plugintest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
)

// core is a store without capabilities.
type core struct{ plugin.Persister }

func backend(t *testing.T, p plugin.Persister) plugin.Backend {
	t.Helper()
	b, err := plugin.Of(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCheckJudgesAStoreInUse(t *testing.T) {
	m := newMemory()
	var resident []plugin.ID
	for i := range 5 {
		a := plugin.NewAccount{
			Attempt: plugin.Attempt(fmt.Sprintf("%032x", i)), NotAfter: time.Now().Add(time.Minute),
			Keys: []plugin.Key{{Kind: plugin.KindUsername, Canonical: fmt.Sprint("1:resident", i), Value: "resident", Attribute: "uid", Login: true}},
		}
		made, err := m.Create(t.Context(), a)
		if err != nil {
			t.Fatal(err)
		}
		resident = append(resident, made.ID)
	}
	told := 0
	for range 2 { // and once more over what the first left
		report := plugintest.Check(t.Context(), backend(t, m), plugintest.Each(func(plugintest.Result) { told++ }))
		if !report.Passed() {
			t.Errorf("%+v", report.Results)
		}
	}
	if want := 2 * len(plugintest.Rules()); told != want {
		t.Errorf("told of %d results, want %d", told, want)
	}
	page, err := m.List(t.Context(), plugin.ListQuery{Limit: plugin.MaxPage})
	if err != nil {
		t.Fatal(err)
	}
	var left []plugin.ID
	for _, a := range page.Accounts {
		left = append(left, a.ID)
	}
	if !slices.Equal(left, resident) {
		t.Errorf("after the check the store has %v, want %v", left, resident)
	}
}

func TestCheckSkipsWhatTheStoreLacks(t *testing.T) {
	report := plugintest.Check(t.Context(), backend(t, core{newMemory()}), plugintest.WithoutGroups())
	skipped := map[string]string{}
	for _, r := range report.Results {
		switch r.Outcome {
		case plugintest.Skipped:
			skipped[r.Rule] = strings.Join(r.Reasons, "; ")
		case plugintest.Failed:
			t.Errorf("%s: %v", r.Rule, r.Reasons)
		}
	}
	for rule, reason := range map[string]string{
		"List/shows accounts as Get does":                                   `the store does not offer the capability "lister"`,
		"Authenticate/an empty password is ErrDenied":                       `the store does not offer the capability "authenticator"`,
		"Update/locks and unlocks":                                          `the store does not offer the capability "updater"`,
		"Create/an account is put into its groups":                          "the store has no groups",
		"Create/an execution that stalls past its NotAfter does not commit": "it holds a call up in the middle, which works only in the store's own process: plugintest.Run does that",
		"SetPassword/an absent account is ErrNotFound":                      `the store does not offer the capability "password-setter"`,
		"Maintain/touches nothing that is finished, and comes to an end":    `the store does not offer the capability "maintainer"`,
	} {
		if skipped[rule] != reason {
			t.Errorf("%s is skipped because %q, want %q", rule, skipped[rule], reason)
		}
	}
}

func TestANameThatNoRuleHasIsAFailure(t *testing.T) {
	report := plugintest.Check(t.Context(), backend(t, newMemory()), plugintest.Only("Ping/is fast"))
	if report.Passed() || len(report.Results) != 1 || report.Results[0].Rule != "Ping/is fast" {
		t.Errorf("a rule that does not exist has passed: %+v", report.Results)
	}
}

func TestCheckOutlivesAStoreThatHangsOrPanics(t *testing.T) {
	for what, store := range map[string]plugin.Persister{
		"panic: the store is confused": panics{newMemory()},
		"does not return":              hangs{newMemory()},
	} {
		report := plugintest.Check(t.Context(), backend(t, store),
			plugintest.Only("Ping/a store that can be reached answers without an error"), plugintest.Patience(10*time.Millisecond))
		if len(report.Results) != 1 || report.Results[0].Outcome != plugintest.Failed || !strings.Contains(strings.Join(report.Results[0].Reasons, ""), what) {
			t.Errorf("want %q, got %+v", what, report.Results)
		}
	}
}

type panics struct{ *memory }

func (panics) Ping(context.Context) error { panic("the store is confused") }

type hangs struct{ *memory }

func (hangs) Ping(context.Context) error { select {} }

func TestCheckStopsWhenItsContextIsDone(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	report := plugintest.Check(ctx, backend(t, newMemory()), plugintest.Each(func(plugintest.Result) { cancel() }))
	if len(report.Results) != 1 {
		t.Errorf("%d rules were judged after the end", len(report.Results)-1)
	}
}

func TestTheTableShowsEveryRuleAndReason(t *testing.T) {
	report := plugintest.Check(t.Context(), backend(t, deletesOnce{newMemory()}), plugintest.Only(
		"Ping/a store that can be reached answers without an error", "Delete/twice, and of an account that never was, succeeds"))
	var out strings.Builder
	if err := report.Print(&out); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"store         memory 1 (contract 1)\n", "capabilities  authenticator, ", "\nPing\n  a store that can be reached answers without an error  ok ",
		"\nDelete\n  twice, and of an account that never was, succeeds     FAILED ", "\n      Delete once more: not found\n", "          the rule: deleting an absent account succeeds",
		"\n1 passed, 1 failed, 0 skipped\n",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q:\n%s", want, out.String())
		}
	}
}

// complaints is a TB that counts.
type complaints struct {
	testing.TB
	n int
}

func (c *complaints) Errorf(string, ...any) { c.n++ }

func TestACapabilityIsClaimedOrDisclaimed(t *testing.T) {
	all := backend(t, newMemory()).Description
	none := backend(t, core{newMemory()}).Description // offers a checker of schemas, as every store does
	rest := slices.DeleteFunc(plugin.Capabilities(), func(c plugin.Capability) bool { return c == plugin.CapSchemaChecker })
	withheld := none
	withheld.Withheld = rest
	for what, c := range map[string]struct {
		of      plugin.Description
		without []plugin.Capability
		want    int
	}{
		"all offered":                  {all, nil, 0},
		"none offered, all disclaimed": {none, rest, 0},
		"none offered, one forgotten":  {none, rest[1:], 1},
		"none offered, all withheld":   {withheld, nil, 0},
		"one offered and disclaimed":   {all, plugin.Capabilities()[:1], 1},
	} {
		got := &complaints{TB: t}
		plugintest.Claims(got, c.of, plugintest.Without(c.without...))
		if got.n != c.want {
			t.Errorf("%s: %d complaints, want %d", what, got.n, c.want)
		}
	}
}

func TestARaceTakesAsManyCallersAsAsked(t *testing.T) {
	plugintest.Race(t.Context(), t, backend(t, newMemory()), 64, 20)
}
