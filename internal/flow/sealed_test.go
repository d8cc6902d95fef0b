package flow_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// sealed returns what a person's row holds: the client's part, if the token (or the server alone) opens it, and the
// server's part.
func (p *person) sealed() (row state.Row, client, server string) {
	p.w.Helper()
	token, err := seal.ParseToken(p.token.Reveal())
	p.must(err)
	row, err = p.w.rows.DB.Load(context.Background(), token.Locator())
	p.must(err)
	var half []byte
	if row.SealedFor == state.SealedForClient {
		half = token.Opener()
	}
	bound := fmt.Sprintf("%s/%s/%s/%s", row.Ref, row.Flow, row.Step, row.Phase)
	clear, err := p.w.keys.Open("registration", half, bound, row.Sealed)
	p.must(err)
	if _, err := p.w.keys.Open("registration", nil, bound, row.Sealed); err == nil && half != nil {
		p.w.Error("the server alone can open what is sealed for the client")
	}
	if len(row.Server) > 0 {
		run, err := p.w.keys.Open("registration-run", nil, row.Ref, row.Server)
		p.must(err)
		server = string(run)
	}
	return row, string(clear), server
}

func TestOnlyTheClientCanOpenAnUnfinishedRegistration(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	row, client, server := p.sealed()
	if row.SealedFor != state.SealedForClient || !strings.Contains(client, ada) || server != "" {
		t.Errorf("sealed for %s: %s, and for the server %q", row.SealedFor, client, server)
	}
}

func TestWhatTheServerCanOpenWhilePersistingHoldsNoPassword(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toPassword(ada)
	w.store.before = fails(1, plugin.ErrUnknownOutcome)
	w.problem(p.password(), flow.CodeUnavailable)
	row, client, server := p.sealed()
	if !strings.Contains(client, goodPassword) || row.Phase != state.PhasePersisting {
		t.Fatalf("the row is %s and holds %s", row.Phase, client)
	}
	for _, secret := range []string{goodPassword, "Lovelace", "given_name"} {
		if strings.Contains(server, secret) {
			t.Errorf("the server can read %q", secret)
		}
	}
	if !strings.Contains(server, ada) || !strings.Contains(server, "not_after") {
		t.Errorf("the server has not what it needs to settle the attempt: %s", server)
	}
}

func TestCompletionWipesEverythingButTheUsername(t *testing.T) {
	for rule, finish := range map[string]func(w *world) *person{
		"by the client": func(w *world) *person { return w.begin().toPassword(ada).finish() },
		"by the worker": func(w *world) *person {
			p := w.leave(true)
			w.clock.advance(lastRun)
			w.resolve()
			return p
		},
	} {
		t.Run(rule, func(t *testing.T) {
			w := newWorld(t, "")
			p := finish(w)
			row, client, server := p.sealed()
			want := fmt.Sprintf(`{"locale":"en","username":%q}`, w.store.accounts()[0].account.Username)
			if client != want || server != "" || row.Phase != state.PhaseCompleted {
				t.Errorf("the row is %s and holds %s and %q", row.Phase, client, server)
			}
		})
	}
}

func TestARowBelongsToItsStep(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin().toCode(ada)
	row, _, _ := p.sealed()
	row.Step = "password" // somebody who writes to the database skips the verification
	_, err := w.rows.DB.Commit(context.Background(), row)
	w.must(err)
	_, err = w.Show(context.Background(), p.token)
	w.problem(err, flow.CodeRegistrationGone)
}
