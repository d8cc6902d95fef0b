package testenv

import (
	_ "embed" // the entries that a directory starts with
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

var (
	//go:embed directory/samba.conf
	sambaConfig string
	//go:embed directory/samba-tree.ldif
	sambaTreeLDIF string
	//go:embed directory/samba-claims.ldif
	sambaClaimsLDIF string
)

// StartSamba starts a Samba domain controller of Active Directory, of which only LDAP. It needs root, and keeps a fresh
// domain in the user's cache folder, of which it starts copies: making one takes seconds.
func StartSamba(t testing.TB, options ...DirectoryOption) *Directory {
	t.Helper()
	o := chosen(options)
	o.refuseSlapdOnly(t, ActiveDirectory)
	d := newDirectory(t, ActiveDirectory)
	d.nameAsActiveDirectory()
	if err := d.prepareSamba(t); err != nil {
		t.Fatalf("prepare Samba: %v", err)
	}
	t.Cleanup(d.Kill)
	if err := d.begin(); err != nil {
		t.Fatalf("start Samba: %v", err)
	}
	d.Load(t, d.fill(sambaTreeLDIF))
	if o.claims {
		d.Load(t, d.sambaClaims(t))
	}
	return d
}

// nameAsActiveDirectory spells the names as the server does, and puts the accounts where it has its own.
func (d *Directory) nameAsActiveDirectory() {
	d.Base = "DC=lab,DC=test"
	d.People, d.Groups = "OU=people,"+d.Base, "OU=groups,"+d.Base
	d.Identifiers, d.Pending = "OU=identifiers,"+d.Base, "OU=pending,OU=identifiers,"+d.Base
	users := ",CN=Users," + d.Base
	d.ServiceDN, d.PlainDN, d.AdminDN = "CN=svc"+users, "CN=plain"+users, "CN=Administrator"+users
}

func (d *Directory) prepareSamba(t testing.TB) error {
	if _, err := os.Stat("/usr/sbin/samba"); err != nil {
		return fmt.Errorf("install the packages samba-ad-dc, samba-ad-provision, samba-dsdb-modules, samba-vfs-modules and winbind: %w", err)
	}
	if os.Getuid() != 0 {
		return errors.New("a domain controller runs as root only: run these tests as root, in a container for example, as CI does")
	}
	domain, err := sambaDomain(d.AdminPassword)
	if err != nil {
		return err
	}
	if out, err := exec.Command("cp", "-a", domain+"/.", d.dir).CombinedOutput(); err != nil {
		return fmt.Errorf("copy the domain: %w\n%s", err, out)
	}
	d.certificate(t, "dc1.lab.test")
	d.listenAt(389, 636) // Samba knows no others
	for _, dir := range []string{"run", "log"} {
		if err := os.Mkdir(filepath.Join(d.dir, dir), 0o755); err != nil {
			return err
		}
	}
	configuration := filepath.Join(d.dir, "smb.conf")
	text := strings.NewReplacer("ADDRESS", d.ip.String(), "AUTHORITYFILE", d.CAFile).Replace(d.fill(sambaConfig))
	if err := os.WriteFile(configuration, []byte(text), 0o600); err != nil {
		return err
	}
	d.process.command = func() *exec.Cmd {
		return exec.Command("/usr/sbin/samba", "-F", "--no-process-group", "-s", configuration)
	}
	return nil
}

// UnicodePassword is a value of unicodePwd for LDIF: what follows two colons.
func UnicodePassword(password string) string {
	var octets []byte
	for _, unit := range utf16.Encode([]rune(`"` + password + `"`)) {
		octets = append(octets, byte(unit), byte(unit>>8))
	}
	return base64.StdEncoding.EncodeToString(octets)
}
