package ldapstore_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

func TestAStoreThatMayNotCreateAccountsDoesNotOpenAndSaysWhatToDo(t *testing.T) {
	d := testenv.StartSlapd(t)
	store, err := ldapstore.Open(t.Context(), at(t, d))
	if err == nil {
		_ = store.Close()
		t.Fatal("it opens")
	}
	if !strings.Contains(err.Error(), "directory check") || !strings.Contains(err.Error(), "cannot add claims") {
		t.Errorf("the error does not say what to do: %v", err)
	}
}

func TestAStoreThatMayNotSearchByIDDoesNotOpen(t *testing.T) {
	var d *testenv.Directory
	kind := testenv.DirectoryKind{Kind: testenv.OpenLDAP, Start: func(t testing.TB, options ...testenv.DirectoryOption) *testenv.Directory {
		d = testenv.StartSlapd(t, options...)
		return d
	}}
	o := prepared(t, kind)
	d.Load(t, "dn: olcDatabase={1}mdb,cn=config\nchangetype: modify\nadd: olcAccess\nolcAccess: {0}to attrs=entryUUID by dn.exact=\""+d.ServiceDN+"\" =r by * break\n")
	store, err := ldapstore.Open(t.Context(), o)
	if err == nil {
		_ = store.Close()
		t.Fatal("it opens")
	}
	if !strings.Contains(err.Error(), "may not search by entryUUID") {
		t.Errorf("got %v", err)
	}
}

// keeping notes which directory a kind starts.
func keeping(kind testenv.DirectoryKind) (testenv.DirectoryKind, func() *testenv.Directory) {
	var d *testenv.Directory
	start := kind.Start
	kind.Start = func(t testing.TB, options ...testenv.DirectoryOption) *testenv.Directory {
		d = start(t, options...)
		return d
	}
	return kind, func() *testenv.Directory { return d }
}

// lines are those that grant all capabilities but one.
func lines(t *testing.T, o ldapstore.Options, but doctor.Capability) []string {
	t.Helper()
	granted := slices.DeleteFunc(doctor.Capabilities(), func(c doctor.Capability) bool { return c == but })
	plan, err := doctor.Learn(t.Context(), doctor.Config{Connection: o.Directory, Base: directory.DN(o.Base), File: o.File, Uses: uses, Capabilities: granted})
	if err != nil {
		t.Fatal(err)
	}
	text, err := plan.Print(doctor.FormatLDIF)
	if err != nil {
		t.Fatal(err)
	}
	text = strings.ReplaceAll(text, "\n ", "")
	var all []string
	for _, found := range regexp.MustCompile(`(?m)^(?:aci|olcAccess): (.*)$`).FindAllStringSubmatch(text, -1) {
		all = append(all, regexp.MustCompile(`^\{\d+\}`).ReplaceAllString(found[1], ""))
	}
	return all
}

// grant replaces the service account's rights.
func grant(t *testing.T, d *testenv.Directory, before, now []string) {
	t.Helper()
	if d.Kind == testenv.OpenLDAP {
		d.SetAccess(t, append(slices.Clone(now), "to attrs=userPassword by self =w by anonymous auth by * none", "to * by users read by * none")...)
		return
	}
	var ldif strings.Builder
	for _, line := range before {
		fmt.Fprintf(&ldif, "dn: %s\nchangetype: modify\ndelete: aci\naci: %s\n\n", d.Base, line)
	}
	for _, line := range now {
		fmt.Fprintf(&ldif, "dn: %s\nchangetype: modify\nadd: aci\naci: %s\n\n", d.Base, line)
	}
	d.Load(t, ldif.String())
}

// offered opens a store and returns what it offers, and its log.
func offered(t *testing.T, o ldapstore.Options) (plugin.Backend, string) {
	t.Helper()
	var log bytes.Buffer
	o.Log = slog.New(slog.NewTextHandler(&log, nil))
	store, err := ldapstore.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return backend(t, store), log.String()
}

// person puts somebody into the directory, on whom rights can be tried.
func person(t *testing.T, d *testenv.Directory) {
	t.Helper()
	if d.Kind == testenv.ActiveDirectory {
		d.Load(t, "dn: CN=old,"+d.People+"\nchangetype: add\nobjectClass: user\nsAMAccountName: old\n")
		return
	}
	d.Load(t, "dn: uid=old,"+d.People+"\nobjectClass: inetOrgPerson\nuid: old\ncn: Old\nsn: Old\n")
}

