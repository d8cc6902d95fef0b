package flow_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
)

// secret is a key for tests.
const secret = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

// world is everything a dispatcher needs, with a clock that tests move.
type world struct {
	testing.TB
	*flow.Dispatcher
	resolver *flow.Resolver
	clock    *clock
	rows     *watchedRows
	store    *memoryStore
	mail     *mailbox
	keys     *seal.Keyring
	rules    *identifier.Rules
	dir      string
	// client makes the requests; nobody knows it when it is empty.
	client string
}

// ctx is that of a request of the client.
func (w *world) ctx() context.Context {
	if w.client == "" {
		return context.Background()
	}
	return flow.WithClient(context.Background(), netip.MustParseAddr(w.client))
}

// limited has the default limits.
func limited(c *flow.Config) { c.Definition.Limits = flow.DefaultLimits() }

// limitedBut has the default limits, save those that are off.
func limitedBut(off ...string) func(*flow.Config) {
	return func(c *flow.Config) {
		limited(c)
		for _, name := range off {
			delete(c.Definition.Limits, name)
		}
	}
}

// newWorld starts the engine on a flows file; "" means the built-in flows.
func newWorld(t testing.TB, flows string, change ...func(*flow.Config)) *world {
	t.Helper()
	w := &world{TB: t, clock: &clock{now: time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)}, store: newMemoryStore(), dir: t.TempDir()}
	w.store.clock = w.clock.Now
	var err error
	w.keys, err = seal.NewKeyring(secret)
	w.must(err)
	w.rules, err = identifier.New(identifier.Options{Product: "Narthex"})
	w.must(err)
	db, err := state.Open(t.Context(), state.Config{Path: filepath.Join(w.dir, "state.db"), Clock: w.clock.Now, Owner: "test"})
	w.must(err)
	t.Cleanup(func() { _ = db.Close() })
	w.rows = &watchedRows{DB: db}
	w.mail = &mailbox{w: w}
	w.restart(flows, change...)
	return w
}

// restart makes a new engine on the same databases.
func (w *world) restart(flows string, change ...func(*flow.Config)) {
	w.Helper()
	definition, err := flow.ReadDefault()
	if flows != "" {
		definition, err = flow.ReadDefinition("flows.yaml", []byte(flows))
	}
	w.must(err)
	definition.Limits = nil // tests of budgets ask for limited
	backend, err := plugin.Of(context.Background(), w.store)
	w.must(err)
	c := flow.Config{
		Definition: definition, Enabled: true, Store: backend, Rows: w.rows, Keys: w.keys, Rules: w.rules,
		Messenger: w.mail, LoginURL: "/login",
	}
	for _, f := range change {
		f(&c)
	}
	w.Dispatcher, err = flow.New(context.Background(), c)
	w.must(err)
	w.resolver = flow.NewResolver(w.Dispatcher)
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

// person is somebody on the way.
type person struct {
	w     *world
	token flow.Token
	last  flow.Registration
}

func (w *world) begin(flowName ...string) *person {
	w.Helper()
	p := &person{w: w}
	r, err := w.Start(w.ctx(), flow.StartRequest{Flow: strings.Join(flowName, "")})
	w.must(err)
	p.take(r)
	return p
}

func (p *person) take(r flow.Registration) {
	p.last = r
	if !r.Token.Empty() {
		p.token = r.Token
	}
}

// answer sends one answer and keeps what comes back.
func (p *person) answer(step string, members any) error {
	r, err := p.w.Answer(p.w.ctx(), p.token, step, answerOf(members))
	if err == nil {
		p.take(r)
	}
	return err
}

func answerOf(members any) flow.Answer {
	b, err := json.Marshal(members)
	if err != nil {
		panic(err)
	}
	var a flow.Answer
	if err := json.Unmarshal(b, &a); err != nil {
		panic(err)
	}
	return a
}

type object = map[string]any

func items(members object) object { return object{"items": members} }

func aboutYou(email string) object {
	return items(object{"email": email, "given_name": "Ada", "family_name": "Lovelace"})
}

const goodPassword = "the analytical engine weaves"

func (p *person) must(err error) *person {
	p.w.Helper()
	if err != nil {
		p.w.Fatalf("%v: %v", err, errors.Unwrap(err))
	}
	return p
}

// toCode walks to the verification of the default flow.
func (p *person) toCode(email string) *person {
	p.w.Helper()
	return p.must(p.answer("about-you", aboutYou(email)))
}

// toPassword walks on with the code that was mailed.
func (p *person) toPassword(email string) *person {
	p.w.Helper()
	p.toCode(email)
	return p.must(p.answer("verify-email", object{"code": p.w.mail.code(email)}))
}

func (p *person) finish() *person {
	p.w.Helper()
	return p.must(p.answer("password", items(object{"password": goodPassword})))
}

func (p *person) show() flow.Registration {
	p.w.Helper()
	r, err := p.w.Show(p.w.ctx(), p.token)
	p.must(err)
	return r
}

// problem expects a problem of a code.
func (w *world) problem(err error, code flow.Code) *flow.Problem {
	w.Helper()
	var p *flow.Problem
	if !errors.As(err, &p) {
		w.Fatalf("got %v, want the problem %s", err, code)
	}
	if p.Code != code {
		w.Fatalf("got the problem %s (%v), want %s", p.Code, p.Cause, code)
	}
	return p
}

// violations lists "field:code".
func violations(err error) string {
	var p *flow.Problem
	if !errors.As(err, &p) {
		return fmt.Sprint(err)
	}
	var all []string
	for _, v := range p.Violations {
		all = append(all, v.Field+":"+v.Code)
	}
	return strings.Join(all, " ")
}
