package testenv_test

import (
	"database/sql"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite", to get in the store's way

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/testenv"
)

// quickResend is the built-in flow with a shorter wait before another mail, and more of them.
const quickResend = `default: standard
limits: {messages_per_address: 100/hour}
items:
  email:       {type: email, alias: true, required: true, attribute: mail}
  given_name:  {type: string, max: 64, required: true, attribute: givenName}
  family_name: {type: string, max: 64, required: true, attribute: sn}
  password:    {type: password, required: true}
flows:
  standard:
    title: Create your account
    stealth: true
    steps:
      - data: {name: about-you, items: [email, given_name, family_name]}
      - username: {generate: "u{alnum:11}"}
      - verify-email: {item: email, resend_after: 10s}
      - data: {name: password, items: [password]}
      - persist: {}
`

// journeys walk through the writes that only some registrations make. Each returns when its write is done; the
// registration is then finished as every other one.
var journeys = map[string]func(c *crashRun){
	"flow.resend": func(c *crashRun) {
		c.toVerification()
		time.Sleep(10500 * time.Millisecond) // until another mail may be asked for
		c.insist(func() (testenv.Reply, error) {
			return c.client.Call("POST", "/v1/registration/steps/verify-email/resend", nil)
		})
		if _, err := c.nextMail(1); err != nil {
			c.Error(err)
		}
	},
	"flow.change": func(c *crashRun) {
		c.toVerification()
		c.insist(func() (testenv.Reply, error) {
			return c.client.Call("POST", "/v1/registration/steps/verify-email/change", nil)
		})
		if r := c.show(); r.StepName() != "about-you" || r.Step.Fields[0].Value != victim.Email {
			c.Errorf("after the change: %s", r.Raw)
		}
	},
	"flow.abort": func(c *crashRun) {
		c.toVerification()
		c.insist(func() (testenv.Reply, error) { return c.client.Call("DELETE", "/v1/registration", nil) })
		if r := c.show(); r.Code != "registration_gone" {
			c.Errorf("after the abort: %s", r.Raw)
		}
	},
	"flow.released": func(c *crashRun) {
		c.toPassword()
		unlock := c.lockAccounts()
		c.insist(func() (testenv.Reply, error) {
			return c.client.Items("password", map[string]any{"password": victim.Password})
		})
		unlock()
		c.awaitCompletion()
	},
}

// TestKilledAtTheRarerWrites is TestKilledAtEveryWrite for resending, changing the address, aborting, and a store that
// refuses for a while.
func TestKilledAtTheRarerWrites(t *testing.T) {
	testenv.Binary(t)
	flows := inFile(t, "NARTHEX_FLOWS", quickResend)
	for write, journey := range journeys {
		for _, point := range []string{write + ".before", write + ".after"} {
			t.Run(point, func(t *testing.T) {
				t.Parallel()
				c := &crashRun{T: t, point: point, victim: "sidecar", marker: filepath.Join(t.TempDir(), "hit"), flows: flows}
				c.begin()
				journey(c)
				c.end()
			})
		}
	}
}

// TestEveryFailpointIsWalked keeps the lists of the tests and of the code together.
func TestEveryFailpointIsWalked(t *testing.T) {
	walked := crashPoints()
	for write := range journeys {
		walked[write+".before"], walked[write+".after"] = "", ""
	}
	for _, p := range append(resolverPoints, "flow.retreat.before", "flow.retreat.after") {
		walked[p] = ""
	}
	for _, p := range append(flow.Failpoints(), flow.FurtherFailpoints()...) {
		if _, ok := walked[p]; !ok {
			t.Errorf("no test kills at %s", p)
		}
	}
}

var resolverPoints = []string{"flow.resolve.before", "flow.resolve.after", "flow.resolved.before", "flow.resolved.after"}

// TestAClientThatStaysAwayFindsItsRegistrationCompleted kills the sidecar when the store has committed and nobody knows,
// and again while the worker finds out.
func TestAClientThatStaysAwayFindsItsRegistrationCompleted(t *testing.T) {
	testenv.Binary(t)
	for _, second := range resolverPoints {
		t.Run(second, func(t *testing.T) {
			t.Parallel()
			c := &crashRun{T: t, point: "flow.completed.before", victim: "sidecar", marker: filepath.Join(t.TempDir(), "hit")}
			c.begin()
			c.toPassword()
			if _, err := c.client.Items("password", map[string]any{"password": victim.Password}); err == nil {
				t.Fatal("the sidecar lives on")
			}
			c.sidecar.Wait()
			data, marker := "NARTHEX_DATA_DIR="+c.sidecar.DataDir, filepath.Join(t.TempDir(), "again")
			testenv.Start(t, data, cheapHash, "FAILPOINT="+second, "FAILPOINT_ONCE="+marker).Wait() // dies of the second point
			if !fileExists(marker) {
				t.Fatal("the worker was not killed")
			}
			c.sidecar = testenv.Start(t, data, cheapHash)
			c.client.URL = c.sidecar.URL
			for end := time.Now().Add(2 * time.Minute); ; time.Sleep(time.Second) {
				r := c.show() // looks only, and never asks the step to go on
				if r.State == "completed" {
					break
				}
				if time.Now().After(end) {
					t.Fatalf("nobody settles the registration: %s\n%s", r.Raw, c.sidecar.Log())
				}
			}
			if second != "flow.resolved.after" { // there, the one that died had settled it
				waitForLog(t, c.sidecar, `"event":"registration.resolve"`)
				if lines := trail(t, c.sidecar); len(lines) != 1 || lines[0].Outcome != "ok" || lines[0].State != "completed" || lines[0].Registration == "" {
					t.Errorf("the trail of what the worker found: %+v", lines)
				}
			}
			c.end()
		})
	}
}

