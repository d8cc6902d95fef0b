package directory

import (
	"context"
	"fmt"
	"math"
	"strings"

	"github.com/go-ldap/ldap/v3"
)

// Values are the values of an attribute, whose name is compared without case.
func (e Entry) Values(name string) []string {
	for _, a := range e.Attributes {
		if strings.EqualFold(a.Name, name) {
			return a.Values
		}
	}
	return nil
}

// Value is the first value of an attribute, or "".
func (e Entry) Value(name string) string {
	if values := e.Values(name); len(values) > 0 {
		return values[0]
	}
	return ""
}

func (r requests) Read(ctx context.Context, dn DN, attributes ...string) (Entry, error) {
	found, err := r.search(ctx, "read", dn, Base, Filter{}, 0, attributes)
	if err != nil {
		return Entry{}, err
	}
	if len(found) != 1 { // hidden by an access rule, or moved away meanwhile
		return Entry{}, &Error{Operation: "read", Code: NoSuchObject}
	}
	return found[0], nil
}

func (r requests) Search(ctx context.Context, base DN, scope Scope, filter Filter, limit int, attributes ...string) ([]Entry, error) {
	return r.search(ctx, "search", base, scope, filter, limit, attributes)
}

func (r requests) search(ctx context.Context, operation string, base DN, scope Scope, filter Filter, limit int, attributes []string) ([]Entry, error) {
	request, err := searchRequest(base, scope, filter, limit, attributes)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", operation, err)
	}
	var found []Entry
	err = r.run(ctx, operation, true, func(c *ldap.Conn) error {
		found = nil
		result, err := c.Search(request)
		if result != nil {
			found = entries(result.Entries)
		}
		return err
	})
	if limit > 0 && len(found) >= limit && (err == nil || Refused(err, SizeLimitExceeded)) {
		return found[:limit], nil
	}
	if err != nil {
		return nil, err
	}
	return found, nil
}

// searchRequest never follows aliases, and asks for the attributes named only: none named is none sent ("1.1", RFC 4511,
// section 4.5.1.8).
func searchRequest(base DN, scope Scope, filter Filter, limit int, attributes []string) (*ldap.SearchRequest, error) {
	scopes := map[Scope]int{Base: ldap.ScopeBaseObject, OneLevel: ldap.ScopeSingleLevel, Subtree: ldap.ScopeWholeSubtree}
	reach, ok := scopes[scope]
	if !ok || limit < 0 || limit > math.MaxInt32 {
		return nil, fmt.Errorf("no such scope or limit: %d, %d", scope, limit)
	}
	text := filter.text
	if filter.IsZero() {
		text = "(objectClass=*)"
	}
	if len(attributes) == 0 {
		attributes = []string{"1.1"}
	}
	return ldap.NewSearchRequest(string(base), reach, ldap.NeverDerefAliases, limit, 0, false, text, attributes, nil), nil
}

func entries(found []*ldap.Entry) []Entry {
	all := make([]Entry, len(found))
	for i, e := range found {
		all[i] = Entry{DN: DN(e.DN), Attributes: make([]Attribute, len(e.Attributes))}
		for j, a := range e.Attributes {
			all[i].Attributes[j] = Attribute{Name: a.Name, Values: a.Values}
		}
	}
	return all
}
