package testenv

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// WithReplication lets slapd have replicas (overlay syncprov): see StartReplica. slapd only.
func WithReplication() DirectoryOption { return func(o *directoryOptions) { o.provider = true } }

// StartReplica starts a slapd that copies what is below d's base (RFC 4533) and takes no writes of its own. options are those
// that d was started with. Both have the same accounts; people and the service account of d may read there and log in.
func (d *Directory) StartReplica(t testing.TB, options ...DirectoryOption) *Directory {
	t.Helper()
	r := StartSlapd(t, append(options, func(o *directoryOptions) { o.empty = true })...)
	r.SetAccess(t, "to attrs=userPassword by dn.exact="+r.ServiceDN+" =s by anonymous auth by * none", "to * by users read by * none")
	r.Follow(t, d)
	return r
}

// Follow begins, or goes on, to copy from another server, and waits for what that one has by now.
func (d *Directory) Follow(t testing.TB, from *Directory) {
	t.Helper()
	d.Load(t, fmt.Sprintf("dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcSyncrepl\nolcSyncrepl: rid=001 provider=%s "+
		"searchbase=%q type=refreshAndPersist retry=\"1 +\" bindmethod=simple binddn=%q credentials=%s tls_cacert=%s\n-\nadd: olcUpdateRef\nolcUpdateRef: %s\n",
		from.URL, from.Base, from.AdminDN, from.AdminPassword, from.CAFile, from.URL))
	state := func(of *Directory) string {
		found, _ := of.LDAPSearchAs(of.AdminDN, of.AdminPassword, of.Base, "(objectClass=organization)", "contextCSN")
		_, csn, _ := strings.Cut(found, "contextCSN: ")
		return csn
	}
	for end := time.Now().Add(20 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		if have := state(d); have != "" && have == state(from) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the replica has %q, the other %q\n%s", state(d), state(from), d.Log())
		}
	}
}

// Lag stops copying, until Follow.
func (d *Directory) Lag(t testing.TB) {
	t.Helper()
	d.Load(t, "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\ndelete: olcUpdateRef\n-\ndelete: olcSyncrepl\n")
}
