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
	a := &adoption{Store: s, progress: progress, census: s.claims.NewCensus()}
	err := s.pool.Each(ctx, s.settings.Identifiers, directory.OneLevel, directory.Equal("objectClass", s.claims.Class()), adoptPage, a.census.Attributes(),
		func(e directory.Entry) error { a.census.Record(e); return nil })
	if err != nil {
		return a.Adopted, fmt.Errorf("list claims: %w", err)
	}
	people := func(do func(directory.Entry) error) error {
		return s.pool.Each(ctx, s.settings.People.Base, directory.Subtree, s.accounts(directory.Present("objectClass")), adoptPage, s.settings.ReadAttributes(), do)
	}
	if err := atOnce(ctx, people, a.person); err != nil {
		return a.Adopted, fmt.Errorf("adopt: %w", err)
	}
	if err := atOnce(ctx, a.unmet, a.review); err != nil {
		return a.Adopted, fmt.Errorf("review claims: %w", err)
	}
	return a.Adopted, nil
}

// adoption is an Adopt under way.
type adoption struct {
	*Store
	progress func()
	census   *claim.Census
	mu       sync.Mutex
	Adopted
}

// atOnce lets several workers handle what list comes upon. The first error ends it.
func atOnce[T any](ctx context.Context, list func(do func(T) error) error, handle func(context.Context, T) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	waiting := make(chan T, adoptPage) // what is listed next comes while they work
	var all sync.WaitGroup
	for range adoptWorkers {
		all.Go(func() {
			for one := range waiting {
				if ctx.Err() != nil {
					continue
				}
				if err := handle(ctx, one); err != nil {
					cancel(err)
				}
			}
		})
	}
	err := list(func(one T) error {
		select {
		case waiting <- one:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	})
	close(waiting)
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
	done, err := a.claims.Adopt(ctx, p, a.census)
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
func (s *Store) keys(e directory.Entry) []plugin.Key {
	var keys []plugin.Key
	add := func(kind plugin.KeyKind, attribute string, values ...string) {
		name := s.settings.FlowAttribute(attribute)
		for _, v := range values {
			if canonical, ok := s.claims.Canonical(kind, name, v); ok {
				keys = append(keys, plugin.Key{Kind: kind, Canonical: canonical, Value: v, Attribute: name, Login: kind != plugin.KindUnique})
			}
		}
	}
	add(plugin.KindUsername, s.settings.People.Username, e.Value(s.settings.People.Username))
	for kind, attributes := range s.settings.Keys {
		for _, attribute := range attributes {
			add(kind, attribute, e.Values(attribute)...)
		}
	}
	return keys
}

// unmet lists the claims of accounts that nobody has met with the name.
func (a *adoption) unmet(do func(string) error) error {
	for _, name := range a.census.Unmet() {
		if err := do(name); err != nil {
			return err
		}
	}
	return nil
}

// review looks at one claim after what an admin may have done by hand.
func (a *adoption) review(ctx context.Context, name string) error {
	changed, err := a.claims.Review(ctx, name)
	if changed {
		a.mu.Lock()
		a.Freed++
		a.mu.Unlock()
	}
	return err
}
