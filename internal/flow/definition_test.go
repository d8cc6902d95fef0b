package flow_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
)

// sound is a flows file without faults that the tests break in one place each.
const sound = `default: standard
items:
  email: {type: email, alias: true, required: true, attribute: mail}
  nick: {type: string, unique: true, attribute: nick}
  password: {type: password, required: true}
  again: {type: password, required: true}
flows:
  standard:
    title: Join
    stealth: true
    steps:
      - data: {name: about, items: [email, nick]}
      - username: {generate: uuid}
      - verify-email: {item: email}
      - data: {name: secret, items: [password, again], rules: [equal: [password, again]]}
      - persist: {}
`

func TestReadDefinitionAcceptsASoundFile(t *testing.T) {
	d, err := flow.ReadDefinition("flows.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	if d.Default != "standard" || len(d.Flow("standard").Steps) != 5 || !d.Flow("standard").Open {
		t.Errorf("read as %+v", d)
	}
}

func TestTheBuiltInFlowsAreSoundAndAskForThePasswordLast(t *testing.T) {
	d, err := flow.ReadDefault()
	if err != nil {
		t.Fatal(err)
	}
	steps := d.Flow(d.Default).Steps
	if got := steps[len(steps)-2].Name; got != "password" {
		t.Errorf("the last question is %s", got)
	}
	if got := d.Flow("standard").Title.In("de-AT"); got != "Konto erstellen" {
		t.Errorf("the German title is %q", got)
	}
}

