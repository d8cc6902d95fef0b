package testenv_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/sqlstore"
	"github.com/narthex/narthex/testenv"
)

// TestHostileTextReachesPostgreSQLAsTextOnly registers and logs in with what means something to SQL, to LIKE, to
// drivers or to nobody.
func TestHostileTextReachesPostgreSQLAsTextOnly(t *testing.T) {
	t.Parallel()
	accounts := testenv.PostgreSQLDatabase(t)
	s := testenv.Start(t, cheapHash, sharedSecret, "NARTHEX_STATE_DSN="+testenv.PostgreSQLDatabase(t), "NARTHEX_SQL_DSN="+accounts)
	c := testenv.NewClient(s.URL)
	bobby := testenv.Person{Email: "o'hara--x@example.org", GivenName: `Robert'); DROP TABLE accounts;--`, FamilyName: `%_\ $1 ? "x" {{.}} E'\x00'`, Password: `';SELECT pg_sleep(9)--'`}
	if _, err := c.Register(bobby, s.Code); err != nil {
		t.Fatal(err)
	}

	t.Run("it is stored as it was typed", func(t *testing.T) {
		store, err := sqlstore.Open(t.Context(), sqlstore.Options{DSN: accounts})
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		page, err := store.List(t.Context(), plugin.ListQuery{Limit: 10})
		if err != nil || len(page.Accounts) != 1 {
			t.Fatalf("%d accounts, %v", len(page.Accounts), err)
		}
		if a := page.Accounts[0].Attributes; a.Text("givenName") != bobby.GivenName || a.Text("sn") != bobby.FamilyName || a.Text("mail") != bobby.Email {
			t.Errorf("stored: %v", a)
		}
		for _, token := range []string{"'", "' OR 1=1 --", "00000000000000000000000000000000'", "%"} {
			if _, err := store.List(t.Context(), plugin.ListQuery{Limit: 1, After: token}); err == nil {
				t.Errorf("the forged page token %q is taken", token)
			}
		}
	})

	t.Run("no wildcard and no condition logs anybody in", func(t *testing.T) {
		for _, identifier := range []string{"%", "%@example.org", "o_hara--x@example.org", "' OR 1=1 --", `o\'hara--x@example.org`, "o'hara--x@example.org' --", "*", "u%", "\u2019", "\ufffd"} {
			r, err := c.Login(identifier, bobby.Password)
			if err != nil || r.Status != http.StatusUnauthorized {
				t.Errorf("login as %q: %d %s %v", identifier, r.Status, r.Raw, err)
			}
		}
		if r, err := c.Login(strings.ToUpper(bobby.Email), bobby.Password); err != nil || r.Status != http.StatusOK {
			t.Errorf("the owner: %d %s %v", r.Status, r.Raw, err)
		}
	})

	t.Run("what PostgreSQL cannot hold is refused before it gets there", func(t *testing.T) {
		if r, err := c.Start(); err != nil || r.Status != http.StatusCreated {
			t.Fatalf("start: %d %s %v", r.Status, r.Raw, err)
		}
		for name, body := range map[string]string{
			"NUL":                 "{\"items\":{\"email\":\"eve@example.org\",\"given_name\":\"E\\u0000\",\"family_name\":\"V\"}}",
			"bytes of no text":    "{\"items\":{\"email\":\"eve@example.org\",\"given_name\":\"E\xff\",\"family_name\":\"V\"}}",
			"half of a surrogate": "{\"items\":{\"email\":\"eve@example.org\",\"given_name\":\"E\\ud800\",\"family_name\":\"V\"}}",
			"NUL in the address":  "{\"items\":{\"email\":\"eve\\u0000@example.org\",\"given_name\":\"E\",\"family_name\":\"V\"}}",
		} {
			for _, path := range []string{"/v1/registration/steps/about-you", "/v1/registration/steps/x%00y", "/v1/registration/steps/%ff"} {
				if status := post(t, s.URL+path, c.Token, body); status < 400 || status >= 500 {
					t.Errorf("%s at %s: %d", name, path, status)
				}
			}
			login := strings.NewReplacer(`"items":{"email"`, `"identifier"`, `"given_name"`, `"password"`, `,"family_name":"V"}`, ``).Replace(body)
			if status := post(t, s.URL+"/v1/login", "", login); status < 400 || status >= 500 {
				t.Errorf("login with %s: %d", name, status)
			}
		}
	})

	if log := s.Log(); strings.Contains(log, "SQLSTATE") {
		t.Errorf("the database had something to say:\n%s", log[strings.Index(log, "SQLSTATE")-300:][:400])
	}
}

func post(t *testing.T, url, token, body string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	return resp.StatusCode
}
