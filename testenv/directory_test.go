package testenv_test

import (
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

func TestDirectoryServers(t *testing.T) {
	t.Parallel()
	for _, kind := range append(testenv.Directories(), testenv.DirectoryKind{Kind: testenv.ActiveDirectory, Start: testenv.StartSamba}) {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			before := time.Now()
			d := kind.Start(t, testenv.WithClaims())
			t.Logf("started in %v", time.Since(before))
			for dn, password := range map[string]string{d.ServiceDN: d.ServicePassword, d.PlainDN: d.PlainPassword, d.AdminDN: d.AdminPassword} {
				out, err := d.LDAPWhoAmI(dn, password)
				t.Log(out, err)
				if err != nil {
					t.Error(err)
				}
			}
			t.Log(d.LDAPSearch(t, d.Base, "(objectClass=*)", "dn"))
			d.Kill()
			before = time.Now()
			d.Restart(t)
			t.Logf("started again in %v", time.Since(before))
			if !strings.Contains(d.LDAPSearch(t, d.Base, "(objectClass=*)", "dn"), d.Pending) {
				t.Error("gone")
			}
			if out, err := d.LDAPSearchAs(d.PlainDN, d.PlainPassword, d.Base, "(objectClass=*)", "dn"); err != nil || strings.Contains(out, d.Identifiers) {
				t.Error(out, err)
			}
		})
	}
	t.Run("overlays", func(t *testing.T) {
		before := time.Now()
		testenv.StartSlapd(t, testenv.WithPasswordPolicy(), testenv.WithUnique("mail"), testenv.WithMemberOf(), testenv.WithArgon2(), testenv.WithSync())
		t.Logf("started in %v", time.Since(before))
	})
}