// TestReadDefinitionRefuses breaks the sound file in one place, and wants the fault at that place.
func TestReadDefinitionRefuses(t *testing.T) {
	for _, c := range []struct{ rule, from, to, want string }{
		{"an unknown key", "stealth: true", "stealht: true", `10:5: flows.standard.stealht: unknown key "stealht"; did you mean "stealth"?`},
		{"an unknown kind of step", "username: {generate: uuid}", "usrname: {}", `13:9: flows.standard.steps[1].usrname: there is no kind of step "usrname"`},
		{"an unknown item", "items: [email, nick]", "items: [email, nikc]", `12:44: flows.standard.steps[0].data.items[1]: there is no item "nikc"`},
		{"an unknown type", "type: email", "type: mail", `3:17: items.email.type: there is no type "mail"`},
		{"an item that is collected twice", "[password, again],", "[password, again, email],", `the item "email" is collected twice`},
		{"an item that no flow collects", "items: [email, nick]", "items: [email]", `no flow collects the item "nick"`},
		{"an item that is stored nowhere", "unique: true, attribute: nick", "required: true", `the item "nick" is stored nowhere`},
		{"an alias that is not verified", "      - verify-email: {item: email}\n", "", `is an alias that is not verified before persist`},
		{"a unique address that a stealth flow does not verify", "type: string, unique", "type: email, unique", `is a unique address, and a stealth flow that does not verify it would tell whose it is`},
		{"alias and unique together", "alias: true,", "alias: true, unique: true,", `alias and unique exclude one another`},
		{"an alias that is no address", "type: string, unique: true", "type: string, alias: true", `an item of type string cannot be an alias`},
		{"a unique item without an attribute", "unique: true, attribute: nick", "unique: true", `needs an attribute`},
		{"a verification before its item", "      - username: {generate: uuid}\n", "", `the flow has no username step`},
		{"a second username", "      - persist", "      - username: {name: two}\n      - persist", `more than one username step`},
		{"no persist", "      - persist: {}\n", "", `the flow has no persist step`},
		{"a step after persist", "      - persist: {}\n", "      - persist: {}\n      - persist: {name: more}\n", `steps follow after persist`},
		{"two steps of one name", "name: secret", "name: about", `the flow has two steps "about"`},
		{"a second password without a rule", ", rules: [equal: [password, again]]", "", `"again" is a second password`},
		{"a rule about an item of another step", "equal: [password, again]", "equal: [password, again, nick]", `the item "nick" is not asked for in this step`},
		{"a rule about one item", "equal: [password, again]", "equal: [password]", `a rule is about two items or more`},
		{"an unknown rule", "equal: [", "same: [", `this is no rule`},
		{"a missing default", "default: standard\n", "", `the key "default" is missing`},
		{"a default that is no flow", "default: standard", "default: other", `there is no flow "other"`},
		{"two items for one attribute", "attribute: nick", "attribute: mail", `both fill the attribute "mail"`},
		{"an item that fills the username's attribute", "attribute: nick", "attribute: uid", `both fill the attribute "uid"`},
		{"an item's reserved name", "  nick:", "  token:", `the name "token" is taken by Narthex itself`},
		{"a reserved attribute", "attribute: nick", "attribute: userPassword", `no item may fill the attribute "userPassword"`},
		{"a step's reserved name", "name: about", "name: resend", `the name "resend" is taken by Narthex itself`},
		{"a name that does not fit into an address", "name: about", "name: About", `"About" cannot be a name here`},
		{"a composition rule for passwords", "password: {type: password,", `password: {type: password, pattern: ".*[0-9].*",`, `make passwords weaker`},
		{"a password of seven characters", "password: {type: password,", "password: {type: password, min: 7,", `out of range`},
		{"a password limit below 64", "password: {type: password,", "password: {type: password, max: 63,", `out of range`},
		{"a pattern that is none", "unique: true,", `pattern: "[", unique: true,`, `this is no regular expression`},
		{"a pattern that browsers read differently", "unique: true,", `pattern: "(?i)a", unique: true,`, `browsers do not read`},
		{"bounds the wrong way round", "unique: true,", "min: 9, max: 3, unique: true,", `min is higher than max`},
		{"options of a string", "unique: true,", "options: [a], unique: true,", `have no options`},
		{"an encoding of another type", "unique: true,", `encode: "1/0",`, `cannot be written as "1/0"`},
		{"a code of five digits", "{item: email}", "{item: email, digits: 5}", `out of range`},
		{"a code that lives longer than ten minutes", "{item: email}", "{item: email, lifetime: 11m}", `not a time span`},
		{"a username with too little chance in it", "generate: uuid", `generate: "u{alnum:3}"`, `needs 20 random bits`},
		{"a username that no account can have", "generate: uuid", `generate: "U{alnum:9}"`, `lower-case letters`},
		{"a placeholder that is none", "generate: uuid", `generate: "u{word:9}"`, `there is no placeholder`},
		{"a limit that is unknown", "default: standard\n", "default: standard\nlimits: {started_per_clint: 5/day}\n", `2:10: limits.started_per_clint: unknown key "started_per_clint"; did you mean "started_per_client"?`},
		{"a limit without a time", "default: standard\n", "default: standard\nlimits: {started_per_client: 5}\n", `2:30: limits.started_per_client: this is no budget; write a number and a time`},
		{"a limit with an unknown time", "default: standard\n", "default: standard\nlimits: {started_per_client: 5/week}\n", `"5/week" is no budget`},
		{"a limit of nothing", "default: standard\n", "default: standard\nlimits: {started_per_client: 0/day}\n", `"0/day" is no budget`},
		{"a limit of too many", "default: standard\n", "default: standard\nlimits: {started_per_client: 1000001/day}\n", `"1000001/day" is no budget`},
		{"a limit over too long a time", "default: standard\n", "default: standard\nlimits: {started_per_client: 1/169h}\n", `"1/169h" is no budget`},
		{"a limit with one window twice", "default: standard\n", "default: standard\nlimits: {messages_per_address: [3/hour, 5/60m]}\n", `limits.messages_per_address[1]: the budget has this window twice`},
		{"a limit with three windows", "default: standard\n", "default: standard\nlimits: {messages_per_address: [1/minute, 3/hour, 5/day]}\n", `a budget has 1 to 2 rates`},
		{"a number with a time where there is none", "default: standard\n", "default: standard\nlimits: {open_per_client: 5/day}\n", `this is no number of a budget without a time`},
		{"a number that is none", "default: standard\n", "default: standard\nlimits: {open_per_client: 0}\n", `out of range`},
		{"a stop before the delay", "default: standard\n", "default: standard\nlimits: {login_failures_before_delay: 9, login_failures_before_stop: 9}\n", `login_failures_before_delay is not below login_failures_before_stop`},
		{"a domain that is none", "default: standard\n", "default: standard\nidentifiers: {fold_dots: [example]}\n", `identifiers.fold_dots[0]: "example" is not the domain of an address`},
		{"a domain twice", "default: standard\n", "default: standard\nidentifiers: {fold_tags: [a.example, A.example]}\n", `this domain stands there twice`},
		{"a reserved name with a blank", "default: standard\n", "default: standard\nidentifiers: {reserved: [the rector]}\n", `this cannot be a username anyway`},
		{"no flows", "flows:\n  standard:", "flows: {}\nx:\n  standard:", `there is no flow`},
		{"an unfinished title", "title: Join", "title: {xx-!: Join}", `is not a language`},
		{"a step with two kinds", "- username: {generate: uuid}", "- username: {}\n        persist: {}", `a step is one kind`},
	} {
		t.Run(c.rule, func(t *testing.T) {
			if !strings.Contains(sound, c.from) {
				t.Fatalf("nothing to replace: %q", c.from)
			}
			_, err := flow.ReadDefinition("flows.yaml", []byte(strings.Replace(sound, c.from, c.to, 1)))
			var faults config.Faults
			if !errors.As(err, &faults) || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("got:\n%v\nwant: %s", err, c.want)
			}
			for _, f := range faults {
				if f.Line == 0 || f.Column == 0 || f.Fix == "" {
					t.Errorf("%q has no place or no fix", f)
				}
			}
		})
	}
}

