package plugintest_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

func (m *memory) Update(ctx context.Context, id plugin.ID, c plugin.Change) (plugin.Account, error) {
	if err := c.Validate(); err != nil {
		return plugin.Account{}, err
	}
	if err := ctx.Err(); err != nil {
		return plugin.Account{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.accounts[id]
	if !ok {
		return plugin.Account{}, plugin.ErrNotFound
	}
	if err := m.apply(id, e, c); err != nil {
		return plugin.Account{}, err
	}
	return m.show(id)
}

func (m *memory) apply(id plugin.ID, e *entry, c plugin.Change) error {
	switch {
	case c.State != nil:
		if e.account.State.Locked != c.State.Old.Locked {
			return plugin.ErrConflict
		}
		e.account.State = c.State.New
		return nil
	case c.Groups != nil:
		e.account.Groups = slices.DeleteFunc(e.account.Groups, func(g string) bool { return slices.Contains(c.Groups.Remove, g) })
		for _, g := range c.Groups.Add {
			if !slices.Contains(e.account.Groups, g) {
				e.account.Groups = append(e.account.Groups, g)
			}
		}
		return nil
	case c.Identifier != nil:
		return m.exchange(id, e, c.Identifier)
	}
	for name, change := range c.Attributes {
		for _, h := range m.keys {
			if h.owner == id && h.until.IsZero() && h.key.Attribute == name {
				return plugin.Refused(name, plugin.CodeReadOnly)
			}
		}
		if !sameSet(e.account.Attributes[name], change.Old) {
			return fmt.Errorf("attribute %s: %w", name, plugin.ErrConflict)
		}
	}
	for name, change := range c.Attributes {
		e.account.Attributes[name] = slices.Clone(change.New)
	}
	return nil
}

func (m *memory) exchange(id plugin.ID, e *entry, c *plugin.IdentifierChange) error {
	if _, done := m.attempts[c.Attempt]; done {
		return nil
	}
	if c.Drop != nil {
		if h, known := m.keys[c.Drop.Canonical]; !known || h.owner != id || !h.until.IsZero() {
			return plugin.ErrConflict
		}
	}
	if c.Add != nil && !m.free(*c.Add, id) {
		return plugin.Taken(c.Add.Attribute)
	}
	if time.Now().After(c.NotAfter) {
		return plugin.ErrUnavailable
	}
	m.attempts[c.Attempt] = id
	attributes := e.account.Attributes
	if c.Drop != nil {
		h := m.keys[c.Drop.Canonical]
		h.until = time.Now().Add(c.Hold)
		m.keys[c.Drop.Canonical] = h
		attributes[h.key.Attribute] = slices.DeleteFunc(attributes[h.key.Attribute], func(v plugin.Value) bool { return v.Text == h.key.Value })
	}
	if c.Add != nil {
		m.keys[c.Add.Canonical] = holding{key: *c.Add, owner: id}
		attributes[c.Add.Attribute] = append(attributes[c.Add.Attribute], plugin.StringValue(c.Add.Value))
	}
	return nil
}

func sameSet(a, b []plugin.Value) bool {
	if len(a) != len(b) {
		return false
	}
	for _, v := range a {
		if !slices.Contains(b, v) {
			return false
		}
	}
	return true
}

// List has the position in the order of creation as its token, which deletions do not move.
func (m *memory) List(ctx context.Context, q plugin.ListQuery) (plugin.Page, error) {
	if err := q.Validate(); err != nil {
		return plugin.Page{}, err
	}
	if err := ctx.Err(); err != nil {
		return plugin.Page{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	from := 0
	if q.After != "" {
		n, err := strconv.Atoi(strings.TrimPrefix(q.After, "after:"))
		if err != nil || n < 0 || n > len(m.order) || !strings.HasPrefix(q.After, "after:") {
			return plugin.Page{}, plugin.ErrInvalid
		}
		from = n
	}
	var page plugin.Page
	for i, id := range m.order[from:] {
		if len(page.Accounts) == q.Limit {
			page.Next = fmt.Sprintf("after:%d", from+i)
			break
		}
		if a, err := m.show(id); err == nil {
			page.Accounts = append(page.Accounts, a)
		}
	}
	return page, nil
}

// CheckSchema knows every attribute and keeps texts of any length that the contract allows.
func (m *memory) CheckSchema(ctx context.Context, uses []plugin.AttributeUse) (plugin.SchemaReport, error) {
	var report plugin.SchemaReport
	for _, u := range uses {
		problem := ""
		switch {
		case u.MaxBytes > plugin.MaxValueBytes:
			problem = "the text may become too long"
		case !u.Encoding.Fits(u.Type):
			problem = "the encoding is for another type"
		}
		if problem != "" {
			report.Findings = append(report.Findings, plugin.SchemaFinding{
				Item: u.Item, Flow: u.Flow, Step: u.Step, Attribute: u.Attribute, Problem: problem, Fix: "change the item",
			})
		}
	}
	return report, ctx.Err()
}

var (
	_ plugin.Authenticator  = (*memory)(nil)
	_ plugin.PasswordSetter = (*memory)(nil)
	_ plugin.Updater        = (*memory)(nil)
	_ plugin.Lister         = (*memory)(nil)
	_ plugin.Maintainer     = (*memory)(nil)
	_ plugin.StatusReader   = (*memory)(nil)
	_ plugin.SchemaChecker  = (*memory)(nil)
)
