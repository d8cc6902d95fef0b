package plugintest_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/narthex/narthex/plugin"
)

// memory is a correct store with every capability, over which the broken ones are built.
type memory struct {
	mu       sync.Mutex
	accounts map[plugin.ID]*entry
	order    []plugin.ID // as created, never reordered
	keys     map[string]holding
	attempts map[plugin.Attempt]plugin.ID
	fences   map[plugin.Attempt]int // raised by Resolve
	next     int
}

type entry struct {
	account   plugin.Account
	password  plugin.Secret
	changedAt time.Time
}

type holding struct {
	key   plugin.Key
	owner plugin.ID
	until time.Time // zero: in use; otherwise dropped, and held back until then
}

func newMemory() *memory {
	return &memory{
		accounts: map[plugin.ID]*entry{}, keys: map[string]holding{},
		attempts: map[plugin.Attempt]plugin.ID{}, fences: map[plugin.Attempt]int{},
	}
}

func (m *memory) Describe(context.Context) (plugin.Description, error) {
	return plugin.Description{Name: "memory", Version: "1", ValueTypes: plugin.ValueTypes()}, nil
}

func (m *memory) Ping(ctx context.Context) error { return ctx.Err() }

func (m *memory) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	if err := a.Validate(); err != nil {
		return plugin.Account{}, err
	}
	fence := m.fence(a.Attempt)
	if err := ctx.Err(); err != nil {
		return plugin.Account{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if id, done := m.attempts[a.Attempt]; done {
		return m.show(id)
	}
	if m.fences[a.Attempt] != fence {
		return plugin.Account{}, plugin.ErrUnavailable
	}
	for _, k := range a.Keys {
		if !m.free(k, "") {
			return plugin.Account{}, plugin.Taken(k.Attribute)
		}
	}
	if time.Now().After(a.NotAfter) {
		return plugin.Account{}, plugin.ErrUnavailable
	}
	return m.commit(a)
}

func (m *memory) fence(attempt plugin.Attempt) int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.fences[attempt]
}

// commit stores an account whose keys are free.
func (m *memory) commit(a plugin.NewAccount) (plugin.Account, error) {
	m.next++
	id := plugin.ID(fmt.Sprintf("m%d", m.next))
	m.accounts[id] = &entry{account: a.Account(id, time.Now()), password: a.Password, changedAt: time.Now()}
	m.order = append(m.order, id)
	m.attempts[a.Attempt] = id
	for _, k := range a.Keys {
		m.keys[k.Canonical] = holding{key: k, owner: id}
	}
	return m.show(id)
}

// free tells whether an account may take a key.
func (m *memory) free(k plugin.Key, id plugin.ID) bool {
	h, known := m.keys[k.Canonical]
	return !known || !h.until.IsZero() && (h.owner == id || !h.until.After(time.Now()))
}

func (m *memory) show(id plugin.ID) (plugin.Account, error) {
	e, ok := m.accounts[id]
	if !ok {
		return plugin.Account{}, plugin.ErrNotFound
	}
	a := e.account
	a.Groups = slices.Clone(a.Groups)
	a.Attributes = plugin.Attributes{}
	for name, values := range e.account.Attributes {
		a.Attributes[name] = slices.Clone(values)
	}
	return a, nil
}

func (m *memory) Resolve(ctx context.Context, attempt plugin.Attempt, _ []plugin.Key) (plugin.Account, error) {
	if err := attempt.Validate(); err != nil {
		return plugin.Account{}, err
	}
	if err := ctx.Err(); err != nil {
		return plugin.Account{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.fences[attempt]++
	return m.show(m.attempts[attempt])
}

func (m *memory) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, err
	}
	if err := ctx.Err(); err != nil {
		return plugin.Account{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.keys[k.Canonical]
	if !h.until.IsZero() {
		return plugin.Account{}, plugin.ErrNotFound
	}
	return m.show(h.owner)
}

func (m *memory) Get(ctx context.Context, id plugin.ID) (plugin.Account, error) {
	if err := id.Validate(); err != nil {
		return plugin.Account{}, err
	}
	if err := ctx.Err(); err != nil {
		return plugin.Account{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.show(id)
}

func (m *memory) Delete(ctx context.Context, id plugin.ID) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.accounts, id)
	maps.DeleteFunc(m.keys, func(_ string, h holding) bool { return h.owner == id })
	return nil
}

func (m *memory) Authenticate(ctx context.Context, k plugin.Key, p plugin.Secret) (plugin.Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return plugin.Account{}, err
	}
	if err := ctx.Err(); err != nil {
		return plugin.Account{}, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	h := m.keys[k.Canonical]
	e := m.accounts[h.owner]
	if e == nil || p.Empty() || !h.until.IsZero() || !h.key.Login || e.account.State.Locked || !e.password.Equal(p) {
		return plugin.Account{}, plugin.ErrDenied
	}
	return m.show(h.owner)
}

func (m *memory) SetPassword(ctx context.Context, id plugin.ID, p plugin.Secret) error {
	if p.Empty() {
		return plugin.Refused(plugin.PasswordField, plugin.CodeTooShort)
	}
	if err := p.Validate(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.accounts[id]
	if !ok {
		return plugin.ErrNotFound
	}
	e.password, e.changedAt = p, time.Now()
	return nil
}

func (m *memory) Maintain(ctx context.Context) (plugin.MaintainReport, error) {
	return plugin.MaintainReport{}, ctx.Err()
}

func (m *memory) Statuses(ctx context.Context, ids []plugin.ID) ([]plugin.Status, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []plugin.Status
	for _, id := range ids {
		s := plugin.Status{ID: id}
		if e := m.accounts[id]; e != nil {
			s.Usable = !e.account.State.Locked && !e.password.Empty()
			s.PasswordChangedAt = e.changedAt.UTC().Truncate(time.Second)
		}
		list = append(list, s)
	}
	return list, nil
}
