package claim

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// finish brings to its end what a committed claim stands for, a creation or a change: whoever meets one does.
func (s *Store) finish(ctx context.Context, name string, st *state) error {
	if st.more[noteAnchor] != "" {
		return s.finishForAnother(ctx, name, st)
	}
	f, err := s.moveIn(ctx, name, st, nil)
	if err == nil {
		err = f.join(ctx)
	}
	if err != nil {
		return err
	}
	return f.close(ctx, nil)
}

// finishing is what remains to be done of a creation when the account is in its place.
type finishing struct {
	*Store
	primary string
	state   *state
	there   bool      // the entry is: nobody has removed it by hand
	seen    time.Time // when the claim was known to be committed
	done    bool      // another has closed the creation
}

// moveIn makes a committed account usable and moves it into its place. staged is the entry as it was added, nil for a
// stranger.
func (s *Store) moveIn(ctx context.Context, primary string, st *state, staged *directory.Entry) (*finishing, error) {
	if st.dn == "" {
		return nil, errCorrupt
	}
	seen := s.Clock()
	source := s.stagedDN(st.run, primary)
	if err := s.enable(ctx, source, staged); err != nil {
		return nil, fmt.Errorf("enable the account: %w", err)
	}
	there := true
	for n := 1; ; n++ {
		err := try(ctx, func() error { return s.Operations.Move(ctx, source, st.dn, true, directory.Filter{}) })
		if err == nil {
			break
		}
		if !s.gone(err) && !directory.Refused(err, directory.EntryAlreadyExists, directory.ConstraintViolation) {
			return nil, fmt.Errorf("move the account into its place: %w", err)
		}
		at, errLook := s.whereIs(ctx, st.id)
		if errLook != nil {
			return nil, errLook
		}
		if at != "" && !at.Under(s.Settings.Pending) {
			break // another has moved it
		}
		now, errRead := s.read(ctx, primary)
		if errRead != nil {
			return nil, errRead
		}
		if now == nil || now.phase != committed || now.run != st.run { // closed meanwhile, and perhaps changed or deleted since
			return &finishing{done: true}, nil
		}
		seen = s.Clock()
		if at != "" && directory.Refused(err, directory.EntryAlreadyExists, directory.ConstraintViolation) {
			s.Log.ErrorContext(ctx, "a new account cannot be moved into its place: an entry made by hand is there", "account", st.id)
			return nil, err
		}
		if n == looks {
			if at != "" {
				return nil, err
			}
			there = false // removed by hand
			break
		}
		if err := pause(ctx, shortPause); err != nil {
			return nil, err
		}
	}
	return &finishing{Store: s, primary: primary, state: st, there: there, seen: seen}, nil
}

// whereIs looks for an entry once.
func (s *Store) whereIs(ctx context.Context, id plugin.ID) (directory.DN, error) {
	e, err := s.lookByID(ctx, id, "1.1")
	if err != nil || e == nil {
		return "", err
	}
	return e.DN, nil
}

// lookByID reads an entry, wherever it is; nil: one look has not found it.
func (s *Store) lookByID(ctx context.Context, id plugin.ID, attributes ...string) (*directory.Entry, error) {
	var entries []directory.Entry
	err := try(ctx, func() (err error) {
		entries, err = s.Operations.Search(ctx, s.Settings.Base, directory.Subtree, s.Server.IDFilter(string(id)), 2, attributes...)
		return err
	})
	if err != nil || len(entries) == 0 {
		return nil, err
	}
	return &entries[0], nil
}

// enable lets people log in, at the staged name: a late one hits nothing.
func (s *Store) enable(ctx context.Context, source directory.DN, staged *directory.Entry) error {
	if s.Server.Kind == directory.OpenLDAP {
		return nil
	}
	if staged == nil {
		var e directory.Entry
		err := try(ctx, func() (err error) {
			e, err = s.Operations.Read(ctx, source, s.Settings.ReadAttributes()...)
			return err
		})
		if directory.Refused(err, directory.NoSuchObject) {
			return nil
		}
		if err != nil {
			return err
		}
		staged = &e
	}
	changes := s.Settings.Enable(*staged)
	if len(changes) == 0 {
		return nil
	}
	err := try(ctx, func() error { return s.Operations.Modify(ctx, source, changes, directory.Filter{}) })
	if s.gone(err) {
		return nil
	}
	return err
}

// close turns the claims of the run into held ones, the primary last. texts has what the other claims say, as far as the
// caller knows.
func (f *finishing) close(ctx context.Context, texts map[string]string) error {
	if f.done {
		return nil
	}
	for _, name := range f.state.others {
		if err := f.complete(ctx, name, f.primary, f.state, texts[name]); err != nil {
			return err
		}
	}
	_, err := f.swap(ctx, f.primary, f.state.text, closed(f.primary, f.state.kind, f.primary, f.state))
	return err
}

// join adds the account to its groups, by name and without a fence: only just after its claim was seen open. The hold on the
// username covers the rest.
func (f *finishing) join(ctx context.Context) error {
	if f.done || !f.there || len(f.state.groups) == 0 {
		return nil
	}
	member := entry.Member{DN: f.state.dn, ID: f.state.id, Username: f.username(ctx)}
	for _, group := range f.state.groups {
		if err := f.stillOpen(ctx); err != nil || f.done {
			return err
		}
		err := f.Settings.Join(ctx, f.Operations, group, member)
		if err != nil && !errors.Is(err, plugin.ErrInvalid) && !directory.Refused(err, directory.NoSuchObject) {
			return err
		}
	}
	return nil
}

// username reads the account's username: its name in the tree may be made of more.
func (f *finishing) username(ctx context.Context) string {
	e, err := f.Operations.Read(ctx, f.state.dn, f.Settings.People.Username)
	if err == nil && e.Value(f.Settings.People.Username) != "" {
		return e.Value(f.Settings.People.Username)
	}
	_, name := f.state.dn.RDN()
	return name
}

// stillOpen looks at the claim again when the last look was long ago.
func (f *finishing) stillOpen(ctx context.Context) error {
	if f.Clock().Sub(f.seen) <= f.Lease/2 {
		return nil
	}
	now, err := f.read(ctx, f.primary)
	if err != nil {
		return err
	}
	f.done = now == nil || now.phase != committed || now.run != f.state.run
	f.seen = f.Clock()
	return nil
}

// complete turns another claim of a committed run into a held one. Whatever is not the run's own wanted claim any more has
// been completed, and has moved on since. text is what it says, if that is known.
func (s *Store) complete(ctx context.Context, name, primaryName string, primary *state, text string) error {
	if text != "" {
		st, err := parse(text)
		if err != nil {
			return err
		}
		ok, err := s.swap(ctx, name, text, closed(name, st.kind, primaryName, primary))
		if ok || err != nil {
			return err
		}
	}
	for {
		st, err := s.read(ctx, name)
		if err != nil || st == nil || st.phase != wanted || st.run != primary.run {
			return err
		}
		ok, err := s.swap(ctx, name, st.text, closed(name, st.kind, primaryName, primary))
		if ok || err != nil {
			return err
		}
	}
}
