package testenv_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/message"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
	"github.com/narthex/narthex/testenv"
)

// crashPoints lists every place where a registration writes, with the process that is killed there.
func crashPoints() map[string]string {
	points := map[string]string{}
	for _, p := range flow.Failpoints() {
		points[p] = "sidecar"
	}
	for _, p := range state.Failpoints() {
		points[p] = "sidecar"
	}
	for _, p := range message.Failpoints() {
		points[p] = "sidecar"
	}
	// The later writes of one registration pass the same places again.
	for _, again := range []string{"flow.answer.before:2", "flow.answer.after:2", "state.commit.between:2", "state.commit.uncommitted:2",
		"state.commit.between:3", "state.commit.uncommitted:3", "state.commit.between:4", "state.commit.uncommitted:4"} {
		points[again] = "sidecar"
	}
	for _, p := range sqlstore.Failpoints() {
		points[p] = "persister"
	}
	return points
}

// TestKilledAtEveryWrite walks one registration per crash point. Somebody registers, a process is killed at the point,
// the sidecar is started again where it was the one, and the person goes on as a person would: the same request again,
// and from the start only where the design says so.
func TestKilledAtEveryWrite(t *testing.T) {
	testenv.Binary(t)
	for point, victim := range crashPoints() {
		t.Run(victim+"/"+point, func(t *testing.T) {
			t.Parallel()
			crash := &crashRun{T: t, point: point, victim: victim, marker: filepath.Join(t.TempDir(), "hit")}
			crash.run()
		})
	}
}

// crashRun is one registration with one death in it.
type crashRun struct {
	*testing.T
	// flows is the variable of another flows file, or empty.
	point, victim, marker, flows string
	// state and accounts are URLs of PostgreSQL databases; empty: SQLite files in the data directory.
	state, accounts string
	// directory keeps the accounts instead of a database, where it is set; directoryEnv are the settings for it.
	directory    *testenv.Directory
	directoryEnv []string

	sidecar  *testenv.Sidecar
	client   *testenv.Client
	restarts int
	codes    []string
}

// cheapHash keeps the hashing of hundreds of logins short.
const cheapHash = "NARTHEX_SQL_ARGON2ID=m=8,t=1,p=1"

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// victim is who registers.
var victim = testenv.Person{Email: "Ada.Lovelace@Example.org", GivenName: "Ada", FamilyName: "Lovelace", Password: "the analytical engine weaves"}

func (c *crashRun) run() {
	c.begin()
	done := c.register()
	if !fileExists(c.marker) {
		c.Fatalf("nothing was killed: the point %s was never reached", c.point)
	}
	c.holds(done.Account.Username)
}

// holds checks the invariants once the registration is completed.
func (c *crashRun) holds(username string) {
	c.Helper()
	c.answersTheSameAgain(username)
	c.canLogIn(username)
	c.codesAreSpent()
	c.addressIsTaken()
	if code := c.sidecar.Terminate(); code != 0 {
		c.Errorf("the sidecar ended with %d after SIGTERM\n%s", code, c.sidecar.Log())
	}
	c.holdsExactlyOneAccount(username)
}

// register walks the default flow, however often it is interrupted.
func (c *crashRun) register() testenv.Reply {
	c.Helper()
	for range 4 {
		if r, ok := c.walk(); ok {
			return r
		}
	}
	c.Fatalf("the registration cannot be finished\n%s", c.sidecar.Log())
	return testenv.Reply{}
}

