package testenv_test

import (
	"flag"
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

var directoryRounds = flag.Int("directory.rounds", 2, "rounds of the race for one address over three sidecars")

// callers is how many people want one address at the same time.
const callers = 64

// secondFlow is like the built-in one and says openly what is taken.
const secondFlow = `  open:
    title: Open
    stealth: false
    steps:
      - data: {name: about-you, items: [email, given_name, family_name]}
      - username: {generate: "u{alnum:11}"}
      - verify-email: {item: email}
      - data: {name: password, items: [password]}
      - persist: {}
limits: {messages_per_address: 1000/hour, guesses_per_address: 1000/hour}
`

// TestOneOfManyGetsAnAddressInADirectory lets people prove one mailbox in as many spellings, over three sidecars with a
// persister each, and finish at the same moment: one account, and everybody else hears that the address is taken.
func TestOneOfManyGetsAnAddressInADirectory(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t, testenv.WithIndexes("entryCSN")) // with no lockout: dozens of wrong passwords are tried on one entry
	env := directorySettings(t, d)
	d.Load(t, doctorLDIF(t, env))
	post := testenv.StartSMTP(t, testenv.SMTPOptions{})
	env = append(env, sharedSecret, "NARTHEX_STATE_DSN="+testenv.PostgreSQLDatabase(t), builtinAnd(t, secondFlow),
		"NARTHEX_SMTP_URL="+post.URL(), "SSL_CERT_DIR="+filepath.Dir(post.CAFile), "NARTHEX_MAIL_FROM=accounts@narthex.test")
	var sidecars []*testenv.Sidecar
	for range 3 {
		sidecars = append(sidecars, testenv.Start(t, env...))
	}
	for n := range *directoryRounds {
		r := &addressRace{T: t, directory: d, post: post, address: fmt.Sprintf("fellowship%d@example.org", n)}
		for i := range callers {
			r.racers = append(r.racers, r.racer(i, sidecars[i%len(sidecars)].URL))
		}
		r.all((*racer).prove)
		r.all((*racer).finish)
		r.check()
	}
}

// addressRace is one round of people who want one address.
type addressRace struct {
	*testing.T
	directory *testenv.Directory
	post      *testenv.SMTPServer
	address   string
	racers    []*racer
}

// racer is one of them, with a spelling and a password of their own.
type racer struct {
	race        *addressRace
	client      *testenv.Client
	flow, email string
	password    string

	// later counts answers that told to come again.
	later int
	last  testenv.Reply
}

func (r *addressRace) racer(i int, url string) *racer {
	email := []byte(r.address)
	for bit := range 6 { // the first letters tell the number
		if i>>bit&1 == 1 {
			email[bit] -= 'a' - 'A'
		}
	}
	return &racer{race: r, client: testenv.NewClient(url), flow: []string{"standard", "open"}[i/3%2], email: string(email),
		password: fmt.Sprintf("the private sentence of number %d", i)}
}

// all lets everybody do something at the same moment, and ends the test when somebody cannot.
func (r *addressRace) all(do func(*racer) error) {
	r.Helper()
	start := make(chan struct{})
	errs := make([]error, len(r.racers))
	var done sync.WaitGroup
	for i, p := range r.racers {
		done.Go(func() {
			<-start
			errs[i] = do(p)
		})
	}
	close(start)
	done.Wait()
	for i, err := range errs {
		if err != nil {
			r.Errorf("%s: %v", r.racers[i].email, err)
		}
	}
	if r.Failed() {
		r.FailNow()
	}
}