func TestReadDefinitionTellsEveryFaultAtOnceInTheFilesOrder(t *testing.T) {
	broken := strings.NewReplacer("type: string", "type: text", "steps:", "stepps:\n      - x\n    steps:", "generate: uuid", "generate: u",
		"item: email", "item: mail", "default: standard", "default: none").Replace(sound)
	_, err := flow.ReadDefinition("flows.yaml", []byte(broken))
	var faults config.Faults
	if !errors.As(err, &faults) || len(faults) < 5 {
		t.Fatalf("got %v", err)
	}
	last := 0
	for _, f := range faults {
		if f.Line < last {
			t.Errorf("%s stands after line %d", f, last)
		}
		last = f.Line
	}
}

func TestAClosedDefaultIsRefusedOnlyWhileAnotherFlowIsOpen(t *testing.T) {
	closed := strings.Replace(sound, "title: Join", "title: Join\n    open: false", 1)
	d, err := flow.ReadDefinition("flows.yaml", []byte(closed))
	if err != nil || d.Default != "" {
		t.Errorf("all flows closed: %v, default %q", err, d.Default)
	}
	second := closed + strings.Replace(sound[strings.Index(sound, "  standard:"):], "standard", "other", 1)
	if _, err := flow.ReadDefinition("flows.yaml", []byte(second)); err == nil || !strings.Contains(err.Error(), `the flow "standard" is closed`) {
		t.Errorf("a closed default: %v", err)
	}
}

// faultyStore has a fault in its own settings.
type faultyStore struct{}

func (faultyStore) CheckSchema(context.Context, []plugin.AttributeUse) (plugin.SchemaReport, error) {
	return plugin.SchemaReport{Findings: []plugin.SchemaFinding{{Attribute: "nick", Problem: "nobody can compare it", Fix: "use another one"}}}, nil
}

func TestCheckStoreTellsTheStoresOwnFaultsFromThoseOfTheFlows(t *testing.T) {
	d, err := flow.ReadDefinition("flows.yaml", []byte(sound))
	if err != nil {
		t.Fatal(err)
	}
	backend, err := plugin.Of(context.Background(), newMemoryStore())
	if err != nil {
		t.Fatal(err)
	}
	backend.SchemaChecker = faultyStore{}
	if _, err := d.CheckStore(context.Background(), backend); err == nil || err.Error() != "persister: attribute nick: nobody can compare it; use another one" {
		t.Errorf("got %v", err)
	}
}

