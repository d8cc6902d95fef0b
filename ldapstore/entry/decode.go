package entry

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

// Read reads the admin's file; an empty path stands for an empty file, with which a plain tree works.
func Read(path string, kind directory.Kind, base directory.DN) (*Settings, error) {
	if path == "" {
		return Decode("", nil, kind, base)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read the persister's file: %w", err)
	}
	return Decode(path, data, kind, base)
}

// Decode reads the file's text for a server of a kind and the base below which everything stands. file is its name for
// messages. The error is Faults: everything wrong at once, each with its line and what to do.
func Decode(file string, data []byte, kind directory.Kind, base directory.DN) (*Settings, error) {
	top, err := parseYAML(file, data)
	if err != nil {
		return nil, err
	}
	r := reader{Settings: &Settings{Kind: kind, Base: base}, profile: profileOf(kind), owner: map[string]string{}, top: top}
	r.read(top.fields())
	if err := top.doc.faults.err(); err != nil {
		return nil, err
	}
	return r.Settings, nil
}

// reader fills settings from a file.
type reader struct {
	*Settings
	top     *node
	profile profile
	suffix  string
	// owner tells which key of the file supplies a directory attribute, by its lower-case name.
	owner map[string]string
}

func (r *reader) read(f *fields) {
	people := f.get("people")
	r.readPeople(people)
	mark := f.get("mark")
	r.Mark = mark.attribute(r.profile.mark)
	r.own(mark, r.Mark, "mark")
	r.readLock(f.get("lock"))
	r.readAttributes(f.get("attributes"), f.get("only_in_templates"))
	r.readConstants(f.get("constants"))
	r.readTemplates(f.get("templates"))
	r.readIdentifiers(f.get("identifiers"), people)
	r.readNumbers(f.get("numbers"))
	r.fill()
	r.readKeys(f.get("keys"))
	r.readGroups(f.get("groups"), f.get("default_groups"))
	r.readPassword(f.get("password"))
	r.UsernameHold = f.get("username_hold").duration(defaultUsernameHold, time.Minute, 30*24*time.Hour)
	r.readReaders(f.get("readers"))
	f.done()
}

func (r *reader) readPeople(n *node) {
	f := n.fields()
	r.People.Base = r.dn(f.get("base"), "ou=people")
	r.People.Username = f.get("username").attribute(r.profile.username)
	r.People.ObjectClasses = f.get("object_classes").classes(r.profile.classes)
	r.People.AccountClass = f.get("account_class").class(accountClass(r.People.ObjectClasses))
	r.suffix = f.get("user_principal_suffix").text(suffixOf(r.Base))
	r.readRDN(f.get("rdn"))
	f.done()
	if r.suffix == "" && r.Kind == directory.ActiveDirectory {
		n.or(r.top).fault("the suffix of user principal names cannot be told from the base", `add "user_principal_suffix", such as example.org`)
	}
	if r.People.Base.Equal(r.Base) {
		n.or(r.top).fault("people stand at the base itself, and unfinished entries would stand among them", `choose a "base" of their own, such as ou=people`)
	}
}

// inRDN are characters that only mean something in a whole DN: whoever writes them there expects more than one attribute.
const inRDN = ",+=;<>\"\\#"

func (r *reader) readRDN(n *node) {
	const form = `write one attribute, "=" and a text with {{username}}, such as "uid={{username}}"`
	text := n.text(r.profile.rdn)
	name, value, found := strings.Cut(text, "=")
	if !found || !directoryName.MatchString(name) {
		if text != "" {
			n.fault("this is not how an entry is named", form)
		}
		name, value, _ = strings.Cut(r.profile.rdn, "=")
	}
	t := n.or(r.top).template(value)
	r.People.RDN = RDN{Attribute: name, Value: t}
	switch {
	case n == nil:
	case strings.ContainsAny(t.literals(), inRDN):
		n.fault("an entry is named by one attribute, right below people.base", form)
	case !slices.Contains(t.names(), usernameName) || !t.certain(func(name string) bool { return name == usernameName }):
		n.fault("two people could get the same name", "use {{username}}, which only one account has, and nothing that may be missing")
	case strings.EqualFold(name, r.People.Username) && t.String() != "{{"+usernameName+"}}":
		n.fault(fmt.Sprintf("%s holds the username, and this would give it a second one", name), `write "`+name+`={{username}}", or name entries by another attribute`)
	}
}

