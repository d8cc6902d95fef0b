package ldapstore

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// Get implements plugin.Persister.
func (s *Store) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	if err := id.Validate(); err != nil {
		return plugin.Account{}, err
	}
	if a, ok := s.glanceAt(ctx, id); ok {
		return a, nil
	}
	e, err := s.entry(ctx, id)
	if err != nil {
		return plugin.Account{}, reading("get", err)
	}
	return s.account(e)
}

// entry finds an account's entry by its id, where accounts stand and nowhere else: what is staged or being deleted is no
// account.
func (s *Store) entry(ctx context.Context, id plugin.ID) (directory.Entry, error) {
	return s.entryAt(ctx, s.ops, id)
}

// entryAt is entry at the writer or a reader.
func (s *Store) entryAt(ctx context.Context, at directory.Operations, id plugin.ID) (directory.Entry, error) {
	found, err := at.Search(ctx, s.settings.People.Base, directory.OneLevel, s.accounts(s.server.IDFilter(string(id))), 1, s.settings.ReadAttributes()...)
	if err != nil && !directory.Refused(err, directory.NoSuchObject) {
		return directory.Entry{}, err
	}
	if len(found) == 0 {
		return directory.Entry{}, plugin.ErrNotFound
	}
	return found[0], nil
}

// accounts narrows a filter to entries that are accounts.
func (s *Store) accounts(filter directory.Filter) directory.Filter {
	return directory.And(filter, s.settings.Accounts())
}

// account shows an entry. One without a username is none of ours.
func (s *Store) account(e directory.Entry) (plugin.Account, error) {
	a, err := s.settings.Parse(e, s.now())
	if errors.Is(err, entry.ErrNoAccount) {
		return plugin.Account{}, fmt.Errorf("%w: %w", plugin.ErrNotFound, err)
	}
	return a, err
}

// statusBatch is how many ids one search asks for.
const statusBatch = 50

// Statuses implements plugin.StatusReader.
func (s *Store) Statuses(ctx context.Context, ids []plugin.ID) ([]plugin.Status, error) {
	var all []plugin.Status
	for some := range slices.Chunk(ids, statusBatch) {
		found, err := s.statuses(ctx, some)
		if err != nil {
			return nil, reading("statuses", err)
		}
		all = append(all, found...)
	}
	return all, nil
}

func (s *Store) statuses(ctx context.Context, ids []plugin.ID) ([]plugin.Status, error) {
	entries := map[plugin.ID]directory.Entry{}
	var filters []directory.Filter
	for _, id := range ids {
		filters = append(filters, s.server.IDFilter(string(id)))
	}
	withPassword, err := s.withPassword(ctx, filters)
	if err != nil {
		return nil, err
	}
	found, err := s.ops.Search(ctx, s.settings.People.Base, directory.OneLevel, s.accounts(directory.Or(filters...)), len(filters), s.settings.ReadAttributes()...)
	if err != nil {
		return nil, err
	}
	for _, e := range found {
		if id, err := s.settings.ID(e); err == nil {
			entries[id] = e
		}
	}
	var all []plugin.Status
	for _, id := range ids {
		status := plugin.Status{ID: id}
		if e, there := entries[id]; there {
			status = s.settings.Status(id, e, s.now())
			status.Usable = status.Usable && withPassword(id)
		}
		all = append(all, status)
	}
	return all, nil
}

// withPassword tells which accounts have a password: the service account may not read it, but ask whether there is one. On
// Active Directory nobody may; there, no password has ever been set where pwdLastSet is 0, which Status knows.
func (s *Store) withPassword(ctx context.Context, ids []directory.Filter) (func(plugin.ID) bool, error) {
	if !s.seesPasswords {
		return func(plugin.ID) bool { return true }, nil
	}
	filter := directory.And(directory.Or(ids...), directory.Present("userPassword"))
	found, err := s.ops.Search(ctx, s.settings.People.Base, directory.OneLevel, filter, len(ids), s.server.IDAttribute())
	if err != nil {
		return nil, err
	}
	have := map[plugin.ID]bool{}
	for _, e := range found {
		have[plugin.ID(s.server.EntryID(e))] = true
	}
	return func(id plugin.ID) bool { return have[id] }, nil
}