// prove registers up to the password, with the code from the mail.
func (p *racer) prove() error {
	if r, err := p.client.Call("POST", "/v1/registration", map[string]any{"flow": p.flow}); err != nil || r.Status != http.StatusCreated {
		return fmt.Errorf("start: %w, %d %s", err, r.Status, r.Raw)
	}
	r, err := p.client.Items("about-you", map[string]any{"email": p.email, "given_name": "Ada", "family_name": "Lovelace"})
	if err != nil || r.StepName() != "verify-email" {
		return fmt.Errorf("about-you: %w, %d %s", err, r.Status, r.Raw)
	}
	code, err := p.code()
	if err != nil {
		return err
	}
	r, err = p.client.Step("verify-email", map[string]any{"code": code})
	if err != nil || r.StepName() != "password" {
		return fmt.Errorf("verify-email: %w, %d %s", err, r.Status, r.Raw)
	}
	return nil
}

// code waits for the letter to the very spelling.
func (p *racer) code() (string, error) {
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		for _, m := range p.race.post.Mails(p.email) {
			if m.To != p.email {
				continue
			}
			letter, err := m.Mail()
			return letter.Code(), err
		}
	}
	return "", fmt.Errorf("no letter: %w", errNotAnswered)
}

// finish sends the password, and comes again as long as it is told to.
func (p *racer) finish() (err error) {
	p.last, err = p.client.Items("password", map[string]any{"password": p.password})
	for end := time.Now().Add(patience); err == nil && p.last.Status == http.StatusServiceUnavailable; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			return errNotAnswered
		}
		p.later++
		p.last, err = p.client.Step("persist", map[string]any{})
	}
	return err
}

// check looks at what everybody heard, and at the directory with its own tools.
func (r *addressRace) check() {
	r.Helper()
	d := r.directory
	var winner *racer
	later := 0
	for _, p := range r.racers {
		later += p.later
		switch {
		case p.last.Status == http.StatusOK && p.last.State == "completed" && p.last.Account != nil:
			if winner != nil {
				r.Errorf("%s and %s were both told to have the account", winner.email, p.email)
			}
			winner = p
		case p.last.Status == http.StatusConflict && p.last.Code == "identifier_taken":
			p.isBackAtTheAddress()
		default:
			r.Errorf("%s hears %d %s", p.email, p.last.Status, p.last.Raw)
		}
	}
	if winner == nil {
		r.Fatal("nobody has the account")
	}
	found := d.LDAPSearch(r, d.Base, "(mail="+r.address+")")
	dn := "uid=" + winner.last.Account.Username + "," + d.People
	if strings.Count(found, "dn: ") != 1 || !strings.Contains(found, "dn: "+dn+"\n") {
		r.Errorf("for %s, who has won, the directory has\n%s", dn, found)
	}
	for _, want := range []string{"objectClass: inetOrgPerson", "uid: " + winner.last.Account.Username, "mail: " + winner.email, "cn: Ada Lovelace", "givenName: Ada", "sn: Lovelace", "userPassword:"} {
		if !strings.Contains(found, "\n"+want) {
			r.Errorf("the entry lacks %q:\n%s", want, found)
		}
	}
	if left := d.LDAPSearch(r, d.Pending, "(!(entryDN="+d.Pending+"))", "1.1"); left != "" {
		r.Errorf("unfinished entries stay:\n%s", left)
	}
	for _, p := range r.racers {
		if who, err := d.LDAPWhoAmI(dn, p.password); (err == nil) != (p == winner) || err == nil && who != dn {
			r.Errorf("the password of %s, and %s has won: %s %v", p.email, winner.email, who, err)
		}
	}
	r.Logf("%s: %d people, %d entries; %d answers told to come again", r.address, len(r.racers), strings.Count(found, "dn: "), later)
}

// isBackAtTheAddress asks the registration where it is.
func (p *racer) isBackAtTheAddress() {
	p.race.Helper()
	if len(p.last.Violations) != 1 || p.last.Violations[0].Field != "email" {
		p.race.Errorf("%s hears about %v", p.email, p.last.Violations)
	}
	if r, err := p.client.Call("GET", "/v1/registration", nil); err != nil || r.StepName() != "about-you" || r.Account != nil {
		p.race.Errorf("%s, who lost, goes on with %d %s %v", p.email, r.Status, r.Raw, err)
	}
}
