package testenv_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// TestDirectoryOfTheComposeFile runs what the container with OpenLDAP runs.
func TestDirectoryOfTheComposeFile(t *testing.T) {
	t.Parallel()
	ours := testenv.StartSlapd(t, testenv.WithClaims(), testenv.WithPasswordPolicy())
	data, authority := t.TempDir(), t.TempDir()
	clear, secure := testenv.FreeAddress(t), testenv.FreeAddress(t)
	start := func() (stop func()) {
		cmd := exec.Command("sh", "../docs/install/ldap/directory.sh")
		cmd.Env = append(testenv.BareEnvironment(), "DIRECTORY_DATA="+data, "DIRECTORY_AUTHORITY="+authority, "DIRECTORY_LDIF=directory", "DIRECTORY_USER=",
			"DIRECTORY_URLS=ldap://"+clear+" ldaps://"+secure, "DIRECTORY_BASE="+ours.Base, "DIRECTORY_ADMIN_PASSWORD="+ours.AdminPassword,
			"DIRECTORY_SERVICE_PASSWORD="+ours.ServicePassword, "DIRECTORY_PLAIN_PASSWORD="+ours.PlainPassword)
		cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		log, err := os.Create(filepath.Join(t.TempDir(), "log"))
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		cmd.Stdout, cmd.Stderr = log, log
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return func() {
			_ = cmd.Process.Signal(syscall.SIGTERM)
			_ = cmd.Wait()
			if text, _ := os.ReadFile(log.Name()); t.Failed() {
				t.Logf("%s", text)
			}
		}
	}
	theirs := &testenv.Directory{Kind: testenv.OpenLDAP, URL: "ldaps://" + secure, CAFile: filepath.Join(authority, "authority.pem"),
		AdminDN: ours.AdminDN, AdminPassword: ours.AdminPassword}
	ready := func() {
		t.Helper()
		var err error
		for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if _, err = theirs.LDAPWhoAmI(ours.ServiceDN, ours.ServicePassword); err == nil {
				return
			}
		}
		t.Fatal(err)
	}
	stop := start()
	defer func() { stop() }()
	ready()

	t.Run("it holds what the tests load", func(t *testing.T) {
		for _, asked := range []struct{ base, filter, attribute string }{
			{ours.Base, "(objectClass=*)", "objectClass"},
			{"cn=config", "(objectClass=olcMdbConfig)", "olcAccess"},
			{"cn=config", "(objectClass=olcMdbConfig)", "olcLimits"},
			{"cn=config", "(objectClass=olcOverlayConfig)", "olcPPolicyDefault"},
		} {
			want, got := ours.LDAPSearch(t, asked.base, asked.filter, asked.attribute), theirs.LDAPSearch(t, asked.base, asked.filter, asked.attribute)
			if got != want || !strings.Contains(got, asked.attribute+":") {
				t.Errorf("%s:\n%s\nwant\n%s", asked.attribute, got, want)
			}
		}
	})
	t.Run("it keeps what it holds when it starts again", func(t *testing.T) {
		theirs.Load(t, "dn: uid=ada,"+ours.People+"\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada\nsn: Ada\n")
		stop()
		stop = start()
		ready()
		if found := theirs.LDAPSearch(t, ours.People, "(uid=ada)", "1.1"); !strings.Contains(found, "uid=ada") {
			t.Error("what was added is gone")
		}
	})
}
