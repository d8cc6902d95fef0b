package config_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/config"
)

func TestTheMailServersAddressSaysHowItIsProtected(t *testing.T) {
	for given, want := range map[string]config.SMTP{
		"smtp://mail.example.org":                        {Host: "mail.example.org", Port: 587, TLS: config.SMTPStartTLS},
		"smtp://mail.example.org?tls=starttls":           {Host: "mail.example.org", Port: 587, TLS: config.SMTPStartTLS},
		"smtps://me:p%40ss@mail.example.org":             {Host: "mail.example.org", Port: 465, Username: "me", TLS: config.SMTPImplicit},
		"smtp://mail.example.org:2525?tls=opportunistic": {Host: "mail.example.org", Port: 2525, TLS: config.SMTPOpportunistic},
		"smtp://[::1]?tls=none":                          {Host: "::1", Port: 25, TLS: config.SMTPNone},
		"smtp://me:x@127.0.0.1?tls=none":                 {Host: "127.0.0.1", Port: 25, Username: "me", TLS: config.SMTPNone},
	} {
		s, err := config.Read([]string{"NARTHEX_SMTP_URL=" + given})
		if err != nil {
			t.Errorf("%s: %v", given, err)
			continue
		}
		got := *s.SMTP
		if strings.Contains(given, "p%40ss") && got.Password.Reveal() != "p@ss" {
			t.Errorf("%s: the password is %d bytes", given, len(got.Password.Reveal()))
		}
		if got.Password = want.Password; got != want {
			t.Errorf("%s = %+v, want %+v", given, got, want)
		}
	}
	const canary = "hunter2hunter2"
	for _, given := range []string{"mail.example.org", "http://mail.example.org", "smtp://", "smtp://host/path", "smtp://host?tls=maybe", "smtps://host?tls=none", "smtp://host?tls=none&x=1", "smtp://host:99999",
		"smtp://:" + canary + "@host", "smtp://me:" + canary + "@host?tls=none", "smtp://me:" + canary + "@host?tls=opportunistic", "smtp://me:" + canary + "%zz@host"} {
		if got := read("NARTHEX_SMTP_URL=" + given); !strings.Contains(got, "NARTHEX_SMTP_URL: ") || strings.Contains(got, canary) {
			t.Errorf("%s: %q", given, got)
		}
	}
}

func TestNobodyTrustsTheWholeInternet(t *testing.T) {
	s, err := config.Read([]string{"NARTHEX_TRUSTED_PROXIES=10.1.2.3/8, 192.0.2.7,::1,fd00::/16, ::ffff:10.0.0.0/104,"})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, n := range s.TrustedProxies {
		got = append(got, n.String())
	}
	if want := []string{"10.0.0.0/8", "192.0.2.7/32", "::1/128", "fd00::/16", "10.0.0.0/8"}; !slices.Equal(got, want) {
		t.Errorf("networks are %v, want %v", got, want)
	}
	for _, given := range []string{"0.0.0.0/0", "::/0", "*", "0.0.0.0/1", "2000::/3", "10.0.0.0/33", "proxy.example.org", "::ffff:0.0.0.0/96", "10.0.0.1,0.0.0.0/0"} {
		if got := read("NARTHEX_TRUSTED_PROXIES=" + given); !strings.Contains(got, "NARTHEX_TRUSTED_PROXIES: ") {
			t.Errorf("%s is accepted", given)
		}
	}
}

func TestASharedStateNeedsASharedSecret(t *testing.T) {
	const dsn = "NARTHEX_STATE_DSN=postgres://narthex:hunter2hunter2@db.example.org/narthex"
	if got := read(dsn); !strings.Contains(got, "NARTHEX_SECRET: is missing, and the state is in PostgreSQL") || strings.Contains(got, "hunter2") {
		t.Errorf("without a secret: %q", got)
	}
	s, err := config.Read([]string{dsn, "NARTHEX_SECRET=" + oneKey})
	if err != nil || s.StateFile != "" || !strings.HasPrefix(s.StateDSN.Reveal(), "postgres://") {
		t.Errorf("with one: %+v, %v", s, err)
	}
	if s, err = config.Read([]string{"NARTHEX_STATE_DSN=/var/lib/state.db"}); err != nil || s.StateFile != "/var/lib/state.db" || s.StateDSN.Reveal() != "" {
		t.Errorf("a file: %+v, %v", s, err)
	}
}
