package flow_test

import (
	"fmt"
	"sync"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/state"
)

// mailbox stands in for the worker: it decides as the worker does, after the commit, who gets what.
type mailbox struct {
	w        *world
	mu       sync.Mutex
	composed map[string]flow.Mail
	received []letter
	locale   string // of the last one
}

type letter struct {
	to, code string
	notice   bool
}

func (m *mailbox) Compose(mail flow.Mail, locale string) (state.Message, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.locale = locale
	if m.composed == nil {
		m.composed = map[string]flow.Mail{}
	}
	id := fmt.Sprintf("message-%d", len(m.composed))
	m.composed[id] = mail
	return state.Message{ID: id, Sealed: []byte("sealed"), ExpiresAt: mail.ExpiresAt}, nil
}

func (m *mailbox) Enqueue(messages ...state.Message) {
	for _, message := range messages {
		m.mu.Lock()
		mail := m.composed[message.ID]
		m.mu.Unlock()
		l := letter{to: mail.To, code: mail.Code}
		if mail.Stealth {
			if _, err := m.w.store.find(mail.Key.Canonical); err == nil {
				l = letter{to: mail.To, notice: true}
			}
		}
		m.mu.Lock()
		m.received = append(m.received, l)
		m.mu.Unlock()
	}
}

// letters returns what an address has received.
func (m *mailbox) letters(to string) []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []letter
	for _, l := range m.received {
		if l.to == to {
			all = append(all, l)
		}
	}
	return all
}

// code returns the newest code for an address.
func (m *mailbox) code(to string) string {
	m.w.Helper()
	all := m.letters(to)
	if len(all) == 0 {
		m.w.Fatalf("no mail for %s", to)
	}
	return all[len(all)-1].code
}

// takeAll returns everything that was received since the last call.
func (m *mailbox) takeAll() []letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	all := m.received
	m.received = nil
	return all
}
