package config_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/config"
)

func TestWithoutAnySettingTheDefaultsServe(t *testing.T) {
	s, err := config.Read(nil)
	if err != nil {
		t.Fatal(err)
	}
	if s.Listen != "127.0.0.1:8080" || s.AdminListen != "127.0.0.1:8081" || s.PublicURL != nil || s.DataDir != "./narthex-data" ||
		s.StateFile != "narthex-data/state.db" || s.Persister != "sql" || s.LogLevel != "info" || s.LogJSON || s.Secret.Reveal() != "" {
		t.Errorf("Read = %+v", s)
	}
}

func TestSettingsAreRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(twoKeys+"\r\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := config.Read([]string{"NARTHEX_LISTEN=[::1]:0", "NARTHEX_ADMIN_LISTEN=127.0.0.1:0", "NARTHEX_PUBLIC_URL=http://localhost:8080/", "NARTHEX_SECRET_FILE=" + file,
		"NARTHEX_PERSISTER=/opt/persister", "NARTHEX_PERSISTER_SHA256=" + strings.Repeat("Ab", 32), "NARTHEX_PERSISTER_ENV=A, B_C", "NARTHEX_LOG_FORMAT=json",
		"NARTHEX_PORT=tcp://10.0.0.1:80", "NARTHEX_PORT_80_TCP=x", "NARTHEX_SERVICE_HOST=10.0.0.1", "NARTHEX_SQL_DSN_FILE=/not/looked/at", "OTHER=x"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Secret.Reveal() != twoKeys || s.PublicURL.String() != "http://localhost:8080" || s.PersisterSHA256 != strings.Repeat("ab", 32) ||
		!slices.Equal(s.PersisterEnv, []string{"A", "B_C"}) || !s.LogJSON {
		t.Errorf("Read = %+v", s)
	}
	if v, set := os.LookupEnv("NARTHEX_SECRET"); set {
		t.Errorf("the secret is left in the environment: %d bytes", len(v))
	}
}

func TestEveryFaultOfTheSettingsIsReportedAtOnceWithItsFix(t *testing.T) {
	const canary = "hunter2hunter2"
	open := filepath.Join(t.TempDir(), "open")
	if err := os.WriteFile(open, []byte(canary), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	_, err := config.Read([]string{"NARTHEX_LISTEN=8080", "NARTHEX_ADMIN_LISTEN=x:99999", "NARTHEX_PUBLIC_URL=http://join.example.org", "NARTHEX_LISTN=x", "NARTHEX_SMTP_URL=smtp://user:" + canary + "@host?tls=maybe",
		"NARTHEX_SECRET=" + canary, "NARTHEX_SECRET_FILE=" + open, "NARTHEX_STATE_DSN=postgres://narthex:" + canary + "@/", "NARTHEX_TRUSTED_PROXIES=0.0.0.0/0", "NARTHEX_THEME_DIR=/nowhere", "NARTHEX_PERSISTER=./mine", "NARTHEX_LDAP_BIND_PASSWORD=" + canary,
		"NARTHEX_LOG_LEVEL=loud", "NARTHEX_LOG_FORMAT=xml", "NARTHEX_LOGIN_URL=/login", "NARTHEX_MAIL_FROM=me", "NARTHEX_DATA_DIR=", "NARTHEX_FLOWS_FILE=x"})
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("Read = %v", err)
	}
	text := faults.Error()
	for _, want := range []string{"NARTHEX_LISTEN: is not an address; write host and port", "NARTHEX_ADMIN_LISTEN: is not an address", "NARTHEX_PUBLIC_URL: is not https",
		"NARTHEX_LISTN: there is no such setting; did you mean NARTHEX_LISTEN?", "NARTHEX_SMTP_URL: says in no known way", "NARTHEX_SECRET_FILE: stands beside NARTHEX_SECRET", "NARTHEX_STATE_DSN: is not the URL of a database", "NARTHEX_TRUSTED_PROXIES: trusts 0.0.0.0/0", "NARTHEX_THEME_DIR:",
		"NARTHEX_PERSISTER: is neither sql nor ldap nor an absolute path", "NARTHEX_LOG_LEVEL:", "NARTHEX_LOG_FORMAT:", "NARTHEX_LOGIN_URL:", "NARTHEX_MAIL_FROM:", "NARTHEX_DATA_DIR:", "NARTHEX_FLOWS_FILE: there is no such setting"} {
		if !strings.Contains(text, want) {
			t.Errorf("no fault %q in\n%s", want, text)
		}
	}
	if strings.Contains(text, canary) {
		t.Errorf("a secret is shown:\n%s", text)
	}
	for _, f := range faults {
		if f.Fix == "" {
			t.Errorf("%s has no fix", f.Path)
		}
	}
}

