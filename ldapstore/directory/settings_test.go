package directory_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
)

func TestSettingsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	noCertificate := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(noCertificate, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, settings := range map[string]directory.Settings{
		"no URL":                        {},
		"another scheme":                {URL: "https://directory.test"},
		"a password in the URL":         {URL: "ldaps://cn=svc:hunter2@directory.test"},
		"an unreadable URL":             {URL: "ldaps://hunter2\x7f"},
		"a base in the URL":             {URL: "ldaps://directory.test/dc=lab"},
		"no host":                       {URL: "ldaps://"},
		"a relative socket":             {URL: "ldapi://slapd"},
		"no TLS to another machine":     {URL: "ldap://192.0.2.1", ClearText: true},
		"no TLS to a name":              {URL: "ldap://directory.test", ClearText: true},
		"no CA file":                    {URL: "ldaps://directory.test", CAFile: "/nonexistent"},
		"a CA file without certificate": {URL: "ldaps://directory.test", CAFile: noCertificate},
		"an account without password":   {URL: "ldaps://directory.test", BindDN: "cn=svc"},
		"a bad reader":                  {URL: "ldaps://directory.test", Readers: []string{"ldap://"}},
	} {
		if _, err := directory.Open(settings); err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: %v", name, err)
		}
	}
}
