package directory

import (
	"slices"
	"strings"
	"testing"
)

// sampleSchema is written like the three kinds of server write theirs.
func sampleSchema() *Schema {
	return ParseSchema([]string{
		"( 2.5.4.41 NAME 'name' EQUALITY caseIgnoreMatch SUBSTR caseIgnoreSubstringsMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.15{32768} )",
		"( 2.5.4.3 NAME ( 'cn' 'commonName' ) DESC 'RFC4519: a ( name ) with $ and \\27quotes\\27' SUP name )",
		"( 2.5.4.0 NAME 'objectClass' EQUALITY objectIdentifierMatch SYNTAX 1.3.6.1.4.1.1466.115.121.1.38 )",
		"( 1.3.6.1.1.16.4 NAME 'entryUUID' EQUALITY UUIDMatch SYNTAX 1.3.6.1.1.16.1 SINGLE-VALUE NO-USER-MODIFICATION USAGE directoryOperation )",
		"( 1.2.840.113556.1.4.221 NAME 'sAMAccountName' SYNTAX '1.3.6.1.4.1.1466.115.121.1.15' SINGLE-VALUE )",
		"( nsAccountLock-oid NAME 'nsAccountLock' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 USAGE directoryOperation X-ORIGIN ( '389 Directory' 'other' ) )",
		"(2.5.4.4 NAME 'sn' SUP name OBSOLETE)",
		"( 1.1 NAME 'self' SUP self )",
		"( 1.2 NAME 'childless' SUP unknown )",
		"( 1.3 NAME 'open",
		"no definition",
		"",
	}, []string{
		"( 2.5.6.0 NAME 'top' ABSTRACT MUST objectClass )",
		"( 2.5.6.6 NAME 'person' SUP top STRUCTURAL MUST ( sn $ cn ) MAY ( userPassword $ telephoneNumber ) )",
		"( 1.2.840.113556.1.5.9 NAME 'user' SUP person STRUCTURAL MAY ( commonName ) )",
		"( 1.2.840.113556.1.5.6 NAME 'securityPrincipal' SUP top AUXILIARY MUST (sAMAccountName ) )",
		"( 1.3.6.1.4.1.1466.101.120.111 NAME 'extensibleObject' SUP top AUXILIARY )",
		"( 9.1 NAME 'a' SUP b MAY cn )", "( 9.2 NAME 'b' SUP a )",
	}, []string{
		"( 1.2.840.113556.1.5.9 NAME 'user' AUX ( securityPrincipal ) MAY (nsAccountLock ) )",
	})
}

func TestSchema(t *testing.T) {
	s := sampleSchema()
	t.Run("an attribute inherits what it does not say", func(t *testing.T) {
		for _, name := range []string{"cn", "CN", "commonname", "2.5.4.3", "cn;lang-de"} {
			a, ok := s.Attribute(name)
			if !ok || a.Syntax != "1.3.6.1.4.1.1466.115.121.1.15" || a.Length != 32768 || a.Equality != "caseIgnoreMatch" || a.SingleValue ||
				!slices.Equal(a.Names, []string{"cn", "commonName"}) || a.OID != "2.5.4.3" || a.Operational {
				t.Errorf("%s: %+v, %v", name, a, ok)
			}
		}
	})
	t.Run("flags and quotes are understood", func(t *testing.T) {
		if a, ok := s.Attribute("entryuuid"); !ok || !a.SingleValue || !a.NoUserModification || !a.Operational {
			t.Errorf("%+v", a)
		}
		if a, ok := s.Attribute("samaccountname"); !ok || a.Syntax != "1.3.6.1.4.1.1466.115.121.1.15" || a.Equality != "" {
			t.Errorf("%+v", a)
		}
		if a, ok := s.Attribute("nsaccountlock"); !ok || a.OID != "nsAccountLock-oid" || !a.Operational {
			t.Errorf("%+v", a)
		}
	})
	t.Run("what is no definition is left out, and no circle is endless", func(t *testing.T) {
		for _, name := range []string{"open", "no", ""} {
			if a, ok := s.Attribute(name); ok {
				t.Errorf("%q: %+v", name, a)
			}
		}
		for _, name := range []string{"self", "childless"} {
			if _, ok := s.Attribute(name); !ok {
				t.Errorf("%q is missing", name)
			}
		}
		if c, ok := s.Class("a"); !ok || !slices.Equal(c.May, []string{"cn"}) {
			t.Errorf("a: %+v", c)
		}
	})
	t.Run("a class has what it inherits, and what content rules add", func(t *testing.T) {
		c, ok := s.Class("PERSON")
		if !ok || c.Kind != "STRUCTURAL" || !slices.Equal(c.Must, []string{"cn", "objectClass", "sn"}) || !slices.Equal(c.May, []string{"telephoneNumber", "userPassword"}) {
			t.Errorf("%+v", c)
		}
		c, _ = s.Class("1.2.840.113556.1.5.9")
		if !slices.Equal(c.Must, []string{"cn", "objectClass", "sAMAccountName", "sn"}) || !slices.Equal(c.May, []string{"nsAccountLock", "telephoneNumber", "userPassword"}) {
			t.Errorf("%+v", c)
		}
		if c, _ = s.Class("top"); c.Kind != "ABSTRACT" {
			t.Errorf("%+v", c)
		}
	})
	t.Run("classes allow attributes by any of their names", func(t *testing.T) {
		for attribute, want := range map[string]bool{"commonName": true, "2.5.4.4": true, "sAMAccountName": false, "unknown": false, "entryUUID": false} {
			if got := s.Allows(attribute, "top", "nonsense", "person"); got != want {
				t.Errorf("%s: %v", attribute, got)
			}
		}
		if !s.Allows("sAMAccountName", "extensibleObject") || s.Allows("unknown", "extensibleObject") {
			t.Error("extensibleObject")
		}
	})
}

func FuzzSchema(f *testing.F) {
	for _, text := range []string{"", "(", "( 1 NAME", "( 1.2 NAME ( 'a' 'b' ) SUP a MUST ( a $ b ) )", "( '1' SYNTAX '1.2{4}' )", "( 1 NAME 'a' SUP ( a $ a ) AUX a X-y ( ) )",
		"( 1 NAME 'a\\27' SINGLE-VALUE ) trailing", "(((((", "( 1 $ )", "( 1 NAME '", "( 1 SYNTAX 1{-3} NAME a )"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s := ParseSchema([]string{text}, []string{text}, []string{text})
		d, err := parseDefinition(text)
		if err != nil {
			return
		}
		if d.oid == "" && !strings.Contains(text, "''") {
			t.Errorf("%q has no name", text)
		}
		for _, name := range append([]string{d.oid}, d.words["NAME"]...) {
			if strings.Contains(name, ";") {
				continue
			}
			if a, ok := s.Attribute(name); !ok || a.Length < 0 {
				t.Errorf("%q: %+v, %v", text, a, ok)
			}
			if c, ok := s.Class(name); !ok || slices.ContainsFunc(c.May, func(m string) bool { return slices.Contains(c.Must, m) }) {
				t.Errorf("%q: %+v, %v", text, c, ok)
			}
		}
	})
}
