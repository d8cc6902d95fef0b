package testenv_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// canary is somebody whose every word can be found again.
var canary = testenv.Person{Email: "Canary.Address@example.org", GivenName: "Canarygiven", FamilyName: "Canaryfamily", Password: "the canary sings all morning long"}

// story lets the canary do everything that people do, rightly and wrongly, and returns what nobody else may read.
func story(t *testing.T, s *testenv.Sidecar) (secrets, codes []string) {
	t.Helper()
	c := testenv.NewClient(s.URL)
	do := func(want int, r testenv.Reply, err error) testenv.Reply {
		t.Helper()
		if err != nil || r.Status != want {
			t.Fatalf("want %d: %d %s %v", want, r.Status, r.Raw, err)
		}
		return r
	}
	r, err := c.Start()
	do(http.StatusCreated, r, err)
	secrets = append(secrets, c.Token)
	r, err = c.Items("about-you", map[string]any{"email": canary.Email, "given_name": canary.GivenName, "family_name": canary.FamilyName, "password": canary.Password})
	do(http.StatusUnprocessableEntity, r, err)
	r, err = c.Call("POST", "/v1/registration/steps/about-you", map[string]any{canary.Password: canary.Email})
	do(http.StatusBadRequest, r, err)
	r, err = c.Items("about-you", map[string]any{"email": canary.Email, "given_name": canary.GivenName, "family_name": canary.FamilyName})
	do(http.StatusOK, r, err)
	code, err := s.Code(canary.Email)
	if err != nil {
		t.Fatal(err)
	}
	codes = append(codes, code)
	r, err = c.Step("verify-email", map[string]any{"code": "00000000"})
	do(http.StatusUnprocessableEntity, r, err)
	r, err = c.Step("verify-email", map[string]any{"code": code})
	do(http.StatusOK, r, err)
	secrets = append(secrets, c.Token)
	r, err = c.Items("password", map[string]any{"password": "short"})
	do(http.StatusUnprocessableEntity, r, err)
	r, err = c.Items("password", map[string]any{"password": canary.Password})
	secrets = append(secrets, do(http.StatusOK, r, err).Account.Username)
	for _, wrong := range []string{canary.Email, "nobody." + canary.Email} {
		r, err = c.Login(wrong, canary.Password+" not")
		do(http.StatusUnauthorized, r, err)
	}
	r, err = c.Login(strings.ToUpper(canary.Email), canary.Password)
	do(http.StatusOK, r, err)
	return secrets, codes
}

// store is where a sidecar keeps accounts and state.
type store struct {
	env []string
	// outage takes the server away and brings it back; meanwhile comes between. Nil where there is no server.
	outage func(meanwhile func())
	// secrets are the passwords that the sidecar got for it.
	secrets []string
}

// stores opens each kind of store anew.
var stores = map[string]func(*testing.T) store{
	"SQLite": func(*testing.T) store { return store{} },
	"PostgreSQL": func(t *testing.T) store {
		server := testenv.StartPostgreSQL(t, false)
		return store{
			env:     []string{sharedSecret, "NARTHEX_STATE_DSN=" + server.Database(t), "NARTHEX_SQL_DSN=" + server.Database(t)},
			secrets: []string{strings.TrimPrefix(sharedSecret, "NARTHEX_SECRET=")},
			outage: func(meanwhile func()) {
				server.Kill()
				meanwhile()
				server.Restart(t)
			},
		}
	},
	"slapd": func(t *testing.T) store {
		d, env := preparedDirectory(t)
		return store{env: env, secrets: []string{d.ServicePassword}, outage: func(meanwhile func()) {
			d.Kill()
			meanwhile()
			d.Restart(t)
		}}
	},
}

func TestNoOutputTellsAboutAPerson(t *testing.T) {
	t.Parallel()
	for name, open := range stores {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			place := open(t)
			s := testenv.Start(t, append(place.env, cheapHash, unlimited(t))...)
			o := &outputs{Sidecar: s, texts: map[string]string{}}
			o.secrets, o.codes = story(t, s)
			o.secrets = append(append(o.secrets, place.secrets...), canary.Email, canary.GivenName, canary.FamilyName, canary.Password)
			o.look("before")
			if o.misfortune(t, place); !t.Failed() {
				o.search(t)
			}
		})
	}
}

