package flow_test

import (
	"testing"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// proofLast asks for everything first, so that the code is the last answer before the account.
const proofLast = `default: standard
items:
  email:    {type: email, alias: true, required: true, attribute: mail}
  password: {type: password, required: true}
flows:
  standard:
    title: Join
    stealth: true
    steps:
      - username: {generate: uuid}
      - data: {name: about, items: [email, password]}
      - verify-email: {item: email}
      - persist: {}
`

func TestANewTokenIsHandedOverAlsoWhenTheStoreIsAway(t *testing.T) {
	w := newWorld(t, proofLast)
	p := w.begin()
	p.must(p.answer("about", items(object{"email": ada, "password": goodPassword})))
	w.store.before = fails(1, plugin.ErrUnavailable)
	p.must(p.code(w.mail.code(ada))) // the proof counts, and its answer carries the token that opens the row now
	if p.last.Phase != flow.PhaseOpen || p.last.Step == nil || p.last.Step.Kind != "persist" || p.last.Token.Empty() {
		t.Fatalf("after the proof: %+v", p.last)
	}
	p.must(p.answer("persist", object{}))
	if p.last.Phase != flow.PhaseCompleted || len(w.store.accounts()) != 1 {
		t.Errorf("afterwards: %+v, %d accounts", p.last, len(w.store.accounts()))
	}
}

func TestANewTokenIsHandedOverAlsoWhenTheStoreRefuses(t *testing.T) {
	w := newWorld(t, proofLast)
	p := w.begin()
	p.must(p.answer("about", items(object{"email": ada, "password": goodPassword})))
	w.store.before = fails(1, plugin.Refused(plugin.PasswordField, plugin.CodePolicy))
	p.must(p.code(w.mail.code(ada)))
	if p.last.Step == nil || p.last.Step.Name != "about" || p.last.Token.Empty() {
		t.Fatalf("after the refusal: %+v", p.last)
	}
	p.must(p.answer("about", items(object{"email": ada, "password": "an even longer password than before"})))
	if p.last.Phase != flow.PhaseCompleted {
		t.Errorf("afterwards: %+v", p.last)
	}
}