// TestTheSecondOfTwoProvenOwnersIsLedBack kills the sidecar where the store has refused an address that somebody else,
// who had proved it as well, took a moment earlier.
func TestTheSecondOfTwoProvenOwnersIsLedBack(t *testing.T) {
	testenv.Binary(t)
	for _, point := range []string{"flow.retreat.before", "flow.retreat.after"} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			c := &crashRun{T: t, point: point, victim: "sidecar", marker: filepath.Join(t.TempDir(), "hit")}
			c.begin()
			c.toPassword()
			first := c.client
			c.client = testenv.NewClient(c.sidecar.URL)
			c.toPassword()
			if r, err := first.Items("password", map[string]any{"password": victim.Password}); err != nil || r.State != "completed" {
				t.Fatalf("the first: %+v, %v", r, err)
			}
			r := c.insist(func() (testenv.Reply, error) {
				return c.client.Items("password", map[string]any{"password": "another long and private sentence"})
			})
			for end := time.Now().Add(2 * time.Minute); r.StepName() != "about-you" && time.Now().Before(end); time.Sleep(time.Second) {
				if r = c.show(); r.StepName() == "persist" {
					r = c.insist(func() (testenv.Reply, error) { return c.client.Step("persist", map[string]any{}) })
				}
				if r.Code == "invalid_input" || r.Code == "identifier_taken" {
					r = c.show()
				}
			}
			if r.StepName() != "about-you" {
				t.Fatalf("the second is not led back: %d %s\n%s", r.Status, r.Raw, c.sidecar.Log())
			}
			if !fileExists(c.marker) {
				t.Fatal("nothing was killed")
			}
			if login, err := c.client.Login(victim.Email, victim.Password); err != nil || login.Status != http.StatusOK {
				t.Errorf("the first cannot log in: %+v, %v", login, err)
			}
			if login, err := c.client.Login(victim.Email, "another long and private sentence"); err != nil || login.Status == http.StatusOK {
				t.Errorf("the second can log in to the first's account: %+v, %v", login, err)
			}
		})
	}
}

// begin starts the sidecar that will be killed.
func (c *crashRun) begin() {
	c.Helper()
	c.sidecar = testenv.Start(c, c.environment("FAILPOINT="+c.point, "FAILPOINT_ONCE="+c.marker)...)
	c.client = testenv.NewClient(c.sidecar.URL)
}

// environment is what every sidecar of the run gets.
func (c *crashRun) environment(more ...string) []string {
	if c.flows != "" {
		more = append(more, c.flows)
	}
	if c.directory != nil {
		return append(more, c.directoryEnv...)
	}
	if c.accounts != "" {
		more = append(more, sharedSecret, "NARTHEX_STATE_DSN="+c.state, "NARTHEX_SQL_DSN="+c.accounts)
	}
	return append(more, cheapHash)
}

// end finishes the registration from wherever it stands, and checks the invariants.
func (c *crashRun) end() {
	c.Helper()
	if !fileExists(c.marker) {
		c.Fatalf("nothing was killed: the point %s was never reached", c.point)
	}
	done := c.show()
	if done.State != "completed" {
		done = c.register()
	}
	c.holds(done.Account.Username)
}

// toVerification walks to the step that waits for the code, and waits for the mail: one that came later would be taken
// for that of the next registration.
func (c *crashRun) toVerification() testenv.Mail {
	c.Helper()
	seen := c.mailCount()
	c.insist(c.client.Start)
	r := c.insist(func() (testenv.Reply, error) {
		return c.client.Items("about-you", map[string]any{"email": victim.Email, "given_name": victim.GivenName, "family_name": victim.FamilyName})
	})
	if r.StepName() != "verify-email" {
		c.Fatalf("after about-you: %d %s", r.Status, r.Raw)
	}
	mail, err := c.nextMail(seen)
	if err != nil {
		c.Fatal(err)
	}
	return mail
}

// toPassword walks to the step that asks for the password.
func (c *crashRun) toPassword() {
	c.Helper()
	code := c.toVerification().Code()
	c.codes = append(c.codes, code)
	if r := c.insist(func() (testenv.Reply, error) { return c.client.Step("verify-email", map[string]any{"code": code}) }); r.StepName() != "password" {
		c.Fatalf("after verify-email: %d %s", r.Status, r.Raw)
	}
}

// awaitCompletion repeats what a patient person repeats.
func (c *crashRun) awaitCompletion() {
	c.Helper()
	var r testenv.Reply
	for end := time.Now().Add(2 * time.Minute); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		if r = c.show(); r.StepName() == "persist" {
			r = c.insist(func() (testenv.Reply, error) { return c.client.Step("persist", map[string]any{}) })
		}
		if r.State == "completed" {
			return
		}
	}
	c.Fatalf("the account is never made: %s\n%s", r.Raw, c.sidecar.Log())
}

// lockAccounts keeps the store from writing until the returned function is called.
func (c *crashRun) lockAccounts() (unlock func()) {
	c.Helper()
	db, err := sql.Open("sqlite", fmt.Sprintf("file:%s?_txlock=immediate", strings.ReplaceAll(filepath.Join(c.sidecar.DataDir, "accounts.db"), " ", "%20")))
	if err != nil {
		c.Fatal(err)
	}
	tx, err := db.BeginTx(c.Context(), nil)
	if err != nil {
		c.Fatal(err)
	}
	return func() {
		if err := tx.Rollback(); err != nil {
			c.Error(err)
		}
		_ = db.Close()
	}
}