// read returns the faults that an environment has, one a line.
func read(environ ...string) string {
	_, err := config.Read(environ)
	if err == nil {
		return ""
	}
	return err.Error()
}

func TestAnExternalPersisterNeedsAnAbsolutePathAndItsChecksum(t *testing.T) {
	const path, sum = "NARTHEX_PERSISTER: is neither", "NARTHEX_PERSISTER_SHA256: is not the SHA-256"
	good := strings.Repeat("a1", 32)
	for _, c := range []struct {
		path, sum string
		want      []string
	}{
		{"/opt/persister", good, nil},
		{"/opt/persister", "", []string{sum}},
		{"/opt/persister", "abc", []string{sum}},
		{"/opt/persister", strings.Repeat("g", 64), []string{sum}},
		{"./persister", good, []string{path}},
		{"/opt/../bin/persister", good, []string{path}},
		{"persister", "", []string{path, sum}},
		{"sql", good, []string{"NARTHEX_PERSISTER_SHA256: is for an external persister"}},
	} {
		got := read("NARTHEX_PERSISTER="+c.path, "NARTHEX_PERSISTER_SHA256="+c.sum)
		if lines := strings.Count(got, "NARTHEX_"); len(c.want) == 0 && got != "" || lines < len(c.want) {
			t.Errorf("%s, %q: %s", c.path, c.sum, got)
		}
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s, %q: no fault %q in %q", c.path, c.sum, want, got)
			}
		}
	}
}

func TestFaultsComeInTheSameOrderEachTime(t *testing.T) {
	environ := []string{"NARTHEX_B=1", "NARTHEX_A=1", "NARTHEX_C=1", "NARTHEX_D=1", "NARTHEX_LOG_LEVEL=x", "NARTHEX_LISTEN=x"}
	first := read(environ...)
	for range 20 {
		if again := read(environ...); again != first {
			t.Fatalf("first\n%s\nthen\n%s", first, again)
		}
	}
}

func TestOnlyTheGivenEnvironmentIsRead(t *testing.T) {
	t.Setenv("NARTHEX_LISTEN", "127.0.0.1:1")
	t.Setenv("NARTHEX_SECRET", oneKey)
	s, err := config.Read(nil)
	if err != nil || s.Listen != "127.0.0.1:8080" || s.Secret.Reveal() != "" {
		t.Errorf("Read = %+v, %v", s, err)
	}
	if os.Getenv("NARTHEX_LISTEN") != "127.0.0.1:1" || os.Getenv("NARTHEX_SECRET") != oneKey {
		t.Error("the process's own environment is changed")
	}
}