// outputs is everything that a sidecar tells somebody else than the person, and what must not be in it.
type outputs struct {
	*testenv.Sidecar
	texts          map[string]string
	secrets, codes []string
}

// look takes what the admin listener tells now.
func (o *outputs) look(when string) {
	for _, path := range []string{"/metrics", "/readyz", "/healthz"} {
		r, err := testenv.NewClient(o.Admin).Call("GET", path, nil) // metrics are no JSON, which is no matter here
		o.texts[path+" "+when] = r.Raw
		if r.Raw == "" && err != nil {
			o.texts[path+" "+when] = err.Error()
		}
	}
}

// killPersisters kills each persister that the sidecar starts, for a while.
func (o *outputs) killPersisters(while time.Duration) {
	for end := time.Now().Add(while); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		_ = syscall.Kill(o.Persister(), syscall.SIGKILL)
	}
}

// misfortune kills the persister and the server behind it while many people register, two for each address, and the
// canary logs in.
func (o *outputs) misfortune(t *testing.T, place store) {
	t.Helper()
	stop, refused := make(chan struct{}), 0
	var logins sync.WaitGroup
	logins.Go(func() {
		for c := testenv.NewClient(o.URL); ; time.Sleep(5 * time.Millisecond) {
			for _, name := range []string{canary.Email, "nobody." + canary.Email} {
				if r, err := c.Login(name, canary.Password); err == nil && r.Status == http.StatusServiceUnavailable {
					refused++
				}
			}
			select {
			case <-stop:
				return
			default:
			}
		}
	})
	everybody := &replicas{T: t, sidecars: []*testenv.Sidecar{o.Sidecar}}
	people := everybody.load(func() {
		o.killPersisters(500 * time.Millisecond)
		if place.outage != nil {
			time.Sleep(500 * time.Millisecond)
			place.outage(func() {
				time.Sleep(500 * time.Millisecond)
				o.look("meanwhile")
				o.killPersisters(500 * time.Millisecond) // the next one begins with a store that is gone
			})
		}
	})
	close(stop)
	logins.Wait()
	if refused == 0 {
		t.Error("no login met the outage")
	}
	done := 0
	for _, w := range people {
		if w.outcome == outcomeDone {
			done++
		}
		o.secrets = append(o.secrets, w.person.Email, w.person.GivenName, w.person.FamilyName, w.person.Password, w.client.Token)
		if w.username != "" {
			o.secrets = append(o.secrets, w.username)
		}
		mails, err := o.Mails(w.person.Email)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range mails {
			o.codes = append(o.codes, m.Code())
		}
	}
	if done == 0 {
		t.Error("nobody has registered")
	}
	t.Logf("%d people, %d accounts, %d logins refused", len(people), done, refused)
}

var (
	// number is a JSON number or the time of a line: durations have as many digits as codes.
	number = regexp.MustCompile(`:[0-9.]+\b|"time":"[^"]*"`)
	digits = regexp.MustCompile(`\b[0-9]{8}\b`)
)

// search ends the sidecar and looks for the secrets in all that it has told.
func (o *outputs) search(t *testing.T) {
	t.Helper()
	o.look("after")
	if code := o.Terminate(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	o.texts["log"] = o.Log()
	slices.Sort(o.secrets)
	secrets := slices.Compact(o.secrets)
	for name, text := range o.texts {
		if len(text) < 10 {
			t.Errorf("%s is empty", name)
		}
		folded := strings.ToLower(text)
		for _, secret := range secrets {
			if at := strings.Index(folded, strings.ToLower(secret)); at >= 0 {
				t.Errorf("%s holds %q: …%s…", name, secret, folded[max(0, at-200):min(len(folded), at+200)])
			}
		}
		found := map[string]bool{}
		for _, d := range digits.FindAllString(number.ReplaceAllString(text, ""), -1) {
			found[d] = true
		}
		for _, code := range o.codes {
			if found[code] {
				t.Errorf("%s holds the code %s", name, code)
			}
		}
	}
}

// waitForLog waits for a text in a sidecar's log: a line reaches the test a moment after the answer that it tells about.
func waitForLog(t *testing.T, s *testenv.Sidecar, text string) {
	t.Helper()
	for end := time.Now().Add(10 * time.Second); !strings.Contains(s.Log(), text); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the log never has %s", text)
		}
	}
}
