package docs_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/config"
)

func TestTheTableOfSettingsIsThatOfTheProgram(t *testing.T) {
	var want strings.Builder
	for _, s := range config.Table() {
		name, value := "`"+s.Name+"`", s.Default
		if s.Secret {
			name += ", `_FILE`"
		}
		if value == "" {
			value = "none"
		}
		fmt.Fprintf(&want, "| %s | %s | %s |\n", name, s.Meaning, value)
	}
	_, table, _ := strings.Cut(read(t, "settings.md"), "|---|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	if table+"\n" != want.String() {
		t.Errorf("the table should be\n%s", want.String())
	}
}

// A shell, systemd and a container runtime read the file: what they agree on is a plain NAME=value.
func TestTheSettingsToCopyAreSoundAndReadAlikeByEverybody(t *testing.T) {
	environ := []string{"NARTHEX_SECRET=3c1f0e9ad24b58677a6b5c4d3e2f10018f9eadbccbda07165243a1b2c3d4e5f6", "NARTHEX_SMTP_URL=smtp://user:password@mail.example.org:587"}
	for line := range strings.Lines(read(t, "install/narthex.env")) {
		line = strings.TrimSuffix(line, "\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if strings.ContainsAny(line, " \t\"'`$\\<>|&;()*?[]~") {
			t.Errorf("not everybody reads this line alike: %s", line)
		}
		environ = append(environ, line)
	}
	s, err := config.Read(environ)
	if err != nil {
		t.Fatal(err)
	}
	if s.PublicURL == nil || s.SMTP == nil || len(s.TrustedProxies) == 0 || s.Flows == "" {
		t.Errorf("settings are missing: %+v", s)
	}
}
