package testenv_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/narthex/narthex/testenv"
)

// TestDirectoryOfTheComposeFile runs what the containers run: Narthex prints what it needs in a directory, OpenLDAP loads
// it, and Narthex looks whether that is enough.
func TestDirectoryOfTheComposeFile(t *testing.T) {
	t.Parallel()
	var file struct {
		Services map[string]struct{ Environment map[string]string }
	}
	text, err := os.ReadFile("../docker-compose.ldap.yml")
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &file); err != nil {
		t.Fatal(err)
	}
	shared, clear, secure := t.TempDir(), testenv.FreeAddress(t), testenv.FreeAddress(t)
	settings := append(testenv.BareEnvironment(), "NARTHEX_DATA_DIR="+t.TempDir())
	for name, value := range file.Services["narthex"].Environment {
		value = strings.NewReplacer("ldaps://directory", "ldaps://"+secure, "/shared/", shared+"/", "/etc/narthex/", "../docs/install/ldap/").Replace(value)
		settings = append(settings, name+"="+value)
	}
	check := func(args ...string) (out, problems string, err error) {
		var stdout, stderr bytes.Buffer
		cmd := exec.CommandContext(t.Context(), testenv.Binary(t), append([]string{"directory", "check"}, args...)...)
		cmd.Env, cmd.Stdout, cmd.Stderr = settings, &stdout, &stderr
		err = cmd.Run()
		return stdout.String(), stderr.String(), err
	}
	rights, problems, err := check("--ldif", "--kind", testenv.OpenLDAP)
	if err != nil {
		t.Fatalf("%v\n%s", err, problems)
	}
	if err := os.WriteFile(filepath.Join(shared, "rights.ldif"), []byte(rights), 0o600); err != nil {
		t.Fatal(err)
	}

	environ := append(testenv.BareEnvironment(), "DIRECTORY_DATA="+t.TempDir(), "DIRECTORY_SHARED="+shared, "DIRECTORY_LDIF=directory", "DIRECTORY_USER=",
		"DIRECTORY_URLS=ldap://"+clear+" ldaps://"+secure)
	for name, value := range file.Services["directory"].Environment {
		environ = append(environ, name+"="+value)
	}
	sidecar, server := file.Services["narthex"].Environment, file.Services["directory"].Environment
	d := &testenv.Directory{Kind: testenv.OpenLDAP, URL: "ldaps://" + secure, CAFile: filepath.Join(shared, "authority.pem"),
		AdminDN: "cn=admin," + sidecar["NARTHEX_LDAP_BASE"], AdminPassword: server["DIRECTORY_ADMIN_PASSWORD"],
		ServiceDN: sidecar["NARTHEX_LDAP_BIND_DN"], ServicePassword: sidecar["NARTHEX_LDAP_BIND_PASSWORD"]}
	stop := runDirectory(t, d, environ)
	defer func() { stop() }()

	t.Run("the doctor finds nothing that keeps flows from running", func(t *testing.T) {
		if out, problems, err := check(); err != nil {
			t.Errorf("%v\n%s%s", err, out, problems)
		}
	})
	t.Run("it keeps what it holds when it starts again", func(t *testing.T) {
		people := "ou=people," + sidecar["NARTHEX_LDAP_BASE"]
		d.Load(t, "dn: uid=ada,"+people+"\nobjectClass: inetOrgPerson\nuid: ada\ncn: Ada\nsn: Ada\n")
		stop()
		stop = runDirectory(t, d, environ)
		if found := d.LDAPSearch(t, people, "(uid=ada)", "1.1"); !strings.Contains(found, "uid=ada") {
			t.Error("what was added is gone")
		}
	})
}

// runDirectory starts the container's script and waits until the service account can bind.
func runDirectory(t *testing.T, d *testenv.Directory, environ []string) (stop func()) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer log.Close()
	cmd := exec.Command("sh", "../docs/install/ldap/directory.sh")
	cmd.Env, cmd.Stdout, cmd.Stderr = environ, log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { _ = cmd.Wait(); close(ended) }()
	stop = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		<-ended
	}
	for deadline := time.After(time.Minute); ; {
		if _, err = d.LDAPWhoAmI(d.ServiceDN, d.ServicePassword); err == nil {
			return stop
		}
		select {
		case <-time.After(10 * time.Millisecond):
			continue
		case <-ended:
		case <-deadline:
			stop()
		}
		text, _ := os.ReadFile(log.Name())
		t.Fatalf("%v\n%s", err, text)
	}
}
