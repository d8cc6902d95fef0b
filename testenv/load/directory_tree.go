package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"os"
	"os/exec"

	"github.com/go-ldap/ldap/v3"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// connections is how many the persister has to its directory (see directory.Settings): the bare loops get as many.
const connections = 8

// tree is a slapd that has loaded what the doctor prints for it, word for word.
type tree struct {
	*testenv.Directory
	env   []string // the ldap persister's settings
	rules *identifier.Rules
}

func (r *run) tree(options ...testenv.DirectoryOption) *tree {
	d := testenv.StartSlapd(r, append(options, testenv.WithIndexes("entryCSN"))...)
	t := &tree{Directory: d, env: []string{
		"NARTHEX_PERSISTER=ldap", "NARTHEX_LDAP_URL=" + d.URL, "NARTHEX_LDAP_BASE=" + d.Base, "NARTHEX_LDAP_CA_FILE=" + d.CAFile,
		"NARTHEX_LDAP_BIND_DN=" + d.ServiceDN, "NARTHEX_LDAP_BIND_PASSWORD=" + d.ServicePassword,
	}}
	var err error
	if t.rules, err = identifier.New(identifier.Options{}); err != nil {
		r.Fatal(err)
	}
	cmd := t.command(r, "check", "--ldif")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		r.Fatalf("directory check --ldif: %v\n%s", err, errs.String())
	}
	d.Load(r, out.String())
	return t
}

// command is `narthex directory …` with the settings of the tree.
func (t *tree) command(r *run, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(r.Context(), testenv.PlainBinary(r), append([]string{"directory"}, args...)...)
	cmd.Env = append(os.Environ(), t.env...)
	return cmd
}

// process starts the ldap persister as a sidecar does: as a process of its own.
func (t *tree) process(r *run) *plugin.Host {
	c := plugin.OpenConfig{Path: testenv.PlainBinary(r), Args: []string{"persister", "ldap"}, Env: t.env, Logger: slog.New(slog.DiscardHandler)}
	var err error
	if c.SHA256, err = plugin.Checksum(c.Path); err != nil {
		r.Fatal(err)
	}
	host, err := plugin.Open(context.Background(), c)
	if err != nil {
		r.Fatal(err)
	}
	return host
}

// store opens the ldap persister in this process. hook may be nil.
func (t *tree) store(r *run, hook directory.Hook) *ldapstore.Store {
	store, err := ldapstore.Open(r.Context(), ldapstore.Options{Base: t.Base, Hook: hook, Canonical: t.canonical, Directory: directory.Settings{
		URL: t.URL, CAFile: t.CAFile, BindDN: t.ServiceDN, Password: t.ServicePassword,
	}})
	if err != nil {
		r.Fatal(err)
	}
	return store
}

// canonical forms keys as the sidecar does.
func (t *tree) canonical(kind plugin.KeyKind, attribute, value string) (string, bool) {
	id, err := t.rules.Login(value)
	if err != nil {
		return "", false
	}
	key := id.Key(attribute, true)
	return key.Canonical, key.Kind == kind
}

// key forms one key of a value that has one.
func (t *tree) key(kind plugin.KeyKind, attribute, value string) plugin.Key {
	canonical, _ := t.canonical(kind, attribute, value)
	return plugin.Key{Kind: kind, Canonical: canonical, Value: value, Attribute: attribute, Login: true}
}

// dial connects with the LDAP library alone, as the service account: the bare loops use these.
func (t *tree) dial(r *run) *ldap.Conn {
	pem, err := os.ReadFile(t.CAFile)
	if err != nil {
		r.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	conn, err := ldap.DialURL(t.URL, ldap.DialWithTLSConfig(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}))
	if err == nil {
		err = conn.Bind(t.ServiceDN, t.ServicePassword)
	}
	if err != nil {
		r.Fatal(err)
	}
	return conn
}
