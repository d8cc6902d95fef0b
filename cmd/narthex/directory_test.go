package main_test

import (
	"errors"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/narthex/narthex/testenv"
)

var update = flag.Bool("update", false, "write the texts of testdata/directory anew")

// directoryAdmin is somebody with a directory, at a command line.
type directoryAdmin struct {
	*testenv.Directory
	binary string
	env    []string
}

func newDirectoryAdmin(t *testing.T) *directoryAdmin {
	t.Helper()
	d := testenv.StartSlapd(t, testenv.WithPasswordPolicy(), testenv.WithIndexes("entryCSN"))
	password := filepath.Join(t.TempDir(), "password")
	if err := os.WriteFile(password, []byte(d.ServicePassword+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return &directoryAdmin{Directory: d, binary: testenv.Binary(t), env: []string{
		"NARTHEX_PERSISTER=ldap", "NARTHEX_LDAP_URL=" + d.URL, "NARTHEX_LDAP_CA_FILE=" + d.CAFile, "NARTHEX_LDAP_BASE=" + d.Base,
		"NARTHEX_LDAP_BIND_DN=" + d.ServiceDN, "NARTHEX_LDAP_BIND_PASSWORD_FILE=" + password,
	}}
}

// run types a command and returns what it prints and its exit code.
func (a *directoryAdmin) run(t *testing.T, args ...string) (out, errOut string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), a.binary, append([]string{"directory"}, args...)...)
	cmd.Env = a.env
	var stdout, stderr strings.Builder
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return stdout.String(), stderr.String(), exit.ExitCode()
	} else if err != nil {
		t.Fatal(err)
	}
	return stdout.String(), stderr.String(), 0
}

// golden compares a text with the one in testdata, but for dates.
func golden(t *testing.T, name, got string) {
	t.Helper()
	got = regexp.MustCompile(`until \d{4}-\d\d-\d\d, \d+ days`).ReplaceAllString(got, "until 2026-01-31, 90 days")
	path := filepath.Join("testdata", "directory", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s should be\n%s\nand is\n%s", name, want, got)
	}
}

func TestAnAdminLoadsWhatTheDoctorPrintsAndIsDone(t *testing.T) {
	a := newDirectoryAdmin(t)
	out, _, code := a.run(t, "check", "--renew-before=1m")
	golden(t, "unprepared.txt", out)
	if code != 1 {
		t.Errorf("an unprepared directory: exit code %d", code)
	}
	printed, errOut, code := a.run(t, "check", "--ldif")
	if code != 0 {
		t.Fatalf("--ldif: exit code %d: %s", code, errOut)
	}
	golden(t, "openldap.ldif", printed)
	a.Load(t, printed)
	a.Load(t, "dn: uid=ada,"+a.People+"\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada\nsn: Lovelace\n")
	out, errOut, code = a.run(t, "check", "--strict", "--renew-before=1m")
	golden(t, "healthy.txt", out)
	if code != 0 || errOut != "" {
		t.Errorf("a prepared directory: exit code %d: %s", code, errOut)
	}
	if _, _, code := a.run(t, "check"); code != 0 {
		t.Errorf("a certificate that ends soon: exit code %d", code)
	}
	if _, _, code := a.run(t, "check", "--strict"); code != 1 {
		t.Errorf("a certificate that ends soon, strictly: exit code %d", code)
	}
}

func TestTheDoctorTellsWhatIsWrongWithItsOwnCommandLineAndSettings(t *testing.T) {
	a := &directoryAdmin{binary: testenv.Binary(t), env: []string{"NARTHEX_LDAP_BASE=dc=example,dc=org", "NARTHEX_LDAP_BIND_DN=cn=svc,dc=example,dc=org"}}
	for _, c := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"check", "more"}, 2, "unknown command"},
		{[]string{"check", "--for", "create,cook"}, 2, `"cook" is none of create, aliases`},
		{[]string{"check", "--kind", "openldap"}, 2, "are for --ldif"},
		{[]string{"check", "--ldif", "--kind", "edirectory"}, 2, `"edirectory" is none of openldap, 389ds, ad`},
		{[]string{"check"}, 1, "NARTHEX_LDAP_URL is missing"},
		{[]string{"check", "--ldif"}, 1, "NARTHEX_LDAP_URL is missing"},
		{[]string{"check", "--ldif", "--kind", "ad"}, 1, "--sid"},
		{[]string{"check", "--ldif", "--kind", "389ds", "--format", "slapd.conf"}, 1, "OpenLDAP only"},
	} {
		if _, errOut, code := a.run(t, c.args...); code != c.code || !strings.Contains(errOut, c.says) {
			t.Errorf("%q: exit code %d: %s", c.args, code, errOut)
		}
	}
	for _, kind := range []string{"openldap", "389ds"} {
		out, errOut, code := a.run(t, "check", "--ldif", "--kind", kind, "--for", "create")
		if code != 0 || !strings.Contains(out, "dn: ou=pending,ou=identifiers,dc=example,dc=org\n") || strings.Contains(out, "pwdStartTime") {
			t.Errorf("--kind %s: exit code %d: %s%s", kind, code, errOut, out)
		}
	}
	out, _, code := a.run(t, "check", "--ldif", "--kind", "ad", "--sid", "S-1-5-21-1-2-3-1104")
	if code != 0 || !strings.Contains(out, "samba-tool dsacl set --action=allow --objectdn='ou=people,dc=example,dc=org' --sddl='(A;CI;LCRPLORC;;;S-1-5-21-1-2-3-1104)") {
		t.Errorf("--kind ad: exit code %d: %s", code, out)
	}
}
