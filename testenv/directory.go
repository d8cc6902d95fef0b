package testenv

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The kinds of directory server.
const (
	OpenLDAP        = "openldap"
	DS389           = "389ds"
	ActiveDirectory = "ad"
)

// Directory is a private directory server of a test, on a loopback address of its own. It ends with the test, or with
// the process. It holds BASE, ou=people, ou=groups, a service account and a plain user, who may both read and nothing
// else; WithClaims adds what registration needs.
type Directory struct {
	// Kind is OpenLDAP, DS389 or ActiveDirectory.
	Kind string
	// URL is for LDAPS, StartTLSURL for StartTLS on the clear port. Their host is an address that the certificate names.
	URL, StartTLSURL string
	// CAFile holds the authority that signed the server's certificate, as PEM.
	CAFile string
	// Base and the parents of all entries, as DNs. Identifiers and Pending exist only after WithClaims or the like.
	Base, People, Groups, Identifiers, Pending string
	// Service is the sidecar's account, Plain anybody else who may bind, Admin may do everything.
	ServiceDN, ServicePassword string
	PlainDN, PlainPassword     string
	AdminDN, AdminPassword     string

	dir     string
	ip      net.IP
	process directoryProcess
}

// DirectoryKind is a kind of server that a table of tests walks through.
type DirectoryKind struct {
	Kind  string
	Start func(testing.TB, ...DirectoryOption) *Directory
}

// Directories returns every kind of directory server.
func Directories() []DirectoryKind {
	return []DirectoryKind{{OpenLDAP, StartSlapd}, {DS389, StartDS389}, {ActiveDirectory, StartSamba}}
}

// DirectoryOption changes what a server starts with.
type DirectoryOption func(*directoryOptions)

type directoryOptions struct {
	claims, sync, policy, memberOf, argon2 bool
	provider, empty                        bool
	unique                                 []string
	indexes, debug                         string
}

// WithClaims adds ou=identifiers with ou=pending, and to the service account the least rights for creating, changing
// and deleting accounts and for groups.
func WithClaims() DirectoryOption { return func(o *directoryOptions) { o.claims = true } }

// WithSync makes the server sync every write to the disk, as in production. Not on Active Directory,
// which always does.
func WithSync() DirectoryOption { return func(o *directoryOptions) { o.sync = true } }

// WithPasswordPolicy loads slapd's overlay ppolicy with a default policy at cn=default,ou=policies,BASE: at least 8
// characters, no old ones, locked after 5 wrong ones. slapd only.
func WithPasswordPolicy() DirectoryOption { return func(o *directoryOptions) { o.policy = true } }

// WithUnique makes the values of attributes unique over people, and tells the check to wait for its turn ("serialize"):
// without that it misses what happens at the same time. slapd only.
func WithUnique(attributes ...string) DirectoryOption {
	return func(o *directoryOptions) { o.unique = append(o.unique, attributes...) }
}

// WithMemberOf loads slapd's overlays memberof and refint. slapd only; Active Directory does this anyway.
func WithMemberOf() DirectoryOption { return func(o *directoryOptions) { o.memberOf = true } }

// WithArgon2 makes slapd hash with argon2 what RFC 3062 sets. slapd only.
func WithArgon2() DirectoryOption { return func(o *directoryOptions) { o.argon2 = true } }

// WithIndexes replaces the list of attributes that have an index for equality. slapd only.
func WithIndexes(attributes ...string) DirectoryOption {
	return func(o *directoryOptions) { o.indexes = strings.Join(attributes, ",") }
}

// WithFilterLog lets slapd write to its log how it looks for what filters ask for, and where it lacks an index. slapd only.
func WithFilterLog() DirectoryOption { return func(o *directoryOptions) { o.debug = "filter" } }

func chosen(options []DirectoryOption) directoryOptions {
	o := directoryOptions{indexes: "objectClass,entryCSN,entryUUID,cn,ou,uid,mail,uidNumber,member", debug: "0"}
	for _, option := range options {
		option(&o)
	}
	return o
}

// refuseSlapdOnly ends the test when an option was meant for slapd.
func (o directoryOptions) refuseSlapdOnly(t testing.TB, kind string) {
	t.Helper()
	if plain := chosen(nil); o.policy || o.memberOf || o.argon2 || o.provider || len(o.unique) > 0 || o.indexes != plain.indexes || o.debug != plain.debug {
		t.Fatalf("start %s: an option is for slapd only", kind)
	}
}

const (
	directoryBase     = "dc=lab,dc=test"
	directoryPassword = "Service-secret-7"
)

// newDirectory names everything that is alike on all servers, and gives it an address.
func newDirectory(t testing.TB, kind string) *Directory {
	t.Helper()
	// A short path that a server's own user can reach: sockets have names of at most 108 bytes.
	dir, err := os.MkdirTemp("", "nx-"+kind+"-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	d := &Directory{
		Kind: kind, dir: dir, ip: ownAddress(t), Base: directoryBase,
		People: "ou=people," + directoryBase, Groups: "ou=groups," + directoryBase,
		Identifiers: "ou=identifiers," + directoryBase, Pending: "ou=pending,ou=identifiers," + directoryBase,
		ServiceDN: "cn=svc," + directoryBase, ServicePassword: directoryPassword,
		PlainDN: "cn=plain," + directoryBase, PlainPassword: "Plain-secret-7",
		AdminDN: "cn=admin," + directoryBase, AdminPassword: "Admin-secret-7",
	}
	d.process.log = filepath.Join(dir, "printed")
	return d
}

// fill replaces the names of d in a text.
func (d *Directory) fill(text string) string {
	return strings.NewReplacer("BASE", d.Base, "LABEL", "lab", "SERVICEPASSWORD", d.ServicePassword, "PLAINPASSWORD", d.PlainPassword,
		"ADMINPASSWORD", d.AdminPassword, "SERVICEUNICODE", UnicodePassword(d.ServicePassword), "PLAINUNICODE", UnicodePassword(d.PlainPassword),
		"DIRECTORY", d.dir).Replace(text)
}