// walk is one way from the start; ok is false where only a fresh start helps.
func (c *crashRun) walk() (testenv.Reply, bool) {
	c.Helper()
	seen := c.mailCount()
	if r := c.insist(c.client.Start); r.Status != http.StatusCreated {
		c.Fatalf("start: %d %s", r.Status, r.Raw)
	}
	r := c.insist(func() (testenv.Reply, error) {
		return c.client.Items("about-you", map[string]any{"email": victim.Email, "given_name": victim.GivenName, "family_name": victim.FamilyName})
	})
	// The answer was lost after the commit: the registration is where the answer would have led.
	if r.Code == "unexpected_step" {
		r = c.show()
	}
	if r.StepName() != "verify-email" {
		c.Fatalf("after about-you: %d %s", r.Status, r.Raw)
	}
	mail, err := c.nextMail(seen)
	if err != nil {
		c.Fatalf("no mail: %v\n%s", err, c.sidecar.Log())
	}
	c.codes = append(c.codes, mail.Code())
	// What is done behind a mail is late on a busy machine: nobody goes on before.
	for end := time.Now().Add(20 * time.Second); strings.HasPrefix(c.point, "message.") && !fileExists(c.marker) && time.Now().Before(end); {
		time.Sleep(5 * time.Millisecond)
	}
	r = c.insist(func() (testenv.Reply, error) {
		return c.client.Step("verify-email", map[string]any{"code": mail.Code()})
	})
	if r.Code == "registration_gone" {
		return r, false // the new token was in the answer that got lost
	}
	if r.StepName() != "password" {
		c.Fatalf("after verify-email: %d %s", r.Status, r.Raw)
	}
	return c.finish()
}

// finish sends the password and repeats until the account is there.
func (c *crashRun) finish() (testenv.Reply, bool) {
	c.Helper()
	r := c.insist(func() (testenv.Reply, error) {
		return c.client.Items("password", map[string]any{"password": victim.Password})
	})
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		switch {
		case r.State == "completed":
			return r, true
		case r.Code == "unexpected_step", r.Status == http.StatusServiceUnavailable:
			// It was committed as persisting: ask where it stands, and let it go on with what was stored.
			if r = c.show(); r.StepName() == "persist" {
				r = c.insist(func() (testenv.Reply, error) { return c.client.Step("persist", map[string]any{}) })
			}
		default:
			c.Fatalf("while persisting: %d %s", r.Status, r.Raw)
		}
	}
	c.Fatalf("the account is never made: %d %s\n%s", r.Status, r.Raw, c.sidecar.Log())
	return r, false
}

func (c *crashRun) show() testenv.Reply {
	c.Helper()
	return c.insist(func() (testenv.Reply, error) { return c.client.Call("GET", "/v1/registration", nil) })
}

// insist repeats a request until it is answered; a dead sidecar is started again on what it left.
func (c *crashRun) insist(request func() (testenv.Reply, error)) testenv.Reply {
	c.Helper()
	var err error
	for end := time.Now().Add(90 * time.Second); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		var r testenv.Reply
		if r, err = request(); err == nil {
			return r
		}
		c.restart()
	}
	c.Fatalf("no answer: %v\n%s", err, c.sidecar.Log())
	return testenv.Reply{}
}

// logIn asks again for as long as the store is away: it may die of what goes on behind the last answer.
func (c *crashRun) logIn(id, password string) (r testenv.Reply) {
	c.Helper()
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		r = c.insist(func() (testenv.Reply, error) { return c.client.Login(id, password) })
		if r.Status != http.StatusServiceUnavailable || time.Now().After(end) {
			return r
		}
	}
}

func (c *crashRun) restart() {
	c.Helper()
	if c.victim != "sidecar" {
		c.Fatalf("the sidecar broke a connection although the persister died\n%s", c.sidecar.Log())
	}
	if c.sidecar.Wait(); c.restarts > 0 {
		c.Fatalf("the sidecar died a second time\n%s", c.sidecar.Log())
	}
	c.restarts++
	c.sidecar = testenv.Start(c, c.environment("NARTHEX_DATA_DIR="+c.sidecar.DataDir)...)
	c.client.URL = c.sidecar.URL
}

func (c *crashRun) mailCount() int {
	c.Helper()
	mails, err := c.sidecar.Mails(victim.Email)
	if err != nil {
		c.Fatal(err)
	}
	return len(mails)
}

// nextMail waits for the mail; the worker that writes it may be the one who dies.
func (c *crashRun) nextMail(seen int) (testenv.Mail, error) {
	for end := time.Now().Add(120 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if mails, err := c.sidecar.Mails(victim.Email); err != nil {
			return testenv.Mail{}, err
		} else if len(mails) > seen {
			return mails[len(mails)-1], nil
		}
		if c.sidecar.Exited() {
			c.restart()
		}
	}
	return testenv.Mail{}, fmt.Errorf("no mail came within two minutes")
}

