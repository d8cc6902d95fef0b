package plugintest_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

// updates is the reference store with another Update.
type updates struct {
	*memory
	update func(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error)
}

func (s updates) Update(ctx context.Context, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	return s.update(ctx, s.memory, id, c)
}

// seen makes a change replace what the store holds, whatever the caller has seen.
func seen(m *memory, id plugin.ID, c plugin.Change) plugin.Change {
	m.mu.Lock()
	defer m.mu.Unlock()
	e := m.accounts[id]
	if e == nil {
		return c
	}
	if c.Attributes != nil {
		c.Attributes = maps.Clone(c.Attributes)
		for name, change := range c.Attributes {
			change.Old = slices.Clone(e.account.Attributes[name])
			c.Attributes[name] = change
		}
	}
	if c.State != nil {
		c.State = &plugin.StateChange{Old: e.account.State, New: c.State.New}
	}
	return c
}

func overwrites(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	if c.Validate() == nil {
		c = seen(m, id, c)
	}
	return m.Update(ctx, id, c)
}

// comparesThenWrites has a gap between the two.
func comparesThenWrites(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	found, err := m.Get(ctx, id)
	if err != nil || c.Validate() != nil || c.Attributes == nil {
		return m.Update(ctx, id, c)
	}
	for name, change := range c.Attributes {
		if !sameSet(found.Attributes[name], change.Old) {
			return plugin.Account{}, plugin.ErrConflict
		}
	}
	time.Sleep(time.Millisecond)
	return m.Update(ctx, id, seen(m, id, c))
}

