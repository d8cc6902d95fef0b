package ldapstore

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Adopted tells what became of the people who stood in the directory already.
type Adopted struct {
	// People were looked at; Claimed counts the claims that were written for them, Freed those of accounts that are gone or
	// have lost the value, which others may have a day later.
	People, Claimed, Freed int
	// Duplicates are values that two entries have: one of them holds the claim. Nothing was changed about them.
	Duplicates []Duplicate
	// Left are people whose names could not be claimed now, for a reason of each.
	Left []LeftOut
}

// Duplicate is a value of an entry that another account holds.
type Duplicate struct {
	DN               directory.DN
	Attribute, Value string
}

// LeftOut is an entry that was not adopted.
type LeftOut struct {
	DN     directory.DN
	Reason string
}

const (
	adoptPage    = 500
	adoptWorkers = 8
)

var errNoCanonical = errors.New("adopt: the rules of identifiers are not known")

// CountPeople returns how many entries Adopt will look at.
func (s *Store) CountPeople(ctx context.Context) (n int, err error) {
	err = s.pool.Each(ctx, s.settings.People.Base, directory.Subtree, s.accounts(directory.Present("objectClass")), adoptPage, []string{"1.1"},
		func(directory.Entry) error { n++; return nil })
	return n, err
}

// Adopt claims every username and alias that stands in the directory, and reviews the claims that there are. It may be cut
// off and done again at any time: what is claimed already is left alone. progress is called after each entry.
func (s *Store) Adopt(ctx context.Context, progress func()) (Adopted, error) {
	if s.claims.Canonical == nil {
		return Adopted{}, errNoCanonical
	}
	a := &adoption{Store: s, progress: progress}
	err := a.each(ctx, s.settings.People.Base, s.accounts(directory.Present("objectClass")), s.settings.ReadAttributes(), a.person)
	if err != nil {
		return a.Adopted, fmt.Errorf("adopt: %w", err)
	}
	err = a.each(ctx, s.settings.Identifiers, directory.Equal("objectClass", s.claims.Class()), []string{"1.1"}, a.review)
	if err != nil {
		return a.Adopted, fmt.Errorf("review claims: %w", err)
	}
	return a.Adopted, nil
}

// adoption is an Adopt under way.
type adoption struct {
	*Store
	progress func()
	mu       sync.Mutex
	Adopted
}

// each lets several workers handle the entries below a base. The first error ends it.
func (a *adoption) each(ctx context.Context, base directory.DN, filter directory.Filter, attributes []string, handle func(context.Context, directory.Entry) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	entries := make(chan directory.Entry)
	var all sync.WaitGroup
	for range adoptWorkers {
		all.Go(func() {
			for e := range entries {
				if err := handle(ctx, e); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := a.pool.Each(ctx, base, directory.Subtree, filter, adoptPage, attributes, func(e directory.Entry) error {
		select {
		case entries <- e:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(entries)
	all.Wait()
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	return err
}

// person adopts one entry.
func (a *adoption) person(ctx context.Context, e directory.Entry) error {
	defer a.progress()
	id, err := a.settings.ID(e)
	if err != nil {
		return err
	}
	p := claim.Person{ID: id, DN: e.DN, Keys: a.keys(e)}
	done, err := a.claims.Adopt(ctx, p)
	a.mu.Lock()
	defer a.mu.Unlock()
	a.People++
	a.Claimed += done.Claimed
	for _, k := range done.Taken {
		a.Duplicates = append(a.Duplicates, Duplicate{e.DN, k.Attribute, k.Value})
	}
	switch {
	case errors.Is(err, plugin.ErrInvalid):
		a.Left = append(a.Left, LeftOut{e.DN, "its username cannot be one: " + err.Error()})
		return nil
	case err == nil && done.Busy:
		a.Left = append(a.Left, LeftOut{e.DN, "somebody is just changing it: adopt again later"})
	}
	return err
}

// keys forms the keys of an entry's values, those that the rules know.
func (a *adoption) keys(e directory.Entry) []plugin.Key {
	var keys []plugin.Key
	add := func(kind plugin.KeyKind, attribute string, values ...string) {
		name := a.settings.FlowAttribute(attribute)
		for _, v := range values {
			if canonical, ok := a.claims.Canonical(kind, name, v); ok {
				keys = append(keys, plugin.Key{Kind: kind, Canonical: canonical, Value: v, Attribute: name, Login: kind != plugin.KindUnique})
			}
		}
	}
	add(plugin.KindUsername, a.settings.People.Username, e.Value(a.settings.People.Username))
	for kind, attributes := range a.settings.Keys {
		for _, attribute := range attributes {
			add(kind, attribute, e.Values(attribute)...)
		}
	}
	return keys
}

// review looks at one claim after what an admin may have done by hand.
func (a *adoption) review(ctx context.Context, e directory.Entry) error {
	_, name := e.DN.RDN()
	if !claim.IsName(name) {
		return nil
	}
	changed, err := a.claims.Review(ctx, name)
	if changed {
		a.mu.Lock()
		a.Freed++
		a.mu.Unlock()
	}
	return err
}
