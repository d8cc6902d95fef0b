package claim

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// stage looks for people who have one of the names without a claim, adds the complete entry where nobody sees it, sets its
// password and reads its id. The search may go on beside the Add, and the id be read beside the password.
func (m *creation) stage(ctx context.Context) (plugin.ID, error) {
	err := both(func() error { return m.search(ctx) }, func() error { return m.addStaged(ctx) })
	if err != nil {
		return "", err
	}
	dn := m.staged.DN
	var id plugin.ID
	err = both(func() error { return m.setPassword(ctx, dn) }, func() (err error) {
		id, err = m.readID(ctx, dn)
		return err
	})
	return id, err
}

// both runs two requests at once. A taken or refused field is what the person must hear of, the first one first.
func both(first, second func() error) error {
	var errFirst error
	var all sync.WaitGroup
	all.Go(func() { errFirst = first() })
	errSecond := second()
	all.Wait()
	if errFirst == nil || errSecond != nil && !telling(errFirst) && telling(errSecond) {
		return errSecond
	}
	return errFirst
}

func telling(err error) bool {
	var field *plugin.FieldError
	return errors.As(err, &field)
}

// search finds entries that somebody else made with one of the values.
func (m *creation) search(ctx context.Context) error {
	filter, attributes := m.carrying(m.Keys)
	var entries []directory.Entry
	err := try(ctx, func() (err error) {
		entries, err = m.Operations.Search(ctx, m.Settings.People.Base, directory.Subtree, filter, 5, attributes...)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for people with the names: %w", err)
	}
	if len(entries) == 0 {
		return nil
	}
	for _, k := range m.Keys {
		for _, e := range entries {
			if m.has(e, k) {
				return plugin.Taken(k.Attribute)
			}
		}
	}
	return plugin.Taken(m.Keys[0].Attribute)
}

// carrying is the filter for entries with the value of one of the keys, and the attributes to read of them.
func (s *Store) carrying(keys []plugin.Key) (directory.Filter, []string) {
	var filters []directory.Filter
	var attributes []string
	for _, k := range keys {
		for _, a := range s.attributesOf(k.Kind) {
			filters, attributes = append(filters, directory.Equal(a, k.Value)), append(attributes, a)
		}
	}
	return directory.Or(filters...), attributes
}

// attributesOf are the directory attributes that hold keys of a kind.
func (s *Store) attributesOf(k plugin.KeyKind) []string {
	if k == plugin.KindUsername {
		return []string{s.Settings.People.Username}
	}
	return s.Settings.Keys[k]
}

// has tells whether an entry carries a key: its very value, in whatever case, or one with the same canonical key.
func (s *Store) has(e directory.Entry, k plugin.Key) bool {
	for _, a := range s.attributesOf(k.Kind) {
		if contains(e, a, k.Value) {
			return true
		}
	}
	return s.hasCanonical(e, k)
}

// hasCanonical tells whether an entry carries a value with a canonical key.
func (s *Store) hasCanonical(e directory.Entry, k plugin.Key) bool {
	if s.Canonical == nil {
		return false
	}
	for _, a := range s.attributesOf(k.Kind) {
		for _, v := range e.Values(a) {
			if canonical, ok := s.Canonical(k.Kind, s.Settings.FlowAttribute(a), v); ok && canonical == k.Canonical {
				return true
			}
		}
	}
	return false
}

// collisions is how often an entry of a dead run may be in the way: Active Directory, and uniqueness checks over the whole
// tree, allow a name once, staged or not.
const collisions = 3

func (m *creation) addStaged(ctx context.Context) error {
	dn, attributes := m.Settings.Stage(m.draft, stagedName(m.id, m.primary))
	m.staged = directory.Entry{DN: dn, Attributes: attributes}
	for n := 0; ; n++ {
		err := m.tryAdd(ctx, dn, attributes)
		if err == nil {
			return nil
		}
		if n < collisions && directory.Refused(err, directory.EntryAlreadyExists, directory.ConstraintViolation) {
			removed, alive, errClear := m.clearStaged(ctx)
			switch {
			case errClear != nil:
				return errClear
			case removed:
				continue
			case alive:
				return fmt.Errorf("another execution has staged one of the names: %w: %w", plugin.ErrUnavailable, err)
			}
			if errTaken := m.searchElsewhere(ctx); errTaken != nil {
				return errTaken
			}
		}
		if directory.Refused(err, directory.EntryAlreadyExists) {
			return fmt.Errorf("another entry is in the way: %w: %w", plugin.ErrUnavailable, err)
		}
		return fmt.Errorf("stage the entry: %w", m.refused(err))
	}
}

// clearStaged removes entries of dead runs that hold one of the names. alive: an entry of a live run stays, so that this run
// is the dead one.
func (m *creation) clearStaged(ctx context.Context) (removed, alive bool, err error) {
	filter, _ := m.carrying(m.Keys)
	var entries []directory.Entry
	err = try(ctx, func() (err error) {
		entries, err = m.Operations.Search(ctx, m.Settings.Pending, directory.OneLevel, filter, 0, "1.1")
		return err
	})
	if err != nil {
		return false, false, err
	}
	for _, e := range entries {
		dead, err := m.sweep(ctx, e.DN)
		if err != nil {
			return removed, alive, err
		}
		removed, alive = removed || dead, alive || !dead
	}
	return removed, alive, nil
}

// searchElsewhere finds whoever has one of the names outside people, where Active Directory and uniqueness checks over the
// whole tree see them, too: a service account, a computer.
func (m *creation) searchElsewhere(ctx context.Context) error {
	filter, attributes := m.carrying(m.Keys)
	var entries []directory.Entry
	err := try(ctx, func() (err error) {
		entries, err = m.Operations.Search(ctx, m.Settings.Base, directory.Subtree, filter, 5, attributes...)
		return err
	})
	if err != nil {
		return fmt.Errorf("look for others with the names: %w", err)
	}
	for _, k := range m.Keys {
		for _, e := range entries {
			if !e.DN.Under(m.Settings.Pending) && m.has(e, k) {
				return plugin.Taken(k.Attribute)
			}
		}
	}
	return nil
}

func (m *creation) setPassword(ctx context.Context, dn directory.DN) error {
	if m.SetPassword == nil {
		return nil
	}
	if err := try(ctx, func() error { return m.SetPassword(ctx, dn) }); err != nil {
		return entry.PasswordRefusal(err)
	}
	changes := m.Settings.AfterPassword(m.draft)
	if len(changes) == 0 {
		return nil
	}
	return try(ctx, func() error { return m.Operations.Modify(ctx, dn, changes, directory.Filter{}) })
}

func (m *creation) readID(ctx context.Context, dn directory.DN) (id plugin.ID, err error) {
	var e directory.Entry
	err = try(ctx, func() (err error) {
		e, err = m.Operations.Read(ctx, dn, m.Server.IDAttribute())
		return err
	})
	if err != nil {
		return "", fmt.Errorf("read the id: %w", err)
	}
	if id = plugin.ID(m.Server.EntryID(e)); id == "" {
		err = errors.New("the service account may not read " + m.Server.IDAttribute())
	}
	return id, err
}

// refused turns the refusal of an entry into a violation of the field that it is about, as far as the server's text tells.
func (m *creation) refused(err error) error {
	err = m.Settings.Refusal(err, m.draft)
	content := []uint16{directory.InvalidAttributeSyntax, directory.ConstraintViolation, directory.ObjectClassViolation,
		directory.UndefinedAttributeType, directory.NamingViolation, directory.InvalidDNSyntax}
	if m.Server.Kind == directory.ActiveDirectory { // elsewhere it means a server that takes no writes for a while
		content = append(content, directory.UnwillingToPerform)
	}
	if !errors.Is(err, plugin.ErrInvalid) && directory.Refused(err, content...) {
		return fmt.Errorf("%w: %w", plugin.ErrInvalid, err)
	}
	return err
}
