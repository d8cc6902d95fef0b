package directory_test

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

// TestEscapingAgainstAServer compares what a real server finds with what a list in memory holds, for values made of what
// has a meaning in names or filters, and for values that look as if they had been escaped for either.
func TestEscapingAgainstAServer(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t)
	pool := open(t, settingsOf(d))
	people := directory.DN(d.People)
	values := map[string]directory.DN{}
	for _, value := range meaningful(100) {
		dn := people.Child("cn", value)
		entry := append(person(d.Kind, value), directory.Attribute{"labeledURI", []string{value}}) // caseExactMatch
		switch err := pool.Add(t.Context(), dn, entry); {
		case err == nil:
			values[value] = dn
		case !directory.Refused(err, directory.EntryAlreadyExists): // another one differs in case only
			t.Errorf("%q: %v", value, err)
		}
	}
	for value, dn := range values {
		found, err := pool.Search(t.Context(), people, directory.Subtree, directory.Equal("labeledURI", value), 0, "cn")
		if err != nil || len(found) != 1 || !found[0].DN.Equal(dn) || found[0].Value("cn") != value {
			t.Errorf("%q finds %+v, %v", value, found, err)
		}
		for _, other := range lookalikes(value) {
			want := 0
			if _, ok := values[other]; ok {
				want = 1
			}
			if found, err := pool.Search(t.Context(), people, directory.Subtree, directory.Equal("labeledURI", other), 0); err != nil || len(found) != want {
				t.Errorf("%q finds %d entries, %v, want %d", other, len(found), err, want)
			}
			entry, err := pool.Read(t.Context(), people.Child("labeledURI", other))
			if !directory.Refused(err, directory.NoSuchObject) {
				t.Errorf("a name made of %q reads %+v, %v", other, entry, err)
			}
		}
	}
	if len(values) < 90 {
		t.Errorf("only %d values are there", len(values))
	}
}

func meaningful(count int) []string {
	const alphabet = `*()\,+"<>;=#&|!~:/'{}$^aB0é`
	random := rand.New(rand.NewPCG(1, 2))
	runes := []rune(alphabet)
	all := make([]string, count)
	for i := range all {
		var b strings.Builder
		for range 1 + random.IntN(8) {
			b.WriteRune(runes[random.IntN(len(runes))])
		}
		all[i] = b.String()
	}
	return all
}

// lookalikes are the value as it stands in a name, in a filter, and with stars.
func lookalikes(value string) []string {
	filter := directory.Equal("x", value).String()
	return []string{strings.TrimPrefix(string(directory.DN("").Child("cn", value)), "cn="), filter[3 : len(filter)-1], "*", value + "*", value + ")(cn=*"}
}
