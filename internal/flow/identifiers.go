package flow

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/identifier"
)

// longestProduct bounds the product's name, in characters.
const longestProduct = 64

// readIdentifiers reads how the site's identifiers differ from the defaults.
func (r *reader) readIdentifiers(n *config.Node) {
	if n == nil {
		return
	}
	m := n.Mapping()
	o := &r.def.Identifiers
	o.FoldSubaddress = readDomains(m.Get("fold_tags"))
	o.FoldDots = readDomains(m.Get("fold_dots"))
	o.Reserved = readReserved(m.Get("reserved"))
	if at := m.Get("product"); at != nil {
		o.Product = r.readWords(at)
		if utf8.RuneCountInString(o.Product) > longestProduct {
			at.Fault("this is longer than the name of a product", fmt.Sprintf("use at most %d characters", longestProduct))
		}
	}
	m.Done()
}

// readDomains reads the domains of addresses.
func readDomains(n *config.Node) (domains []string) {
	if n == nil {
		return nil
	}
	rules, err := identifier.New(identifier.Options{})
	if err != nil {
		n.Fault("domains cannot be judged: "+err.Error(), "report this")
		return nil
	}
	for _, one := range n.Sequence() {
		domain := one.Str()
		switch _, err := rules.Email("a@" + domain); {
		case err != nil:
			one.Fault(fmt.Sprintf("%q is not the domain of an address", shortText(domain)), "write it like example.org")
		case slices.Contains(domains, strings.ToLower(domain)):
			one.Fault("this domain stands there twice", "remove one")
		default:
			domains = append(domains, strings.ToLower(domain))
		}
	}
	return domains
}

// readReserved reads usernames that nobody may have.
func readReserved(n *config.Node) (names []string) {
	if n == nil {
		return nil
	}
	for _, one := range n.Sequence() {
		name := strings.ToLower(one.Str())
		if name == "" || len(name) > longestReserved || strings.ContainsFunc(name, unprintable) || strings.Contains(name, " ") {
			one.Fault("this cannot be a username anyway", fmt.Sprintf("write one without blanks, with at most %d letters", longestReserved))
			continue
		}
		names = append(names, name)
	}
	return names
}

// longestReserved is more than any username has.
const longestReserved = 64
