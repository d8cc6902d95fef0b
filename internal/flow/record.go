package flow

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/narthex/narthex/plugin"
)

// Record is what is known of the person so far. It exists in clear only during a trip: in its row it is sealed.
type Record struct {
	Locale   string `json:"locale"`
	ReturnTo string `json:"return_to,omitempty"`
	// Done has the names of the steps that have been gone through.
	Done map[string]bool `json:"done,omitempty"`
	// Values by item, typed.
	Values   map[string]plugin.Value `json:"values,omitempty"`
	Username string                  `json:"username,omitempty"`
	Password plugin.Secret           `json:"-"`
	// Codes by step: what the verification waits for.
	Codes map[string]IssuedCode `json:"codes,omitempty"`
	// Counted has the verifications whose attempts are being counted: a counter starts once.
	Counted map[string]bool `json:"counted,omitempty"`
	// Proofs by item: the value that was proved, exactly as typed. It proves no other one.
	Proofs map[string]string `json:"proofs,omitempty"`
	// Guessed is how many guesses it took to prove an address, by its limit key; they are given back at the end.
	Guessed map[string]int `json:"guessed,omitempty"`
	// Charged is set once the registration has taken from the budget of finished ones.
	Charged bool `json:"charged,omitempty"`
	// Sent is every message so far.
	Sent []Sent `json:"sent,omitempty"`
	// Account is what is being created, from the first execution on.
	Account *Draft `json:"account,omitempty"`
}

// IssuedCode is a code that was sent: its keyed hash, never the code.
type IssuedCode struct {
	MAC []byte `json:"mac"`
	// Address is where it went, as typed.
	Address   string    `json:"address"`
	IssuedAt  time.Time `json:"issued_at"`
	ExpiresAt time.Time `json:"expires_at"`
}

// clockSlack is how far the clock may have gone back since a code was issued.
const clockSlack = time.Minute

// alive tells whether the code counts at a time. A clock that goes back does not make it live longer.
func (c IssuedCode) alive(now time.Time) bool {
	return now.Before(c.ExpiresAt) && !now.Before(c.IssuedAt.Add(-clockSlack))
}

// Sent notes one message.
type Sent struct {
	// To is the address without tags and dots.
	To string    `json:"to"`
	At time.Time `json:"at"`
}

// Draft is an account on its way, without its password: that one stays in the record. One draft has one content.
type Draft struct {
	Attempt    plugin.Attempt    `json:"attempt"`
	Keys       []plugin.Key      `json:"keys"`
	Attributes plugin.Attributes `json:"attributes"`
}

// proves tells whether the item's present value has been proved.
func (r *Record) proves(i *Item) bool {
	v, ok := r.Values[i.Name]
	return ok && r.Proofs[i.Name] == v.Text
}

// has tells whether the record holds a value of the item's present type.
func (r *Record) has(i *Item) bool {
	if i.Type == ItemPassword {
		return !r.Password.Empty()
	}
	v, ok := r.Values[i.Name]
	return ok && v.Type == valueTypes[i.Type]
}

// sentTo lists the messages to one address.
func (r *Record) sentTo(to string) []Sent {
	return slices.DeleteFunc(slices.Clone(r.Sent), func(s Sent) bool { return s.To != to })
}

// apply carries out what a step wants to happen to the record.
func (r *Record) apply(step string, e Effects) {
	if e.Entered != nil {
		r.enter(e.Entered)
	}
	if e.Username != "" {
		r.Username = e.Username
	}
	if e.Code != nil {
		put(&r.Codes, step, *e.Code)
	}
	if e.Proved != nil {
		put(&r.Proofs, e.Proved.Name, r.Values[e.Proved.Name].Text)
		delete(r.Codes, step)
	}
	if e.Account != nil {
		r.Account = e.Account
	}
	if !e.Wait && e.Account == nil {
		put(&r.Done, step, true)
	}
}

func (r *Record) enter(e *Entered) {
	for _, i := range e.Items {
		if i.Type == ItemPassword {
			r.Password = e.Password
			continue
		}
		delete(r.Values, i.Name)
		if v, ok := e.Values[i.Name]; ok {
			put(&r.Values, i.Name, v)
		}
	}
}

// reopen makes a step undone: the trip leads to it again. Codes that wait are dead.
func (r *Record) reopen(step string) {
	delete(r.Done, step)
	r.Codes = nil
	r.Account = nil
}

func put[V any](m *map[string]V, key string, v V) {
	if *m == nil {
		*m = map[string]V{}
	}
	(*m)[key] = v
}

// sealedRecord is the record's form inside the seal, the only place where a password is written out.
type sealedRecord struct {
	*Record
	Password string `json:"password,omitempty"`
}

func (r *Record) encode() ([]byte, error) {
	b, err := json.Marshal(sealedRecord{r, r.Password.Reveal()}) //nolint:gosec // it is sealed at once
	if err != nil {
		return nil, fmt.Errorf("encode registration: %w", err)
	}
	return b, nil
}

func decodeRecord(b []byte) (*Record, error) {
	s := sealedRecord{Record: &Record{}}
	if err := json.Unmarshal(b, &s); err != nil {
		return nil, fmt.Errorf("decode registration: %w", err)
	}
	s.Record.Password = plugin.NewSecret(s.Password)
	return s.Record, nil
}
