package directory

import (
	"strings"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

func TestNames(t *testing.T) {
	t.Run("a name has one spelling", func(t *testing.T) {
		for text, want := range map[string]DN{
			"":                                 "",
			"UID=Ada , OU=People;dc=lab":       "UID=Ada,OU=People,dc=lab",
			`cn=a\2Cb,dc=lab`:                  `cn=a\,b,dc=lab`,
			`cn=jos\C3\A9`:                     "cn=josé",
			`cn=\23hash`:                       `cn=\#hash`,
			`cn=#04026869`:                     "cn=hi",
			`cn=a\ `:                           `cn=a\ `,
			`2.5.4.3=x`:                        "2.5.4.3=x",
			`cn=a\00b`:                         `cn=a\00b`,
			"cn=one+sn=two,dc=lab":             "cn=one+sn=two,dc=lab",
			`cn=a=b,dc=lab`:                    `cn=a\=b,dc=lab`,
			`cn="quoted"`:                      "",
			"cn":                               "",
			"cn=a,,dc=lab":                     "",
			"a b=c":                            "",
			"<GUID=00000000-0000-0000-0000>":   "",
			`=x`:                               "",
			`cn\=x=y`:                          "",
			"cn;lang-de=x":                     "",
			`cn=trailing\`:                     "",
			strings.Repeat("ou=x,", 3) + "o=y": "ou=x,ou=x,ou=x,o=y",
		} {
			got, err := ParseDN(text)
			if got != want || (err != nil) != (want == "" && text != "") {
				t.Errorf("%q becomes %q, %v, want %q", text, got, err, want)
			}
		}
	})
	t.Run("names are compared as a directory does", func(t *testing.T) {
		const ada = DN("uid=Ada,ou=People,dc=lab")
		for _, same := range []DN{ada, "UID=ada,OU=people,DC=LAB", `uid=\41da , ou=People, dc=lab`} {
			if !ada.Equal(same) || !same.Equal(ada) || !same.Under("OU=PEOPLE,dc=lab") || !same.Under("") {
				t.Errorf("%q is not %q", same, ada)
			}
		}
		if !DN("cn=a  b+sn=c").Equal(`SN=C+cn=\ a b `) {
			t.Error("blanks and order within an RDN count")
		}
		for _, other := range []DN{"", "uid=ada", "uid=ada,ou=people2,dc=lab", "uid=ada+cn=x,ou=people,dc=lab", "nonsense", "uid=bob,ou=people,dc=lab"} {
			if ada.Equal(other) || other.Equal(ada) {
				t.Errorf("%q is %q", other, ada)
			}
		}
		for _, base := range []DN{`ou=people\,dc\=lab`, "people,dc=lab", "ou=ople,dc=lab", "x=y,uid=ada,ou=people,dc=lab", "nonsense"} {
			if ada.Under(base) {
				t.Errorf("%q lies under %q", ada, base)
			}
		}
		if DN("nonsense").Equal("nonsense") || DN(`uid=x\,ou\=people\,dc\=lab`).Under("ou=people,dc=lab") {
			t.Error("what only looks like a name is one")
		}
	})
	t.Run("a name has a first part and a parent", func(t *testing.T) {
		child := DN("ou=people,dc=lab").Child("uid", "a,b")
		if attribute, value := child.RDN(); attribute != "uid" || value != "a,b" || child.Parent() != "ou=people,dc=lab" {
			t.Errorf("%q: %q, %q, %q", child, attribute, value, child.Parent())
		}
		if attribute, value := DN("").RDN(); attribute != "" || value != "" || DN("").Parent() != "" || DN("dc=lab").Parent() != "" {
			t.Error("the empty name has parts")
		}
		if got := DN("").Child("dc", "lab"); got != "dc=lab" {
			t.Errorf("below nothing: %q", got)
		}
	})
	t.Run("an attribute's name cannot smuggle in anything", func(t *testing.T) {
		for _, name := range []string{"", "uid=x,ou", "cn+sn", "a b", "-x", "cn;lang-de", "1.2x"} {
			dn := DN("dc=lab").Child(name, "v")
			if _, err := ParseDN(string(dn)); err == nil || !strings.HasSuffix(string(dn), ",dc=lab") || strings.Count(string(dn), "=") != 2 {
				t.Errorf("%q makes %q", name, dn)
			}
			if name != "cn;lang-de" && Equal(name, "v") != nothing() || name != "cn;lang-de" && Present(name) != nothing() {
				t.Errorf("%q makes %q", name, Equal(name, "v"))
			}
		}
	})
}

func TestFilters(t *testing.T) {
	a, b := Equal("cn", "a"), Present("sn")
	for want, got := range map[string]Filter{
		"(cn=a)":               And(a),
		"(&(cn=a)(sn=*))":      And(a, Filter{}, b),
		"(|(cn=a)(sn=*))":      Or(a, b),
		"(!(cn=a))":            Not(a),
		"(!(objectClass=*))":   Or(),
		"":                     And(),
		`(cn=\28\29\2a\5c\00)`: Equal("cn", "()*\\\x00"),
		`(cn=jos\c3\a9\ff)`:    Equal("cn", "josé\xff"),
		"(cn;lang-de=x)":       Equal("cn;lang-de", "x"),
	} {
		if got.String() != want || got.IsZero() != (want == "") {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if !Or(a, Filter{}).IsZero() || Not(Filter{}) != nothing() {
		t.Error("the zero filter, which holds everywhere, is lost in Or or Not")
	}
}

var awkward = []string{"", "a", " ", "  a  ", "#", "##", `\`, `\\`, `"`, "a,b=c+d;e<f>g", "a\x00b", "*", "()", "a)(b=*", `\2a`, `\zz`,
	"josé", "\xff\xfe", "\n", "\x7f", "e\u0301", "日本", "#04026869", "=", "a=b", "dc=lab,dc=test"}

func FuzzChild(f *testing.F) {
	for _, value := range awkward {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		const base = DN("ou=people,dc=lab")
		dn := base.Child("cn", value)
		parsed, err := ldap.ParseDN(string(dn))
		if err != nil {
			t.Fatalf("%q is no DN: %v", dn, err)
		}
		if len(parsed.RDNs) != 3 || len(parsed.RDNs[0].Attributes) != 1 || parsed.RDNs[0].Attributes[0].Value != value || parsed.RDNs[0].Attributes[0].Type != "cn" {
			t.Fatalf("%q is read as %v", dn, parsed)
		}
		again, err := ParseDN(string(dn))
		if err != nil || again != dn || !again.Equal(dn) || !dn.Under(base) || dn.Parent() != base || base.Under(dn) {
			t.Fatalf("%q becomes %q, %v", dn, again, err)
		}
		if _, got := dn.RDN(); got != value {
			t.Fatalf("%q: value %q", dn, got)
		}
	})
}

func FuzzParseDN(f *testing.F) {
	for _, text := range []string{"cn=a,dc=b", `cn=\2c`, "cn=#04026869", "cn=a+sn=b", " cn = a ; dc = b ", `cn=a\ `, "cn=,dc=b", "cn=#"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		dn, err := ParseDN(text)
		if err != nil {
			return
		}
		again, err := ParseDN(string(dn))
		if err != nil || again != dn {
			t.Fatalf("%q becomes %q becomes %q, %v", text, dn, again, err)
		}
		if !DN(text).Equal(dn) || !dn.Under(dn.Parent()) {
			t.Fatalf("%q is not %q", text, dn)
		}
	})
}

func FuzzFilter(f *testing.F) {
	for _, value := range awkward {
		f.Add(value)
	}
	f.Fuzz(func(t *testing.T, value string) {
		packet, err := ldap.CompileFilter(And(Equal("cn", value), Not(Equal("sn", value))).text)
		if err != nil {
			t.Fatal(err)
		}
		if packet.Tag != ldap.FilterAnd || len(packet.Children) != 2 || packet.Children[1].Tag != ldap.FilterNot {
			t.Fatalf("%q changes the filter's shape", value)
		}
		for _, equal := range []*ber.Packet{packet.Children[0], packet.Children[1].Children[0]} {
			if equal.Tag != ldap.FilterEqualityMatch || len(equal.Children) != 2 || equal.Children[1].Data.String() != value {
				t.Fatalf("%q is not compared as it is", value)
			}
		}
	})
}

func TestObjectGUIDs(t *testing.T) {
	ad := Server{Kind: ActiveDirectory}
	octets := "\x33\x22\x11\x00\x55\x44\x77\x66\x88\x99\xaa\xbb\xcc\xdd\xee\xff"
	const text = "00112233-4455-6677-8899-aabbccddeeff"
	if got := ad.EntryID(Entry{Attributes: []Attribute{{"ObjectGuid", []string{octets}}}}); got != text {
		t.Errorf("text %q", got)
	}
	if got := ad.IDFilter(strings.ToUpper(text)); got != Equal("objectGUID", octets) {
		t.Errorf("filter %q", got)
	}
	if dn, ok := ad.ByID(strings.ToUpper(text)); !ok || dn != "<GUID="+text+">" {
		t.Errorf("name %q", dn)
	}
	for _, bad := range []string{"", text[1:], text + "0", strings.Replace(text, "-", "0", 1), octets, "zz112233-4455-6677-8899-aabbccddeeff", "*"} {
		if _, ok := ad.ByID(bad); ok || ad.IDFilter(bad) != nothing() {
			t.Errorf("%q is taken for an id", bad)
		}
	}
	if got := ad.EntryID(Entry{Attributes: []Attribute{{"objectGUID", []string{"short"}}}}); got != "" {
		t.Errorf("a short GUID is %q", got)
	}
	if got := UnicodePassword("aé𝄞"); got != "\"\x00a\x00\xe9\x00\x34\xd8\x1e\xdd\"\x00" {
		t.Errorf("unicodePwd %q", got)
	}
}

func BenchmarkChild(b *testing.B) {
	for b.Loop() {
		DN("ou=people,dc=lab,dc=test").Child("uid", "ada.lovelace")
	}
}

func BenchmarkUnder(b *testing.B) {
	for b.Loop() {
		DN("uid=ada.lovelace,ou=people,dc=lab,dc=test").Under("ou=people,dc=lab,dc=test")
	}
}

func BenchmarkFilter(b *testing.B) {
	for b.Loop() {
		Or(Equal("mail", "ada@example.org"), Equal("uid", "ada.lovelace"))
	}
}
