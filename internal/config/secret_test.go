package config_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/config"
)

// Keys that nobody uses. The first of a secret is the current one.
const (
	oneKey  = "3c1f0e9ad24b58677a6b5c4d3e2f10018f9eadbccbda07165243a1b2c3d4e5f6"
	twoKeys = oneKey + "\n" + "90a1b2c3d4e5f60718293a4b5c6d7e8f0f1e2d3c4b5a69788796a5b4c3d2e1f0"
)

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

func TestOfManyFirstStartsOneMakesTheSecret(t *testing.T) {
	s := &config.Settings{DataDir: filepath.Join(t.TempDir(), "data")}
	const starts = 16
	secrets := make(chan string, starts)
	for range starts {
		go func() {
			secret, err := s.LoadSecret()
			if err != nil {
				t.Error(err)
			}
			secrets <- secret
		}()
	}
	first := <-secrets
	for range starts - 1 {
		if other := <-secrets; other != first {
			t.Fatal("two starts have two secrets")
		}
	}
}

func TestAKeptSecretThatIsDamagedOrOpenIsRefusedAndStays(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "secret")
	s := &config.Settings{DataDir: dir}
	for content, mode := range map[string]os.FileMode{"": 0o600, oneKey: 0o604} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := s.LoadSecret(); err == nil {
			t.Errorf("%d bytes with mode %v are accepted", len(content), mode)
		}
		if kept, _ := os.ReadFile(path); string(kept) != content {
			t.Error("the file is overwritten")
		}
	}
}

func TestAWeakSecretIsRefusedAndNeverShown(t *testing.T) {
	for name, c := range map[string]struct{ secret, want string }{
		"short":            {oneKey[:62], "not 64 hexadecimal digits"},
		"long":             {oneKey + "00", "not 64 hexadecimal digits"},
		"no hexadecimal":   {strings.Repeat("correct horse battery staple ", 3), "not 64 hexadecimal digits"},
		"a default":        {strings.Repeat("0", 64), "not random"},
		"a pattern":        {strings.Repeat("deadbeef", 8), "not random"},
		"twice":            {oneKey + "\n" + strings.ToUpper(oneKey), "twice"},
		"a second too bad": {oneKey + "\nchangeme", "key 2"},
		"empty":            {"", "is empty"},
	} {
		got := read("NARTHEX_SECRET=" + c.secret)
		if !strings.Contains(got, "NARTHEX_SECRET: ") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q", name, got)
		}
		for shown := range strings.FieldsSeq(c.secret) {
			if strings.Contains(got, shown) {
				t.Errorf("%s: the secret is shown: %q", name, got)
			}
		}
	}
}

func TestNothingThatIsPrintedHoldsASecret(t *testing.T) {
	s, err := config.Read([]string{"NARTHEX_SECRET=" + twoKeys})
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := json.Marshal(s)
	if printed := fmt.Sprintf("%v %+v %#v %s %v", s, s, s, encoded, err); strings.Contains(printed, oneKey) || strings.Contains(printed, fmt.Sprintf("%x", oneKey)) {
		t.Errorf("the secret is shown: %s", printed)
	}
	// A secret in the variable for its file is taken for a path that is not there.
	if got := read("NARTHEX_SECRET_FILE=" + oneKey); !strings.Contains(got, "NARTHEX_SECRET_FILE: the file cannot be opened") || strings.Contains(got, oneKey) {
		t.Errorf("the secret is shown: %s", got)
	}
}

func TestNoPersisterIsGivenASecretOfThisProcess(t *testing.T) {
	for _, name := range []string{"NARTHEX_SECRET", "NARTHEX_SECRET_FILE", "NARTHEX_STATE_DSN", "NARTHEX_SMTP_URL_FILE"} {
		if got := read("NARTHEX_PERSISTER=/opt/persister", "NARTHEX_PERSISTER_SHA256="+strings.Repeat("a1", 32), "NARTHEX_PERSISTER_ENV=MINE,"+name); !strings.Contains(got, "NARTHEX_PERSISTER_ENV: names "+name) {
			t.Errorf("%s: %q", name, got)
		}
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
