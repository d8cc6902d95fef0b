package testenv_test

import (
	"io"
	"net/http"
	"strings"

	"github.com/narthex/narthex/testenv"
)

// member registers somebody who has chosen a username.
func (h hostileDirectory) member(username, email, password string) {
	h.Helper()
	c, _ := h.begin(email, "Ada", "Lovelace")
	if r, err := c.Step("username", map[string]any{"items": map[string]any{"username": username}}); err != nil || r.StepName() != "verify-email" {
		h.Fatalf("username: %d %s %v", r.Status, r.Raw, err)
	}
	if r := h.finish(c, email, password); r.State != "completed" {
		h.Fatalf("%s: %d %s", username, r.Status, r.Raw)
	}
}

// passwords: exactly the text is the password, whatever a server might take it for.
func (h hostileDirectory) passwords() {
	for i, password := range []string{
		"{SASL}admin@EXAMPLE.ORG", "{SSHA}/4Hh1lPLLW1wUYmqIaWaa5C2mOKVyYj0", "{CRYPT}$6$salt$hash-of-nothing", "{CLEARTEXT}an open secret", `*)(userPassword=*) \2a`,
		"пароль длиннее пятнадцати", "  blanks around it   ",
	} {
		username := "secret" + string(rune('a'+i))
		h.member(username, username+"@example.org", password)
		dn := "uid=" + username + "," + h.directory.People
		if _, err := h.directory.LDAPWhoAmI(dn, password); err != nil {
			h.Errorf("%q does not bind: %v", password, err)
		}
		_, without, _ := strings.Cut(password, "}")
		for _, other := range []string{without, password + "x", strings.ToUpper(password)} {
			if _, err := h.directory.LDAPWhoAmI(dn, other); err == nil && other != "" {
				h.Errorf("%q binds as well as %q", other, password)
			}
		}
		if stored := h.directory.LDAPSearch(h, dn, "(objectClass=*)", "userPassword"); !strings.Contains(stored, "userPassword:: e1NTSEF9") { // {SSHA}
			h.Errorf("%q is not hashed by the server: %s", password, stored)
		}
	}
}

// logins: nobody is found by a pattern, and nobody gets in without a password.
func (h hostileDirectory) logins() {
	const odd = "*&|!#=+{a}'/?^_`~@example.org" // every character that the part before the @ may have
	h.member("grace", "grace@example.org", victim.Password)
	h.member("oddly", odd, victim.Password)
	c := testenv.NewClient(h.sidecar.URL)
	for _, identifier := range []string{"grace", "GRACE", "grace@example.org", odd} {
		if r, err := c.Login(identifier, victim.Password); err != nil || r.Status != http.StatusOK {
			h.Errorf("login as %q: %d %s %v", identifier, r.Status, r.Raw, err)
		}
	}
	for _, identifier := range []string{
		"*", "g*", "gr?ce", "*@example.org", "grac\\65", `\67race`, "(uid=grace)", "grace)(uid=*", "grace,ou=people", "uid=grace," + h.directory.People, h.directory.ServiceDN,
		h.directory.AdminDN, "+grace", "grace ", "#grace", "decoy", "probe", "svc", "dn:grace", "u:grace", `grace\00`, "gracé", "grace\u200d", "ｇｒａｃｅ\u0301", strings.Repeat("g", 3000),
	} {
		for _, password := range []string{victim.Password, h.directory.ServicePassword, h.directory.AdminPassword} {
			if r, err := c.Login(identifier, password); err != nil || r.Status != http.StatusUnauthorized && r.Status != http.StatusUnprocessableEntity && r.Status != http.StatusBadRequest {
				h.Errorf("login as %.40q: %d %s %v", identifier, r.Status, r.Raw, err)
			}
		}
	}
	for _, body := range []string{
		`{"identifier":"grace","password":""}`, `{"identifier":"grace","password":null}`, `{"identifier":"grace"}`, `{"identifier":"grace","password":"\u0000"}`,
		`{"identifier":"grace","password":[]}`, `{"identifier":"grace","password":"` + victim.Password + `\u0000"}`, `{"identifier":"\u0000","password":"x"}`, `{"identifier":"gr\u0000ace","password":"` + victim.Password + `"}`,
		`{"identifier":"","password":"x"}`, `{}`, `null`, "{\"identifier\":\"grace\xff\",\"password\":\"x\"}",
	} {
		if status := post(h.T, h.sidecar.URL+"/v1/login", "", body); status < 400 || status >= 500 {
			h.Errorf("%s: %d", body, status)
		}
	}
}

// diagnostics: the public listener has no page for those who run it, and no answer, the admin listener's neither, tells of
// the directory or of anybody in it.
func (h hostileDirectory) diagnostics() {
	h.member("inside", "inside@example.org", victim.Password)
	secrets := []string{h.directory.Base, "ou=people", "cn=svc", strings.TrimPrefix(h.directory.URL, "ldaps://"), h.directory.ServicePassword, "inside@example.org", "uid=inside", victim.Password, "narthex_ldap"}
	ask := func(method, url string) (int, string) {
		req, err := http.NewRequestWithContext(h.Context(), method, url, nil)
		if err != nil {
			h.Fatal(err)
		}
		req.Header.Set("X-Debug", "1")
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err != nil {
			h.Fatal(err)
		}
		defer resp.Body.Close()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			h.Fatal(err)
		}
		return resp.StatusCode, strings.ToLower(string(body))
	}
	for _, path := range []string{
		"/debug", "/debug/pprof/", "/debug/pprof/heap", "/debug/pprof/cmdline", "/debug/vars", "/debug/directory", "/metrics", "/status", "/server-status", "/info", "/env", "/actuator/env", "/config",
		"/.env", "/console", "/healthz", "/readyz", "/admin", "/admin/v1", "/admin/v1/accounts", "/v1/debug", "/v1/accounts", "/v1/accounts/inside", "/v1/users", "/v1/directory", "/v1/persister", "/v1/me",
		"/v1/registration?debug=1", "/v1/registration/flows?verbose=1", "/v1/login?debug=1", "/register?debug=1", "/accounts.db", "/narthex-data/", "/../narthex-data/state.db",
	} {
		for _, method := range []string{http.MethodGet, http.MethodPost, "TRACE"} {
			status, body := ask(method, h.sidecar.URL+path)
			if status < 300 && !strings.Contains(path, "register") && !strings.Contains(path, "registration") {
				h.Errorf("%s %s answers %d: %.200s", method, path, status, body)
			}
			for _, secret := range secrets {
				if strings.Contains(body, strings.ToLower(secret)) {
					h.Errorf("%s %s tells %q: %.300s", method, path, secret, body)
				}
			}
		}
	}
	for _, path := range []string{"/healthz", "/readyz", "/metrics", "/debug/pprof/", "/debug/vars", "/admin/v1/accounts"} {
		_, body := ask(http.MethodGet, h.sidecar.Admin+path)
		for _, secret := range secrets {
			if strings.Contains(body, strings.ToLower(secret)) {
				h.Errorf("the admin listener's %s tells %q", path, secret)
			}
		}
	}
}