// oneByOne applies the attributes that fit.
func oneByOne(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (a plugin.Account, err error) {
	if len(c.Attributes) < 2 {
		return m.Update(ctx, id, c)
	}
	var failed error
	for name, change := range c.Attributes {
		if a, err = m.Update(ctx, id, plugin.Change{Attributes: map[string]plugin.AttributeChange{name: change}}); err != nil {
			failed = err
		}
	}
	return a, failed
}

// wantsTheOrder compares several values as a list.
func wantsTheOrder(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	found, _ := m.Get(ctx, id)
	for name, change := range c.Attributes {
		if len(change.Old) > 1 && !slices.Equal(found.Attributes[name], change.Old) {
			return plugin.Account{}, plugin.ErrConflict
		}
	}
	return m.Update(ctx, id, c)
}

// forgetsTheRest removes attributes that a change does not name.
func forgetsTheRest(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	a, err := m.Update(ctx, id, c)
	if err != nil || c.Attributes == nil {
		return a, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.accounts[id].account.Attributes, "givenName")
	return m.show(id)
}

// changesValuesOfKeys lets an identifier be written like any attribute.
func changesValuesOfKeys(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	a, err := m.Update(ctx, id, c)
	if c.Attributes != nil && errors.Is(err, plugin.ErrInvalid) && c.Validate() == nil {
		return m.Get(ctx, id)
	}
	return a, err
}

// writesTypesAsTexts forgets the types of changed values.
func writesTypesAsTexts(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	a, err := m.Update(ctx, id, c)
	if err != nil {
		return a, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, values := range m.accounts[id].account.Attributes {
		for i := range values {
			values[i].Type = plugin.TypeString
		}
	}
	return m.show(id)
}

// appliesTheFirst takes one change of several.
func appliesTheFirst(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	if c.State != nil && (c.Attributes != nil || c.Groups != nil || c.Identifier != nil) {
		c = plugin.Change{State: c.State}
	}
	return m.Update(ctx, id, c)
}

// changesNobody is happy to change an account that is not there.
func changesNobody(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	a, err := m.Update(ctx, id, c)
	if errors.Is(err, plugin.ErrNotFound) {
		return plugin.Account{ID: id, Username: "nobody"}, nil
	}
	return a, err
}

// takesEmptyTexts does not check what it writes.
func takesEmptyTexts(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	if c.Attributes != nil && c.Validate() != nil {
		return m.Get(ctx, id)
	}
	return m.Update(ctx, id, c)
}

// locksSoftly shows the lock, and lets the account in.
func locksSoftly(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	a, err := m.Update(ctx, id, c)
	if err == nil && c.State != nil && c.State.New.Locked {
		m.mu.Lock()
		m.accounts[id].account.State = plugin.State{}
		m.mu.Unlock()
	}
	return a, err
}

// refusesMembers has an error for groups that an account is in already.
func refusesMembers(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	if found, _ := m.Get(ctx, id); c.Groups != nil && len(c.Groups.Add) > 0 && slices.Contains(found.Groups, c.Groups.Add[0]) {
		return plugin.Account{}, plugin.ErrConflict
	}
	return m.Update(ctx, id, c)
}

// identifiers is a fault in changes of identifiers: it may alter the change and the state of the store.
func identifiers(alter func(m *memory, id plugin.ID, c *plugin.IdentifierChange)) func(context.Context, *memory, plugin.ID, plugin.Change) (plugin.Account, error) {
	return func(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
		if c.Identifier != nil && c.Validate() == nil {
			changed := *c.Identifier
			m.mu.Lock()
			alter(m, id, &changed)
			m.mu.Unlock()
			c.Identifier = &changed
		}
		return m.Update(ctx, id, c)
	}
}

func holdsNothing(_ *memory, _ plugin.ID, c *plugin.IdentifierChange) { c.Hold = 0 }

func holdsForEver(_ *memory, _ plugin.ID, c *plugin.IdentifierChange) { c.Hold += time.Hour }

func holdsFromItsOwner(m *memory, id plugin.ID, c *plugin.IdentifierChange) {
	if c.Add == nil {
		return
	}
	if h, known := m.keys[c.Add.Canonical]; known && h.owner == id && !h.until.IsZero() {
		h.owner = "nobody"
		m.keys[c.Add.Canonical] = h
	}
}

func stealsKeys(m *memory, id plugin.ID, c *plugin.IdentifierChange) {
	if c.Add != nil {
		delete(m.keys, c.Add.Canonical)
	}
}

func dropsAnything(m *memory, id plugin.ID, c *plugin.IdentifierChange) {
	if c.Drop != nil && (m.keys[c.Drop.Canonical].owner != id) {
		c.Drop = nil
		if c.Add == nil {
			c.Add = &plugin.Key{}
		}
	}
}

func changesLate(_ *memory, _ plugin.ID, c *plugin.IdentifierChange) {
	c.NotAfter = time.Now().Add(time.Hour)
}

func forgetsTheChange(_ *memory, _ plugin.ID, c *plugin.IdentifierChange) {
	c.Attempt = plugin.Attempt(strings.Repeat("0", 16) + strconv.FormatInt(time.Now().UnixNano(), 16))
}

func onlyAdds(_ *memory, _ plugin.ID, c *plugin.IdentifierChange) {
	if c.Add != nil {
		c.Drop = nil
	}
}

// addsMutely takes the key and does not show it.
func addsMutely(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	if _, err := m.Update(ctx, id, c); err != nil {
		return plugin.Account{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.accounts[id].account.Attributes, "mobile")
	return m.show(id)
}

// dropsSoftly does not show the key any more, and lets it log in.
func dropsSoftly(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	a, err := m.Update(ctx, id, c)
	if err == nil && c.Identifier != nil && c.Identifier.Drop != nil {
		m.mu.Lock()
		h := m.keys[c.Identifier.Drop.Canonical]
		h.until = time.Time{}
		m.keys[c.Identifier.Drop.Canonical] = h
		m.mu.Unlock()
	}
	return a, err
}

// looksThenAdds gives a key to everybody who finds it free.
func looksThenAdds(ctx context.Context, m *memory, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	if c.Identifier == nil || c.Identifier.Add == nil {
		return m.Update(ctx, id, c)
	}
	if _, err := m.Lookup(ctx, *c.Identifier.Add); err == nil {
		return plugin.Account{}, plugin.Taken(c.Identifier.Add.Attribute)
	}
	time.Sleep(time.Millisecond)
	m.mu.Lock()
	delete(m.keys, c.Identifier.Add.Canonical)
	m.mu.Unlock()
	return m.Update(ctx, id, c)
}
