package testenv

import (
	"bytes"
	_ "embed" // the entries that a directory starts with
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var (
	//go:embed directory/tree.ldif
	treeLDIF string
	//go:embed directory/openldap-config.ldif
	slapdConfigLDIF string
	//go:embed directory/openldap-policy.ldif
	slapdPolicyLDIF string
	//go:embed directory/openldap-claims.ldif
	slapdClaimsLDIF string
)

// StartSlapd starts OpenLDAP with its configuration in cn=config, which the admin may change.
func StartSlapd(t testing.TB, options ...DirectoryOption) *Directory {
	t.Helper()
	d, o := newDirectory(t, OpenLDAP), chosen(options)
	if err := d.prepareSlapd(t, o); err != nil {
		t.Fatalf("prepare slapd: %v", err)
	}
	t.Cleanup(d.Kill)
	if err := d.begin(); err != nil {
		t.Fatalf("start slapd: %v", err)
	}
	if o.claims {
		d.Load(t, d.fill(slapdClaimsLDIF))
	}
	return d
}

func (d *Directory) prepareSlapd(t testing.TB, o directoryOptions) error {
	if _, err := os.Stat("/usr/sbin/slapd"); err != nil {
		return fmt.Errorf("install the packages slapd and ldap-utils: %w", err)
	}
	d.certificate(t, "localhost")
	d.listenAt(clearPort, securePort)
	for _, dir := range []string{"db", "config"} {
		if err := os.Mkdir(filepath.Join(d.dir, dir), 0o700); err != nil {
			return err
		}
	}
	configuration, err := d.slapdConfig(o)
	if err != nil {
		return err
	}
	if err := d.slapadd("0", configuration); err != nil {
		return err
	}
	tree := treeLDIF
	if o.empty {
		tree = ""
	}
	if o.policy && !o.empty {
		tree += slapdPolicyLDIF
	}
	if err := d.slapadd("1", d.fill(tree)); err != nil {
		return err
	}
	d.process.command = func() *exec.Cmd {
		// -d keeps it in the foreground.
		return exec.Command("/usr/sbin/slapd", "-F", filepath.Join(d.dir, "config"), "-h", d.StartTLSURL+" "+d.URL, "-d", o.debug)
	}
	return nil
}

func (d *Directory) slapadd(database, ldif string) error {
	cmd := exec.Command("/usr/sbin/slapadd", "-q", "-n", database, "-F", filepath.Join(d.dir, "config"))
	cmd.Stdin = bytes.NewBufferString(ldif)
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("slapadd: %w\n%s", err, out)
	}
	return nil
}

// SetAccess replaces the rules of who may do what, each written as after olcAccess. slapd only.
func (d *Directory) SetAccess(t testing.TB, rules ...string) {
	t.Helper()
	var ldif strings.Builder
	fmt.Fprintln(&ldif, "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nreplace: olcAccess")
	for i, rule := range rules {
		fmt.Fprintf(&ldif, "olcAccess: {%d}%s\n", i, strings.Join(strings.Fields(rule), " "))
	}
	d.Load(t, ldif.String())
}
