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
		s.StateFile != "narthex-data/state.db" || s.Persister != "sql" || s.LogLevel != "info" || s.LogJSON || s.Secret != "" {
		t.Errorf("Read = %+v", s)
	}
}

func TestSettingsAreRead(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte("the secret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := config.Read([]string{"NARTHEX_LISTEN=[::1]:0", "NARTHEX_ADMIN_LISTEN=127.0.0.1:0", "NARTHEX_PUBLIC_URL=http://localhost:8080/", "NARTHEX_SECRET_FILE=" + file,
		"NARTHEX_PERSISTER=/opt/persister", "NARTHEX_PERSISTER_SHA256=" + strings.Repeat("Ab", 32), "NARTHEX_PERSISTER_ENV=A, B_C", "NARTHEX_LOG_FORMAT=json",
		"NARTHEX_PORT=tcp://10.0.0.1:80", "NARTHEX_PORT_80_TCP=x", "NARTHEX_SERVICE_HOST=10.0.0.1", "NARTHEX_SQL_DSN_FILE=/not/looked/at", "OTHER=x"})
	if err != nil {
		t.Fatal(err)
	}
	if s.Secret != "the secret" || s.PublicURL.String() != "http://localhost:8080" || s.PersisterSHA256 != strings.Repeat("ab", 32) ||
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
	_, err := config.Read([]string{"NARTHEX_LISTEN=8080", "NARTHEX_ADMIN_LISTEN=x:99999", "NARTHEX_PUBLIC_URL=http://join.example.org", "NARTHEX_LISTN=x", "NARTHEX_SMTP_URL=smtp://user:" + canary + "@host",
		"NARTHEX_SECRET=" + canary, "NARTHEX_SECRET_FILE=" + open, "NARTHEX_STATE_DSN=postgres://narthex:" + canary + "@host/db", "NARTHEX_PERSISTER=./mine", "NARTHEX_LDAP_BIND_PASSWORD=" + canary,
		"NARTHEX_LOG_LEVEL=loud", "NARTHEX_LOG_FORMAT=xml", "NARTHEX_LOGIN_URL=/login", "NARTHEX_MAIL_FROM=me", "NARTHEX_DATA_DIR=", "NARTHEX_FLOWS_FILE=x"})
	var faults config.Faults
	if !errors.As(err, &faults) {
		t.Fatalf("Read = %v", err)
	}
	text := faults.Error()
	for _, want := range []string{"NARTHEX_LISTEN: is not an address; write host and port", "NARTHEX_ADMIN_LISTEN: is not an address", "NARTHEX_PUBLIC_URL: is not https",
		"NARTHEX_LISTN: there is no such setting; did you mean NARTHEX_LISTEN?", "NARTHEX_SMTP_URL: cannot be used yet", "NARTHEX_SECRET_FILE: stands beside NARTHEX_SECRET", "NARTHEX_STATE_DSN: is not a path",
		"NARTHEX_PERSISTER: is neither sql nor an absolute path", "NARTHEX_LDAP_BIND_PASSWORD: cannot be used yet", "NARTHEX_LOG_LEVEL:", "NARTHEX_LOG_FORMAT:", "NARTHEX_LOGIN_URL:", "NARTHEX_MAIL_FROM:", "NARTHEX_DATA_DIR:", "NARTHEX_FLOWS_FILE: there is no such setting"} {
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

func TestTheChecksumOfAnExternalPersisterIsDemanded(t *testing.T) {
	for _, sum := range []string{"", "abc", strings.Repeat("g", 64)} {
		_, err := config.Read([]string{"NARTHEX_PERSISTER=/opt/persister", "NARTHEX_PERSISTER_SHA256=" + sum})
		if err == nil || !strings.Contains(err.Error(), "NARTHEX_PERSISTER_SHA256") {
			t.Errorf("checksum %q: %v", sum, err)
		}
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

func TestASecretFileThatEverybodyCanReadIsRefused(t *testing.T) {
	dir := t.TempDir()
	for name, c := range map[string]struct {
		content string
		mode    os.FileMode
		want    string
	}{"open": {"x", 0o604, "chmod o="}, "empty": {"\n", 0o600, "empty"}, "large": {strings.Repeat("x", 20000), 0o600, "more than"}, "good": {"a b\r\n", 0o640, ""}} {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(c.content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, c.mode); err != nil {
			t.Fatal(err)
		}
		got, err := config.ReadSecretFile(path)
		switch {
		case c.want == "" && (err != nil || got != "a b"):
			t.Errorf("%s: %q, %v", name, got, err)
		case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestASecretIsMadeOnceAndKept(t *testing.T) {
	s := &config.Settings{DataDir: filepath.Join(t.TempDir(), "data")}
	first, err := s.LoadSecret()
	if err != nil || len(first) != 64 {
		t.Fatalf("LoadSecret = %d characters, %v", len(first), err)
	}
	if again, err := s.LoadSecret(); err != nil || again != first {
		t.Errorf("the second start has another secret (%v)", err)
	}
	if info, err := os.Stat(filepath.Join(s.DataDir, "secret")); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if files, _ := os.ReadDir(s.DataDir); len(files) != 1 {
		t.Errorf("%d files were left", len(files))
	}
}

func TestThePersistersSettingsAreHandedOverByName(t *testing.T) {
	names := config.PersisterVariables()
	for _, want := range []string{"NARTHEX_SQL_DSN", "NARTHEX_SQL_DSN_FILE", "NARTHEX_SQL_ARGON2ID", "NARTHEX_PERSISTER_CONFIG"} {
		if !slices.Contains(names, want) {
			t.Errorf("%s is not handed over", want)
		}
	}
	for _, never := range []string{"NARTHEX_SECRET", "NARTHEX_STATE_DSN"} {
		if slices.Contains(names, never) {
			t.Errorf("%s is handed over", never)
		}
	}
}
