package flow_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
)

// notebook is an observer that writes down what it is told.
type notebook struct{ lines []string }

func (n *notebook) Trip(ctx context.Context, a flow.Action) (context.Context, func(string, string, error)) {
	return ctx, func(name, kind string, err error) {
		outcome := "ok"
		var p *flow.Problem
		if errors.As(err, &p) {
			outcome = string(p.Code)
		}
		n.lines = append(n.lines, fmt.Sprintf("%s %s/%s %s", a, name, kind, outcome))
	}
}

func (n *notebook) Completed(name string) { n.lines = append(n.lines, "completed "+name) }

func (n *notebook) take() []string {
	lines := n.lines
	n.lines = nil
	return lines
}

func observed(n *notebook) func(*flow.Config) { return func(c *flow.Config) { c.Observer = n } }

func TestAnObserverIsToldOfEveryTripAndEveryAccountOnce(t *testing.T) {
	n := &notebook{}
	w := newWorld(t, "", observed(n))
	p := w.begin().toCode(ada)
	w.problem(p.code("00000000"), flow.CodeWrongCode)
	w.clock.advance(time.Minute)
	p.must(p.resend())
	p.must(p.code(w.mail.code(ada))).finish()
	p.show()
	p.must(p.persist()) // the same again
	_ = w.Abort(w.ctx(), flow.Token{})
	want := []string{
		"start standard/ ok", "answer standard/data ok", "answer standard/verify-email wrong_code", "resend standard/verify-email ok",
		"answer standard/verify-email ok", "completed standard", "answer standard/data ok", "show standard/persist ok", "answer standard/persist ok",
		"abort / registration_gone",
	}
	if got := n.take(); !slices.Equal(got, want) {
		t.Errorf("it was told\n%q, want\n%q", got, want)
	}
}

func TestAnObserverIsToldOfAccountsThatAreFoundLater(t *testing.T) {
	n := &notebook{}
	w := newWorld(t, "", observed(n))
	p := w.leave(true)
	if got := n.take(); slices.Contains(got, "completed standard") {
		t.Fatalf("too early: %q", got)
	}
	w.clock.advance(lastRun)
	w.resolve()
	p.must(p.persist())
	if got := n.take(); !slices.Equal(got, []string{"completed standard", "answer standard/persist ok"}) {
		t.Errorf("it was told %q", got)
	}
}