// answersTheSameAgain is the person who presses the button once more.
func (c *crashRun) answersTheSameAgain(username string) {
	c.Helper()
	r := c.insist(func() (testenv.Reply, error) { return c.client.Step("persist", map[string]any{}) })
	if r.State != "completed" || r.Account == nil || r.Account.Username != username {
		c.Errorf("the repeated request answers %d %s, want the completed registration of %s", r.Status, r.Raw, username)
	}
}

// canLogIn shows I1 and I4: by address in another spelling and by username, with this password only.
func (c *crashRun) canLogIn(username string) {
	c.Helper()
	for _, id := range []string{strings.ToUpper(victim.Email), username} {
		if r := c.logIn(id, victim.Password); r.Status != http.StatusOK || r.Account.Username != username {
			c.Errorf("login as %s: %d %s", id, r.Status, r.Raw)
		}
		for _, wrong := range []string{"", victim.Password + "x"} {
			if r := c.logIn(id, wrong); r.Status == http.StatusOK {
				c.Errorf("login as %s with a wrong password succeeds", id)
			}
		}
	}
}

// codesAreSpent shows I6: no code that was mailed proves anything any more.
func (c *crashRun) codesAreSpent() {
	c.Helper()
	other := testenv.NewClient(c.sidecar.URL)
	if _, err := other.Start(); err != nil {
		c.Fatal(err)
	}
	if _, err := other.Items("about-you", map[string]any{"email": "other@example.org", "given_name": "O", "family_name": "P"}); err != nil {
		c.Fatal(err)
	}
	for _, code := range c.codes {
		if r, err := other.Step("verify-email", map[string]any{"code": code}); err != nil || r.Code != "wrong_code" {
			c.Errorf("a spent code in another registration answers %d %s (%v)", r.Status, r.Raw, err)
		}
	}
}

// addressIsTaken shows I3 from outside: whoever tries the address again gets the owner's notice instead of a code.
func (c *crashRun) addressIsTaken() {
	c.Helper()
	seen := c.mailCount()
	other := testenv.NewClient(c.sidecar.URL)
	if _, err := other.Start(); err != nil {
		c.Fatal(err)
	}
	if _, err := other.Items("about-you", map[string]any{"email": strings.ToLower(victim.Email), "given_name": "E", "family_name": "V"}); err != nil {
		c.Fatal(err)
	}
	for end := time.Now().Add(60 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		mails, err := c.sidecar.Mails(strings.ToLower(victim.Email))
		if err != nil {
			c.Fatal(err)
		}
		if len(mails) > 0 {
			if mails[0].Code() != "" {
				c.Errorf("the owner of a taken address is mailed a code: %s", mails[0].Text)
			}
			return
		}
	}
	c.Errorf("the owner got no notice (%d mails before)", seen)
}

// holdsExactlyOneAccount looks into the store itself: I2 and I3.
func (c *crashRun) holdsExactlyOneAccount(username string) {
	c.Helper()
	if c.directory != nil {
		c.holdsExactlyOneEntry(username)
		return
	}
	store, err := sqlstore.Open(c.Context(), sqlstore.Options{DSN: c.accounts, Path: filepath.Join(c.sidecar.DataDir, "accounts.db")})
	if err != nil {
		c.Fatal(err)
	}
	defer store.Close()
	page, err := store.List(c.Context(), plugin.ListQuery{Limit: 10})
	if err != nil {
		c.Fatal(err)
	}
	if len(page.Accounts) != 1 {
		c.Fatalf("the store holds %d accounts, want 1", len(page.Accounts))
	}
	a := page.Accounts[0]
	if a.Username != username || a.Attributes.Text("mail") != victim.Email || a.Attributes.Text("givenName") != "Ada" ||
		a.Attributes.Text("sn") != "Lovelace" || a.State.Locked {
		c.Errorf("the account is not complete: %+v", a)
	}
}
