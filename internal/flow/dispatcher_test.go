package flow_test

import (
	"context"
	"testing"

	"github.com/narthex/narthex/internal/flow"
)

func TestDefaultFlow(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin()
	if p.last.Step.Name != "about-you" || p.last.Phase != flow.PhaseOpen {
		t.Fatalf("the flow begins with %+v", p.last)
	}
	first := p.token
	p.toPassword("Ada.Lovelace@Example.org")
	if p.token.Equal(first) {
		t.Fatal("a proof changes the token")
	}
	_, err := w.Show(context.Background(), first)
	w.problem(err, flow.CodeRegistrationGone)
	p.finish()
	if p.last.Phase != flow.PhaseCompleted || len(p.last.Username) != 12 || p.last.Step != nil {
		t.Fatalf("the flow ends with %+v", p.last)
	}
	all := w.store.accounts()
	if len(all) != 1 {
		t.Fatalf("there are %d accounts", len(all))
	}
	made := all[0].made
	if made.Password.Reveal() != goodPassword || len(made.Keys) != 2 || made.Attributes.Text("givenName") != "Ada" {
		t.Errorf("the account is %+v", made)
	}
	again := p.last
	p.must(p.answer("persist", object{}))
	if p.last.Username != again.Username || p.last.Phase != flow.PhaseCompleted {
		t.Errorf("the repeated answer gives %+v", p.last)
	}
}
