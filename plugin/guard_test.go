package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
)

// driverError is one of those that have the value in them which they stumbled over.
type driverError struct{ text string }

func (e driverError) Error() string { return e.text }

// TestAFailureIsLoggedWithoutWhatPeopleEntered: what is left says which call failed, how and in what.
func TestAFailureIsLoggedWithoutWhatPeopleEntered(t *testing.T) {
	for name, c := range map[string]struct {
		fails     error
		level     string
		call      func(context.Context, plugin.Backend) error
		withheld  []string
		remaining []string
	}{
		"a creation": {
			fmt.Errorf("create: %w: %w", plugin.ErrUnavailable, driverError{`connection to db1 lost at ("alice", "alice@example.org", 'Liddell', correct horse battery staple)`}), "WARN",
			func(ctx context.Context, b plugin.Backend) error { _, err := b.Create(ctx, newcomer()); return err },
			[]string{"alice", "example.org", "Liddell", "correct horse"},
			[]string{"persister/Create", "create: unavailable: connection to db1 lost at", "driverError"},
		},
		"a login": {
			driverError{`no operator for 1:alice and wrong "battery"`}, "ERROR",
			func(ctx context.Context, b plugin.Backend) error {
				_, err := b.Authenticator.Authenticate(ctx, usernameKey("alice"), plugin.NewSecret(`wrong "battery"`))
				return err
			},
			[]string{"alice", "battery"},
			[]string{"no operator for", "driverError"},
		},
		"a password, as a driver quotes it": {
			fmt.Errorf("set the password: %w", driverError{fmt.Sprintf("syntax error near %q in table accounts", `wrong "battery"`)}), "ERROR",
			func(ctx context.Context, b plugin.Backend) error {
				return b.PasswordSetter.SetPassword(ctx, "account-7", plugin.NewSecret(`wrong "battery"`))
			},
			[]string{"battery"},
			[]string{"set the password: syntax error near", "in table accounts"},
		},
		"a change": {
			fmt.Errorf("%w: %w", plugin.ErrUnknownOutcome, driverError{"cannot store Pleasance for Liddell in sn of account-7"}), "WARN",
			func(ctx context.Context, b plugin.Backend) error {
				_, err := b.Updater.Update(ctx, "account-7", plugin.Change{Attributes: map[string]plugin.AttributeChange{
					"sn": {Old: []plugin.Value{plugin.StringValue("Liddell")}, New: []plugin.Value{plugin.StringValue("Pleasance")}},
				}})
				return err
			},
			[]string{"Liddell", "Pleasance"},
			[]string{"cannot store", "in sn of account-7"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			log, s := &record{}, &scripted{}
			s.create = func(context.Context, plugin.NewAccount) (plugin.Account, error) { return plugin.Account{}, c.fails }
			s.authenticate = func(context.Context, plugin.Key, plugin.Secret) (plugin.Account, error) {
				return plugin.Account{}, c.fails
			}
			s.setPassword = func(context.Context, plugin.ID, plugin.Secret) error { return c.fails }
			s.update = func(context.Context, plugin.ID, plugin.Change) (plugin.Account, error) {
				return plugin.Account{}, c.fails
			}
			b, stop, err := plugin.InProcess(t.Context(), plugin.ServeConfig{Persister: s, Logger: slog.New(slog.NewTextHandler(log, nil))})
			if err != nil {
				t.Fatal(err)
			}
			defer stop()
			if err := c.call(t.Context(), b); err == nil || errors.Is(err, plugin.ErrInvalid) {
				t.Fatalf("got %v", err)
			}
			for _, text := range c.withheld {
				if strings.Contains(log.String(), text) {
					t.Errorf("%q is logged: %s", text, log)
				}
			}
			for _, text := range append(c.remaining, "level="+c.level, "a call failed") {
				if !strings.Contains(strings.ToLower(log.String()), strings.ToLower(text)) {
					t.Errorf("%q is missing: %s", text, log)
				}
			}
		})
	}
}