func TestUnknownNamesAreRefusedWithTheNearestOne(t *testing.T) {
	for name, want := range map[string]string{"NARTHEX_PUBLIC_ULR": "did you mean NARTHEX_PUBLIC_URL?", "NARTHEX_listen": "did you mean NARTHEX_LISTEN?", "NARTHEX_": "remove it", "NARTHEX_XYZZY_PLUGH": "remove it",
		"NARTHEX_LISTEN_FILE": "did you mean", "NARTHEX_ADMIN_SERVICE_HOST": "enableServiceLinks: false", "NARTHEX_ADMIN_PORT_8081_TCP_ADDR": "enableServiceLinks: false", "NARTHEX_PORTAL": "there is no such setting"} {
		if got := read(name + "=x"); !strings.Contains(got, name+": there is no such setting") || !strings.Contains(got, want) {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := read("NARTHEX_PORT=tcp://10.0.0.1:80", "NARTHEX_PORT_80_TCP_ADDR=x", "NARTHEX_SERVICE_PORT=80", "NARTHEXX=1", "narthex_listen=1"); got != "" {
		t.Errorf("what is not ours is refused: %s", got)
	}
}

func TestTheDirectoryNeedsItsSettingsAndNobodyElseMayHaveThem(t *testing.T) {
	whole := []string{"NARTHEX_PERSISTER=ldap", "NARTHEX_LDAP_URL=ldaps://ldap.example.org", "NARTHEX_LDAP_BASE=dc=example,dc=org",
		"NARTHEX_LDAP_BIND_DN=cn=narthex,dc=example,dc=org", "NARTHEX_LDAP_BIND_PASSWORD_FILE=/nowhere"}
	if got := read(whole...); got != "" {
		t.Errorf("all settings of a directory: %s", got)
	}
	for i := 1; i < len(whole); i++ {
		name, _, _ := strings.Cut(strings.Replace(whole[i], "_FILE", "", 1), "=")
		if got := read(slices.Delete(slices.Clone(whole), i, i+1)...); strings.Count(got, "NARTHEX_LDAP") == 0 || !strings.Contains(got, name+": is missing") {
			t.Errorf("without %s: %q", name, got)
		}
		if got := read("NARTHEX_PERSISTER=sql", whole[i]); !strings.Contains(got, name+": is for the ldap persister") {
			t.Errorf("%s for the sql persister: %q", whole[i], got)
		}
	}
	if read("NARTHEX_STATE_DSN=mysql://host/db") == "" {
		t.Error("a state database of an unknown kind is accepted")
	}
}

func TestTheTableTellsWhatIsRead(t *testing.T) {
	defaults, err := config.ReadDefaults()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range config.Table() {
		value, isRead := defaults[s.Name]
		if s.Meaning == "" || isRead == s.Persister {
			t.Errorf("%s: meaning %q, read %v", s.Name, s.Meaning, isRead)
		}
		if value != "" && value != s.Default {
			t.Errorf("%s: the default is %q, the table has %q", s.Name, value, s.Default)
		}
		delete(defaults, s.Name)
	}
	if len(defaults) > 0 {
		t.Errorf("not in the table: %v", defaults)
	}
}

func TestThePublicAddressIsASite(t *testing.T) {
	for given, want := range map[string]string{"http://127.0.0.1:8080": "http://127.0.0.1:8080", "https://LOCALHOST:443/": "https://localhost", "http://[::1]:80": "http://[::1]", "http://sub.localhost": "http://sub.localhost"} {
		s, err := config.Read([]string{"NARTHEX_PUBLIC_URL=" + given})
		if err != nil || s.PublicURL.String() != want {
			t.Errorf("%s: %+v, %v", given, s, err)
		}
	}
	for _, given := range []string{"localhost:8080", "//localhost", "ftp://localhost", "http://", "https://:8080", "https://localhost/path", "https://localhost?", "https://localhost?a=b", "https://localhost#x", "https://user@localhost",
		"https://localhost:99999", "https://localhost:0", "http://10.0.0.1", "http://localhost.example.org", "http://127.0.0.1.example.org", "https://jöin.example.org", "javascript:alert(1)", "https://a b"} {
		if got := read("NARTHEX_PUBLIC_URL=" + given); !strings.Contains(got, "NARTHEX_PUBLIC_URL: ") {
			t.Errorf("%s: %q", given, got)
		}
	}
}

func TestWhatGoesIntoMailsAndPagesIsChecked(t *testing.T) {
	for _, variable := range []string{"NARTHEX_MAIL_FROM=me", "NARTHEX_MAIL_FROM=a@b@c", "NARTHEX_MAIL_FROM=a@example.org\r\nBcc: x@example.org", "NARTHEX_MAIL_FROM=\"a\nb\" <a@example.org>",
		"NARTHEX_LOGIN_URL=javascript:alert(1)", "NARTHEX_LOGIN_URL=http://login.example.org/", "NARTHEX_LOGIN_URL=/login", "NARTHEX_LOGIN_URL=https://"} {
		if name, _, _ := strings.Cut(variable, "="); !strings.Contains(read(variable), name+": is not") {
			t.Errorf("%q is accepted", variable)
		}
	}
	if got := read("NARTHEX_MAIL_FROM=Accounts <accounts@example.org>", "NARTHEX_LOGIN_URL=https://login.example.org/?from=narthex"); got != "" {
		t.Error(got)
	}
}

func TestThePublicAddressIsDemandedOutsideTheMachine(t *testing.T) {
	for listen, wanted := range map[string]bool{"127.0.0.1:1": false, "[::1]:1": false, "localhost:1": false, ":8080": true, "0.0.0.0:8080": true, "192.0.2.1:80": true} {
		_, err := config.Read([]string{"NARTHEX_LISTEN=" + listen})
		if got := err != nil && strings.Contains(err.Error(), "NARTHEX_PUBLIC_URL: is missing"); got != wanted {
			t.Errorf("%s: %v", listen, err)
		}
	}
	_, err := config.Read([]string{"NARTHEX_PUBLIC_URL=https://join.example.org"})
	if err == nil || !strings.Contains(err.Error(), "NARTHEX_SMTP_URL: is missing") {
		t.Errorf("without a mail server: %v", err)
	}
}
