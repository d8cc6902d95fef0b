package claim

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// Config says where claims are and what they are for.
type Config struct {
	Operations directory.Operations
	Server     directory.Server
	Settings   *entry.Settings
	// Canonical returns the canonical key of a value as the host forms it; false where it forms none. It may be nil: then
	// an entry carries a key only if it has the very value, in whatever case.
	Canonical func(kind plugin.KeyKind, attribute, value string) (string, bool)
	// Clock is compared with deadlines that other processes wrote.
	Clock func() time.Time
	// Lease is the longest that a healthy process needs between seeing a claim and acting on it; 0: 15 seconds, the life of
	// an execution.
	Lease time.Duration
	Log   *slog.Logger
}

// Store holds identifiers. It is safe for use by many goroutines and any number of processes.
type Store struct {
	Config
	layout     layout
	executions executions
	closings   *closings
	// twinsTold is when the admin was last told about twins, in nanoseconds.
	twinsTold atomic.Int64
}

// New returns a Store.
func New(c Config) *Store {
	if c.Clock == nil {
		c.Clock = time.Now
	}
	if c.Lease <= 0 {
		c.Lease = plugin.CreateLifetime
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return &Store{Config: c, layout: layoutOf(c.Server.Kind), closings: newClosings()}
}

// Name is the name of the claim of a canonical key: a hash, so that nobody reads addresses in names and nothing has to be
// escaped.
func Name(canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return hex.EncodeToString(sum[:])[:nameDigits]
}

// newRun draws the name of an execution.
func newRun() string {
	b := make([]byte, runDigits/2)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

const claimAttribute = "cn"

func (s *Store) dn(name string) directory.DN {
	return s.Settings.Identifiers.Child(claimAttribute, name)
}

// looks is how often a missing entry is looked for before it is believed to be missing: 389 denies entries that are being
// changed, now and then.
const looks = 6

// pause lets whoever is at it go on.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

const shortPause = 3 * time.Millisecond

// try sends a request again that the server was too busy for.
func try(ctx context.Context, send func() error) error {
	for n := 0; ; n++ {
		err := send()
		if n == 8 || !directory.Refused(err, directory.Busy, directory.OperationsError) {
			return err
		}
		if err := pause(ctx, time.Duration(n+1)*shortPause); err != nil {
			return err
		}
	}
}

// read returns what a claim says, nil if there is none.
func (s *Store) read(ctx context.Context, name string) (*state, error) {
	for n := 1; ; n++ {
		var e directory.Entry
		err := try(ctx, func() (err error) {
			e, err = s.Operations.Read(ctx, s.dn(name), s.layout.attributes()...)
			return err
		})
		if directory.Refused(err, directory.NoSuchObject) {
			if s.Server.Kind != directory.DS389 || n == looks {
				return nil, nil
			}
			if err := pause(ctx, shortPause); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		return s.parsed(ctx, name, e)
	}
}

func (s *Store) parsed(ctx context.Context, name string, e directory.Entry) (*state, error) {
	values := e.Values(s.layout.state)
	if len(values) == 1 {
		if st, err := parse(values[0]); err == nil {
			st.notes = s.layout.read(e)
			return &st, nil
		}
	}
	s.Log.ErrorContext(ctx, "a claim cannot be read: look at the entry, which nobody touches until it is put right", "claim", name)
	return nil, errCorrupt
}

// add makes a claim. An *Error with EntryAlreadyExists says that there is one.
func (s *Store) add(ctx context.Context, name string, st state) error {
	attributes := []directory.Attribute{{Name: "objectClass", Values: []string{s.layout.class}}}
	if s.Server.Kind != directory.ActiveDirectory {
		attributes = append(attributes, directory.Attribute{Name: claimAttribute, Values: []string{name}})
	}
	attributes = append(attributes, directory.Attribute{Name: s.layout.state, Values: []string{st.String()}})
	for _, a := range s.layout.write(st.notes) {
		if len(a.Values) > 0 {
			attributes = append(attributes, a)
		}
	}
	return s.tryAdd(ctx, s.dn(name), attributes)
}

// tryAdd makes an entry. 389 denies that now and then, while the entry above is being changed.
func (s *Store) tryAdd(ctx context.Context, dn directory.DN, attributes []directory.Attribute) error {
	for n := 1; ; n++ {
		err := try(ctx, func() error { return s.Operations.Add(ctx, dn, attributes) })
		if s.Server.Kind != directory.DS389 || n == looks || !directory.Refused(err, directory.InsufficientAccessRights) {
			return err
		}
		if err := pause(ctx, shortPause); err != nil {
			return err
		}
	}
}

// swap is the one compare-and-swap: it replaces the text of a claim, if that is still what was read, and the notes with it.
func (s *Store) swap(ctx context.Context, name, text string, to state) (bool, error) {
	return s.swapText(ctx, name, text, to.String(), &to.notes)
}

// swapText replaces a text; nil leaves the notes as they are.
func (s *Store) swapText(ctx context.Context, name, from, to string, n *notes) (bool, error) {
	one := func(k directory.ChangeKind, text string) directory.Change {
		return directory.Change{Kind: k, Attribute: directory.Attribute{Name: s.layout.state, Values: []string{text}}}
	}
	changes := []directory.Change{one(directory.DeleteValues, from), one(directory.AddValues, to)}
	if n != nil {
		for _, a := range s.layout.write(*n) {
			changes = append(changes, directory.Change{Kind: directory.ReplaceValues, Attribute: a})
		}
	}
	for n := 1; ; n++ {
		err := try(ctx, func() error { return s.Operations.Modify(ctx, s.dn(name), changes, directory.Filter{}) })
		switch {
		case err == nil:
			return true, nil
		case directory.Refused(err, directory.NoSuchAttribute):
			return false, nil
		case directory.Refused(err, directory.NoSuchObject) && n < looks:
			if err := pause(ctx, shortPause); err != nil {
				return false, err
			}
		default:
			return false, err
		}
	}
}

// gone tells whether a refusal may mean that an entry is not there: 389 answers a write to a missing entry with 50, unless
// the entry above it grants the same right.
func (s *Store) gone(err error) bool {
	return directory.Refused(err, directory.NoSuchObject) ||
		s.Server.Kind == directory.DS389 && directory.Refused(err, directory.InsufficientAccessRights)
}

// refusedForGood tells whether the server has said no to a write, and will again: no lost connection and no busy server.
func refusedForGood(err error) bool {
	return directory.Refused(err, directory.InsufficientAccessRights, directory.ConstraintViolation, directory.InvalidAttributeSyntax,
		directory.ObjectClassViolation, directory.UnwillingToPerform, directory.UndefinedAttributeType, notAllowedOnRDN)
}

const notAllowedOnRDN uint16 = 67

// byID reads an entry, wherever it is; nil: many looks have not found it.
func (s *Store) byID(ctx context.Context, id plugin.ID, attributes ...string) (*directory.Entry, error) {
	for n := 1; ; n++ {
		e, err := s.lookByID(ctx, id, attributes...)
		if e != nil || err != nil || n == looks {
			return e, err
		}
		if err := pause(ctx, shortPause); err != nil {
			return nil, err
		}
	}
}

// Class is the object class of claims.
func (s *Store) Class() string { return s.layout.class }
