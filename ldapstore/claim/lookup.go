package claim

import (
	"context"
	"fmt"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Owner is who has a key.
type Owner struct {
	ID    plugin.ID
	Login bool
	Entry directory.Entry
}

// Lookup finds who has a key: claim and entry must agree. A value that an admin wrote by hand, and nobody claims, is found
// in its entry. attributes are read of it. Nobody is ErrNotFound.
func (s *Store) Lookup(ctx context.Context, k plugin.Key, attributes ...string) (Owner, error) {
	name := Name(k.Canonical)
	for range 8 {
		st, err := s.read(ctx, name)
		if err != nil {
			return Owner{}, err
		}
		switch {
		case st == nil || st.phase == free || st.phase == reserved && st.dn == "" && s.Clock().After(st.until):
			return s.unclaimed(ctx, k, attributes)
		case st.phase == reserved: // an admin may have given it back by hand
			return s.agreed(ctx, k, st, attributes)
		case st.phase == held || st.phase == locked || st.phase == losing || st.phase == keeping:
			return s.agreed(ctx, k, st, attributes)
		case st.phase == committed:
			err = s.finish(ctx, name, st)
		case st.phase == abandoned:
			err = s.abandon(ctx, name, st)
		case st.phase == wanted:
			var made bool
			if made, err = s.madeBy(ctx, name, st); err == nil && !made {
				return Owner{}, plugin.ErrNotFound
			}
		default:
			return Owner{}, plugin.ErrNotFound
		}
		if err != nil {
			return Owner{}, err
		}
	}
	return Owner{}, plugin.ErrUnavailable
}

// madeBy settles a wanted claim whose run has committed; false: it has not.
func (s *Store) madeBy(ctx context.Context, name string, st *state) (bool, error) {
	if st.primary == name {
		return false, nil
	}
	primary, err := s.read(ctx, st.primary)
	if err != nil || primary == nil || primary.run != st.run || primary.phase != committed && primary.phase != held {
		return false, err
	}
	_, err = s.settle(ctx, name, st, nil)
	return true, err
}

// agreed reads the entry of the account that a claim names, and whether it still carries the value.
func (s *Store) agreed(ctx context.Context, k plugin.Key, st *state, attributes []string) (Owner, error) {
	var entries []directory.Entry
	err := try(ctx, func() (err error) {
		entries, err = s.Operations.Search(ctx, s.Settings.People.Base, directory.Subtree, s.Server.IDFilter(string(st.id)), 1, append(s.readOfEntries(), attributes...)...)
		return err
	})
	if err != nil {
		return Owner{}, err
	}
	if len(entries) != 1 || !s.has(entries[0], k) {
		return Owner{}, plugin.ErrNotFound
	}
	return Owner{st.id, st.kind.login, entries[0]}, nil
}

// unclaimed finds the one entry that carries a value without a claim. Two of them are nobody.
func (s *Store) unclaimed(ctx context.Context, k plugin.Key, attributes []string) (Owner, error) {
	if s.Canonical == nil { // nobody could tell which values are this key
		return Owner{}, plugin.ErrNotFound
	}
	filter := s.Settings.Holding(k)
	var entries []directory.Entry
	err := try(ctx, func() (err error) {
		entries, err = s.Operations.Search(ctx, s.Settings.People.Base, directory.Subtree, filter, 2, append(s.readOfEntries(), attributes...)...)
		return err
	})
	if directory.Refused(err, directory.SizeLimitExceeded) || err == nil && len(entries) != 1 {
		if len(entries) > 1 {
			s.warnOfTwins(ctx, k, entries)
		}
		return Owner{}, plugin.ErrNotFound
	}
	if err != nil {
		return Owner{}, err
	}
	if !s.hasCanonical(entries[0], k) {
		return Owner{}, plugin.ErrNotFound
	}
	id := s.Server.EntryID(entries[0])
	if id == "" {
		return Owner{}, fmt.Errorf("%w: the service account may not read %s", plugin.ErrUnavailable, s.Server.IDAttribute())
	}
	return Owner{plugin.ID(id), k.Kind != plugin.KindUnique, entries[0]}, nil
}

// twinsPause is how long nothing more is said about twins: whoever knows of some may ask for them as often as he likes.
const twinsPause = time.Minute

// warnOfTwins tells the admin, who alone can help, about entries that share a value. The log gets their ids and no value.
func (s *Store) warnOfTwins(ctx context.Context, k plugin.Key, entries []directory.Entry) {
	now, last := s.Clock().UnixNano(), s.twinsTold.Load()
	if now-last < int64(twinsPause) || !s.twinsTold.CompareAndSwap(last, now) {
		return
	}
	var ids []string
	for _, e := range entries {
		ids = append(ids, s.Server.EntryID(e))
	}
	s.Log.WarnContext(ctx, "several entries have one value, so that nobody is found by it: leave it to one of them; 'narthex directory adopt' lists such values", "kind", k.Kind, "entries", ids)
}

// Resolve settles an attempt: what it has committed is finished and returned; otherwise nothing of it will ever commit, and
// it is ErrNotFound.
func (s *Store) Resolve(ctx context.Context, attempt plugin.Attempt, keys []plugin.Key) (plugin.ID, error) {
	s.executions.disarm(attempt)
	for _, k := range keys {
		id, err := s.resolve(ctx, attempt, Name(k.Canonical))
		if err != nil || id != "" {
			return id, err
		}
	}
	return "", plugin.ErrNotFound
}

func (s *Store) resolve(ctx context.Context, attempt plugin.Attempt, name string) (plugin.ID, error) {
	for range 8 {
		st, err := s.read(ctx, name)
		if err != nil {
			return "", err
		}
		if st == nil || st.attempt != attempt {
			return "", nil
		}
		switch st.phase {
		case committed:
			return st.id, s.finish(ctx, name, st)
		case held, locked, losing, keeping:
			return st.id, nil
		case wanted:
			asker := &run{attempt: attempt}
			if _, err := s.settle(ctx, name, st, asker); err != nil {
				return "", err
			}
		default:
			return "", nil
		}
	}
	return "", plugin.ErrUnavailable
}