// lacking is what is withheld for the lack of each right, and a word of the message.
var lacking = map[doctor.Capability]struct {
	withheld []plugin.Capability
	says     string
}{
	doctor.ChangeAliases:    {[]plugin.Capability{plugin.CapUpdater}, "aliases: the service account may not write"},
	doctor.ChangeAttributes: {[]plugin.Capability{plugin.CapUpdater}, "attributes: the service account may not write"},
	doctor.Lock:             {[]plugin.Capability{plugin.CapUpdater}, "lock: the service account may not write"},
	doctor.ChangeGroups:     {[]plugin.Capability{plugin.CapUpdater}, "groups: the service account may not write"},
	doctor.SetPassword:      {[]plugin.Capability{plugin.CapPasswordSetter}, "password: the service account may not"},
	doctor.Delete:           {nil, "delete: the service account may not"},
}

func TestWhatTheServiceAccountMayNotDoIsNotOfferedAndTheLogSaysWhatToDo(t *testing.T) {
	for _, kind := range testenv.Directories()[:2] { // Active Directory: below
		t.Run(kind.Kind, func(t *testing.T) {
			kind, directoryOf := keeping(kind)
			o := prepared(t, kind)
			o.Canonical = folded
			d := directoryOf()
			person(t, d)
			if b, log := offered(t, o); b.Updater == nil || b.PasswordSetter == nil || strings.Contains(log, "lacks") {
				t.Errorf("with all rights are offered %v:\n%s", b.Description.Capabilities, log)
			}
			have := lines(t, o, "")
			for _, right := range doctor.Capabilities()[1:] {
				now := lines(t, o, right)
				grant(t, d, have, now)
				have = now
				b, log := offered(t, o)
				for _, c := range []plugin.Capability{plugin.CapUpdater, plugin.CapPasswordSetter} {
					if slices.Contains(b.Description.Capabilities, c) == slices.Contains(lacking[right].withheld, c) {
						t.Errorf("without %s are offered %v", right, b.Description.Capabilities)
					}
				}
				if !strings.Contains(log, "for="+string(right)) || !strings.Contains(log, lacking[right].says) || !strings.Contains(log, "directory check --ldif") {
					t.Errorf("without %s the log says\n%s", right, log)
				}
				if right == doctor.Delete {
					mayNotDelete(t, b)
				}
			}
		})
	}
}

// mayNotDelete sees that a deletion that could not end does not begin.
func mayNotDelete(t *testing.T, b plugin.Backend) {
	t.Helper()
	a, err := b.Lookup(t.Context(), key(plugin.KindUsername, "uid", "old"))
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Delete(t.Context(), a.ID); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("delete: %v", err)
	}
}

func TestADomainThatGrantsCreationAloneIsOfferedNothingElse(t *testing.T) {
	kind, directoryOf := keeping(testenv.Directories()[2])
	o := preparedFor(t, kind, []doctor.Capability{doctor.Create})
	o.Canonical = folded
	person(t, directoryOf())
	b, log := offered(t, o)
	if b.Updater != nil || b.PasswordSetter != nil || b.Authenticator == nil {
		t.Errorf("are offered %v", b.Description.Capabilities)
	}
	for right, want := range lacking {
		if !strings.Contains(log, "for="+string(right)) {
			t.Errorf("nothing is said about %s, or not %q:\n%s", right, want.says, log)
		}
	}
	mayNotDelete(t, b)
}

func TestADeletionWithoutTheRightDoesNotBeginWhereNobodyWasThereAtTheStart(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			granted := slices.DeleteFunc(doctor.Capabilities(), func(c doctor.Capability) bool { return c == doctor.Delete })
			o := preparedFor(t, kind, granted)
			o.Canonical = folded
			store := open(t, o)
			ada := register(t, store, "ada")
			for range 2 {
				if err := store.Delete(t.Context(), ada.ID); !errors.Is(err, errors.ErrUnsupported) {
					t.Errorf("delete: %v", err)
				}
			}
			if _, err := store.Authenticate(t.Context(), byMail("ada"), plugin.NewSecret(firstPassword)); err != nil {
				t.Errorf("log in afterwards: %v", err)
			}
		})
	}
}
