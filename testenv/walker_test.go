package testenv_test

import (
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/narthex/narthex/testenv"
)

// outcome is how somebody's registration ended.
type outcome string

const (
	outcomeDone  outcome = "done"
	outcomeTaken outcome = "taken"
	outcomeStuck outcome = "stuck"
	// outcomeAgain: only a fresh start helps. No registration ends so.
	outcomeAgain outcome = "again"
)

// walker is somebody who registers at whichever sidecar answers, as patiently as a person with a browser: what is not
// answered is sent again, to another sidecar every time.
type walker struct {
	replicas *replicas
	person   testenv.Person
	client   *testenv.Client
	turn     int
	visited  [2]int

	outcome  outcome
	username string
	last     testenv.Reply
}

func (r *replicas) person(p testenv.Person) *walker {
	w := &walker{replicas: r, person: p, client: testenv.NewClient(r.front)}
	if r.front != "" {
		n := r.addresses.Add(1)
		w.client.HTTP.Transport = testenv.From(fmt.Sprintf("127.1.%d.%d", n/250, n%250+1))
	}
	return w
}

// patience bounds the wait for one thing to happen: a minute's lease and then some.
const patience = 100 * time.Second

var errNotAnswered = errors.New("not answered")

// ask sends a request until a sidecar answers it with something else than "later".
func (w *walker) ask(request func() (testenv.Reply, error)) testenv.Reply {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if !w.choose() {
			continue
		}
		r, err := request()
		if err != nil {
			continue // a proxy's own page is no JSON
		}
		w.last = r
		if r.Status != http.StatusServiceUnavailable && r.Status != http.StatusBadGateway && r.Status != http.StatusGatewayTimeout {
			return r
		}
	}
	return testenv.Reply{Raw: errNotAnswered.Error()}
}

// choose turns to the next sidecar, unless a proxy does that. It is false where that one is dead.
func (w *walker) choose() bool {
	if w.replicas.front != "" {
		return true
	}
	at := w.turn % len(w.replicas.sidecars)
	w.turn++
	s := w.replicas.sidecars[at]
	if s.Exited() {
		return false
	}
	w.client.URL = s.URL
	w.visited[at]++
	return true
}

func (w *walker) show() testenv.Reply {
	return w.ask(func() (testenv.Reply, error) { return w.client.Call("GET", "/v1/registration", nil) })
}

// walk registers until it is decided who has the address.
func (w *walker) walk() outcome {
	for range 5 {
		if w.outcome = w.once(); w.outcome != outcomeAgain {
			return w.outcome
		}
	}
	return outcomeStuck
}

// once is one registration from its start.
func (w *walker) once() outcome {
	before, err := w.replicas.mails(w.person.Email)
	if err != nil {
		return outcomeStuck
	}
	if r := w.ask(w.client.Start); r.Status != http.StatusCreated {
		return outcomeStuck
	}
	r := w.ask(func() (testenv.Reply, error) {
		return w.client.Items("about-you", map[string]any{"email": w.person.Email, "given_name": w.person.GivenName, "family_name": w.person.FamilyName})
	})
	if r.Code == "unexpected_step" { // it was committed, and the answer got lost
		r = w.show()
	}
	if r.StepName() != "verify-email" {
		return outcomeStuck
	}
	code, ok := w.code(len(before))
	switch {
	case !ok:
		return outcomeStuck
	case code == "": // the notice for an owner
		return outcomeTaken
	}
	r = w.ask(func() (testenv.Reply, error) { return w.client.Step("verify-email", map[string]any{"code": code}) })
	switch {
	case r.Code == "registration_gone", r.Code == "wrong_code":
		return outcomeAgain // the new token got lost; or somebody has the address by now, and the next mail says so
	case r.Code == "unexpected_step":
		return outcomeAgain
	case r.StepName() != "password":
		return outcomeStuck
	}
	return w.finish()
}

// code waits for the next mail. It is "" where the mail has none.
func (w *walker) code(seen int) (string, bool) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if mails, err := w.replicas.mails(w.person.Email); err == nil && len(mails) > seen {
			return mails[len(mails)-1].Code(), true
		}
	}
	return "", false
}

// finish sends the password, and goes on with what was stored, until the account is there or somebody else has it.
func (w *walker) finish() outcome {
	r := w.ask(func() (testenv.Reply, error) {
		return w.client.Items("password", map[string]any{"password": w.person.Password})
	})
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		switch {
		case r.State == "completed":
			w.username = r.Account.Username
			return outcomeDone
		case r.Code == "identifier_taken", r.StepName() == "about-you":
			return outcomeTaken
		case r.Code == "unexpected_step":
			r = w.show()
		case r.StepName() == "persist":
			r = w.ask(func() (testenv.Reply, error) { return w.client.Step("persist", map[string]any{}) })
		case r.StepName() == "password":
			r = w.ask(func() (testenv.Reply, error) {
				return w.client.Items("password", map[string]any{"password": w.person.Password})
			})
		default:
			return outcomeStuck
		}
	}
	return outcomeStuck
}