func TestCheckStoreNamesFlowStepAndItem(t *testing.T) {
	typed := strings.Replace(sound, "  password:", "  adult: {type: boolean, attribute: adult}\n  password:", 1)
	typed = strings.Replace(typed, "[email, nick]", "[email, nick, adult]", 1)
	check := func(flows string, types ...plugin.ValueType) error {
		t.Helper()
		d, err := flow.ReadDefinition("flows.yaml", []byte(flows))
		if err != nil {
			t.Fatal(err)
		}
		store := newMemoryStore()
		store.types = types
		backend, err := plugin.Of(context.Background(), store)
		if err != nil {
			t.Fatal(err)
		}
		_, err = d.CheckStore(context.Background(), backend)
		return err
	}
	t.Run("a type that the store does not keep", func(t *testing.T) {
		err := check(typed, plugin.TypeString)
		if err == nil || !strings.Contains(err.Error(), "flows.standard, step about, item adult, attribute adult") {
			t.Errorf("got %v", err)
		}
	})
	t.Run("an encoding makes it a string", func(t *testing.T) {
		if err := check(strings.Replace(typed, "type: boolean,", `type: boolean, encode: "TRUE/FALSE",`, 1), plugin.TypeString); err != nil {
			t.Errorf("got %v", err)
		}
	})
	t.Run("a flow without a password", func(t *testing.T) {
		without := strings.Replace(sound, "      - data: {name: secret, items: [password, again], rules: [equal: [password, again]]}\n", "", 1)
		without = strings.Replace(without, "  password: {type: password, required: true}\n  again: {type: password, required: true}\n", "", 1)
		if err := check(without, plugin.TypeString); err == nil || !strings.Contains(err.Error(), "flows.standard: the flow asks for no password") {
			t.Errorf("got %v", err)
		}
	})
}

func FuzzReadDefinition(f *testing.F) {
	f.Add([]byte(sound))
	f.Add([]byte("default: [a]\nitems: {a: {type: enum, options: [{value: 1}]}}\nflows: {a: {steps: [{data: {}}]}}"))
	f.Add([]byte("items:\nflows:\n  a:\n    steps:\n    - persist:\n    - verify-email: {item: x, lifetime: 1h}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		d, err := flow.ReadDefinition("fuzz.yaml", data)
		if (d == nil) == (err == nil) {
			t.Fatalf("definition %v with error %v", d, err)
		}
		if err != nil && strings.TrimSpace(err.Error()) == "" {
			t.Fatal("an empty fault")
		}
	})
}

func TestLimitsOfAFileReplaceTheDefaults(t *testing.T) {
	d, err := flow.ReadDefinition("flows.yaml", []byte(sound+`limits:
  started_per_client: 7/30m
  finished_per_client: off
  messages_per_address: [4/hour, 6/day]
  open_per_client: off
  login_failures_before_delay: 3
`))
	if err != nil {
		t.Fatal(err)
	}
	want := flow.DefaultLimits()
	want[flow.LimitStarted] = []flow.Rate{{Count: 7, Window: 30 * time.Minute}}
	want[flow.LimitMessages] = []flow.Rate{{Count: 4, Window: time.Hour}, {Count: 6, Window: 24 * time.Hour}}
	want[flow.LimitFinished], want[flow.LimitOpen], want[flow.LimitLoginFree] = nil, nil, []flow.Rate{{Count: 3}}
	if !reflect.DeepEqual(d.Limits, want) {
		t.Errorf("got %v, want %v", d.Limits, want)
	}
}

func TestIdentifiersOfAFileAdaptTheRules(t *testing.T) {
	d, err := flow.ReadDefinition("flows.yaml", []byte(sound+"identifiers: {fold_tags: [Example.org], fold_dots: [example.org], reserved: [Rector], product: Example Campus}\n"))
	if err != nil {
		t.Fatal(err)
	}
	rules, err := identifier.New(d.Identifiers)
	if err != nil {
		t.Fatal(err)
	}
	one, errOne := rules.Email("a.d.a+news@example.org")
	other, errOther := rules.Email("ada@example.org")
	if errOne != nil || errOther != nil || one.Canonical != other.Canonical {
		t.Errorf("%q and %q, %v, %v", one.Canonical, other.Canonical, errOne, errOther)
	}
	if _, err := rules.Username("r.ector"); err == nil {
		t.Error("a reserved name is free")
	}
	if _, err := rules.Password("examplecampus", identifier.PasswordPolicy{Min: 8, Max: 256}); err == nil {
		t.Error("the product's name is a password")
	}
}
