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
	rest, err := s.moveIn(ctx, name, st, nil)
	if err != nil {
		return err
	}
	return rest(ctx, nil)
}

// closing ends a creation. texts has what the other claims say, as far as the caller knows.
type closing func(ctx context.Context, texts map[string]string) error

// moveIn makes a committed account usable and moves it into its place. Then whoever made it may be answered, and what it
// returns remains to be done. staged is the entry as it was added, nil for a stranger.
func (s *Store) moveIn(ctx context.Context, primary string, st *state, staged *directory.Entry) (closing, error) {
	if st.dn == "" {
		return nil, errCorrupt
	}
	seen := s.Clock() // when the claim was known to be committed
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
			return func(context.Context, map[string]string) error { return nil }, nil
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
	return func(ctx context.Context, texts map[string]string) error {
		return s.close(ctx, primary, st, texts, there, seen)
	}, nil
}

// whereIs looks for an entry once.
func (s *Store) whereIs(ctx context.Context, id plugin.ID) (directory.DN, error) {
	var entries []directory.Entry
	err := try(ctx, func() (err error) {
		entries, err = s.Operations.Search(ctx, s.Settings.Base, directory.Subtree, s.Server.IDFilter(string(id)), 2, "1.1")
		return err
	})
	if err != nil || len(entries) == 0 {
		return "", err
	}
	return entries[0].DN, nil
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

// close adds the account to its groups and turns the claims of its run into held ones, the primary last.
func (s *Store) close(ctx context.Context, primary string, st *state, texts map[string]string, there bool, seen time.Time) error {
	if there && len(st.groups) > 0 {
		if open, err := s.join(ctx, primary, st, seen); err != nil || !open {
			return err
		}
	}
	for _, name := range st.others {
		if err := s.complete(ctx, name, primary, st, texts[name]); err != nil {
			return err
		}
	}
	_, err := s.swap(ctx, primary, st.text, closed(primary, st.kind, primary, st))
	return err
}

// join adds the account to groups, by name and without a fence: only just after its claim was seen open. The hold on the
// username covers the rest. open is false when another has closed the creation.
func (s *Store) join(ctx context.Context, primary string, st *state, seen time.Time) (open bool, err error) {
	_, username := st.dn.RDN()
	if e, err := s.Operations.Read(ctx, st.dn, s.Settings.People.Username); err == nil && e.Value(s.Settings.People.Username) != "" {
		username = e.Value(s.Settings.People.Username)
	}
	member := entry.Member{DN: st.dn, ID: st.id, Username: username}
	for _, group := range st.groups {
		if s.Clock().Sub(seen) > s.Lease/2 {
			now, err := s.read(ctx, primary)
			if err != nil {
				return true, err
			}
			if now == nil || now.phase != committed || now.run != st.run {
				return false, nil
			}
			seen = s.Clock()
		}
		err := s.Settings.Join(ctx, s.Operations, group, member)
		if err != nil && !errors.Is(err, plugin.ErrInvalid) && !directory.Refused(err, directory.NoSuchObject) {
			return true, err
		}
	}
	return true, nil
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