func (r *reader) readIdentifiers(n, people *node) {
	f := n.fields()
	r.Identifiers = r.dn(f.get("base"), "ou=identifiers")
	f.done()
	r.Pending = r.Identifiers.Child("ou", "pending")
	if r.Identifiers.Under(r.People.Base) || r.People.Base.Under(r.Identifiers) {
		n.or(people).or(r.top).fault("identifiers and people stand in one another", "choose two places beside each other")
	}
}

// dn reads a DN: a whole one, or one relative to the base.
func (r *reader) dn(n *node, absent string) directory.DN {
	text := n.text(absent)
	if text == "" {
		return r.Base
	}
	dn, err := directory.ParseDN(text)
	if err != nil {
		n.fault(fmt.Sprintf("%q is not a DN", short(text)), `write one such as "ou=people", with a backslash before any of ,+"\<>; in a value`)
		return r.Base
	}
	if dn.Under(r.Base) {
		return dn
	}
	whole, err := directory.ParseDN(string(dn) + "," + string(r.Base))
	if err != nil {
		n.fault(fmt.Sprintf("%q is not a DN below the base", short(text)), `write one such as "ou=people"`)
		return r.Base
	}
	return whole
}

var (
	// directoryName is RFC 4512's keystring (section 1.4).
	directoryName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,62}$`)
	argon2Cost    = regexp.MustCompile(`^m=[1-9][0-9]*,t=[1-9][0-9]*,p=[1-9][0-9]*$`)
)

// attribute reads the name of a directory attribute.
func (n *node) attribute(absent string) string { return n.named(absent, "an attribute") }

// class reads the name of an object class.
func (n *node) class(absent string) string { return n.named(absent, "an object class") }

func (n *node) named(absent, what string) string {
	name := n.text(absent)
	if name != "" && n != nil && !directoryName.MatchString(name) {
		n.fault(fmt.Sprintf("%q is not the name of %s", short(name), what), "write a name from the directory's schema, without options")
		return absent
	}
	return name
}

func (n *node) classes(absent []string) []string {
	if n == nil {
		return absent
	}
	var classes []string
	for _, item := range n.list() {
		if class := item.class(""); class != "" {
			classes = append(classes, class)
		}
	}
	if len(classes) == 0 {
		n.fault("an entry has no object class", "name at least one")
		return absent
	}
	return classes
}

// template reads a template from a text that is read already.
func (n *node) template(text string) Template {
	t, err := ParseTemplate(text)
	if err != nil {
		n.badTemplate(err)
	}
	return t
}

func (r *reader) readReaders(n *node) {
	for _, item := range n.list() {
		url := item.text("")
		if url == "" {
			continue
		}
		if !strings.HasPrefix(url, "ldap://") && !strings.HasPrefix(url, "ldaps://") {
			item.fault("this is not the URL of a directory", `write one such as "ldaps://replica.example.org"`)
		}
		r.Readers = append(r.Readers, url)
	}
}

func (r *reader) readPassword(n *node) {
	f := n.fields()
	hash := f.get("hash")
	r.Password = Password{Hash: HashScheme(hash.oneOf(string(HashByServer), string(HashByServer), string(HashSSHA512), string(HashArgon2id)))}
	if r.Kind == directory.ActiveDirectory && r.Password.Hash != HashByServer {
		hash.fault("Active Directory takes no hash", "remove the key: the server hashes")
	}
	r.Password.Memory, r.Password.Passes, r.Password.Lanes = defaultMemory, defaultPasses, 1
	cost := f.get("argon2id")
	if text := cost.text(""); text != "" {
		p := &r.Password
		_, err := fmt.Sscanf(text, "m=%d,t=%d,p=%d", &p.Memory, &p.Passes, &p.Lanes)
		if err != nil || !argon2Cost.MatchString(text) || p.Lanes < 1 || p.Lanes > 16 || p.Passes < 1 || p.Passes > 16 || p.Memory < 8*uint32(p.Lanes) || p.Memory > 256<<10 {
			cost.fault("this is not a cost that is possible here", `write one such as "m=19456,t=2,p=1": m from 8 for each lane to 262144, t and p from 1 to 16`)
		}
	}
	f.done()
}
