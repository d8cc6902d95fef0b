package race

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// belated keeps one request back: its sender hears nothing, and the server gets it when the test says so.
type belated struct {
	directory.Operations
	name  string                  // modify or move
	which func(directory.DN) bool // of which entry
	mu    sync.Mutex
	kept  func() error
}

func (b *belated) keep(name string, dn directory.DN, send func() error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept != nil || name != b.name || !b.which(dn) {
		return send()
	}
	b.kept = send
	return fmt.Errorf("%s: %w", name, directory.ErrUnanswered)
}

func (b *belated) Modify(_ context.Context, dn directory.DN, changes []directory.Change, assert directory.Filter) error {
	return b.keep("modify", dn, func() error { return b.Operations.Modify(context.Background(), dn, changes, assert) })
}

func (b *belated) Move(_ context.Context, dn, to directory.DN, deleteOldRDN bool, assert directory.Filter) error {
	return b.keep("move", dn, func() error { return b.Operations.Move(context.Background(), dn, to, deleteOldRDN, assert) })
}

// arrive lets the request happen now.
func (b *belated) arrive(t *testing.T) error {
	t.Helper()
	if b.kept == nil {
		t.Fatal("no request was kept back")
	}
	return b.kept()
}

// unmarked is a connection that leaves the mark of entries out: without it nothing fences a late change.
type unmarked struct {
	directory.Operations
	mark string
}

func (u unmarked) Modify(ctx context.Context, dn directory.DN, changes []directory.Change, assert directory.Filter) error {
	var rest []directory.Change
	for _, c := range changes {
		if !strings.EqualFold(c.Name, u.mark) {
			rest = append(rest, c)
		}
	}
	return u.Operations.Modify(ctx, dn, rest, assert)
}

// TestLateRequests: what arrives when everybody else has gone on changes nothing.
func TestLateRequests(t *testing.T) {
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			a := enter(t, kind)
			a.settings.UsernameHold = 20 * time.Millisecond
			for name, late := range map[string]there{"an exchange": {a.exchange, a.exchange}, "a drop": {a.drop, a.add}} {
				t.Run(name+" that arrives when it has been changed back is refused", func(t *testing.T) {
					if !a.lateWrite(t, a.service, late) {
						t.Error("entry and claims differ")
					}
				})
				t.Run(name+" without the mark is not, so that this test can see", func(t *testing.T) {
					if a.lateWrite(t, unmarked{a.service, a.settings.Mark}, late) {
						t.Error("nothing happened")
					}
				})
			}
			t.Run("who stalls before reading the entry writes nothing when the change is over", a.lateReader)
			t.Run("a deletion does not reach whoever has the name by then", a.lateDeletion)
			t.Run("a creation that was moved in by another is not moved again", a.lateMove)
		})
	}
}

// there is a change, and what changes it back. Each gets the names that come and go.
type there struct {
	forth, back func(s *claim.Store, id plugin.ID, comes, goes token) error
}

func (a *arena) exchange(s *claim.Store, id plugin.ID, comes, goes token) error {
	return a.change(s, id, alias(comes), alias(goes))
}

func (a *arena) drop(s *claim.Store, id plugin.ID, _, goes token) error {
	return a.change(s, id, nil, alias(goes))
}

func (a *arena) add(s *claim.Store, id plugin.ID, comes, _ token) error {
	return a.change(s, id, alias(comes), nil)
}

func (a *arena) change(s *claim.Store, id plugin.ID, add, drop *plugin.Key) error {
	defer s.Wait()
	return s.Change(context.Background(), id, plugin.IdentifierChange{Attempt: newAttempt("", "", false).id, NotAfter: time.Now().Add(time.Minute), Add: add, Drop: drop})
}

func (a *arena) newcomer(t *testing.T, user, alias token) (plugin.ID, *attempt) {
	t.Helper()
	of := newAttempt(user, alias, false)
	p, s := a.spawn(luck{lease: a.lease})
	made, err := a.create(context.Background(), p, s, of)
	if err != nil {
		t.Fatal(err)
	}
	s.Wait()
	return made.ID, of
}

func (a *arena) clean(t *testing.T) {
	t.Helper()
	v := &violations{T: t, kinds: map[string]int{}}
	for range 3 { // the two halves of a hold, and what the first visit uncovered
		a.settle(v)
	}
}

// lateWrite changes an account, and the write is late; somebody finishes it, and changes back; then the write arrives. It tells
// whether entry and claims agree afterwards.
func (a *arena) lateWrite(t *testing.T, through directory.Operations, do there) bool {
	names := tokens(3)
	id, of := a.newcomer(t, names[0], names[1])
	late := &belated{Operations: through, name: "modify", which: func(dn directory.DN) bool { return dn.Under(a.settings.People.Base) }}
	if err := do.forth(a.over(late), id, names[2], names[1]); err == nil {
		t.Fatal("the lost write was answered")
	}
	a.clean(t)
	if err := do.back(a.over(through), id, names[1], names[2]); err != nil {
		t.Fatal(err)
	}
	err := late.arrive(t)
	v := &violations{T: t, kinds: map[string]int{}}
	s := a.look(v, names)
	e := s.accounts[string(id)]
	t.Logf("the late write: %v", err)
	return len(v.kinds) == 0 && len(e.Values("mail")) == 1 && e.Value("mail") == of.alias.mail()
}

// gated holds one look for an entry by its id back until the gate opens.
type gated struct {
	directory.Operations
	base          directory.DN
	once          sync.Once
	reached, gate chan struct{}
}

func (g *gated) Search(ctx context.Context, base directory.DN, scope directory.Scope, filter directory.Filter, limit int, attributes ...string) ([]directory.Entry, error) {
	if base.Equal(g.base) {
		g.once.Do(func() { close(g.reached); <-g.gate })
	}
	return g.Operations.Search(ctx, base, scope, filter, limit, attributes...)
}

// lateReader: a change is committed and not written. A janitor meets it and stalls; another finishes it, and the account
// changes back. The entry that the first one reads then has the new mark: only the claim, read after it, says that all is over.
func (a *arena) lateReader(t *testing.T) {
	names := tokens(3)
	id, of := a.newcomer(t, names[0], names[1])
	lost := &belated{Operations: a.service, name: "modify", which: func(dn directory.DN) bool { return dn.Under(a.settings.People.Base) }}
	if err := a.exchange(a.over(lost), id, names[2], names[1]); err == nil {
		t.Fatal("the lost write was answered")
	}
	g := &gated{Operations: a.service, base: a.settings.Base, reached: make(chan struct{}), gate: make(chan struct{})}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_, _ = a.over(g).Maintain(context.Background())
	}()
	<-g.reached
	a.clean(t)
	if err := a.exchange(a.lucky(), id, names[1], names[2]); err != nil {
		t.Error(err)
	}
	close(g.gate)
	<-done
	v := &violations{T: t, kinds: map[string]int{}}
	if e := a.look(v, names).accounts[string(id)]; len(v.kinds) > 0 || len(e.Values("mail")) != 1 || e.Value("mail") != of.alias.mail() {
		t.Error("the entry has the address that it had given up:", v)
	}
}

func (a *arena) lateDeletion(t *testing.T) {
	names := tokens(2)
	id, _ := a.newcomer(t, names[0], names[1])
	late := &belated{Operations: a.service, name: "move", which: func(directory.DN) bool { return true }}
	s := a.over(late)
	if err := s.Delete(context.Background(), id); err == nil {
		t.Fatal("the lost move was answered")
	}
	s.Wait()
	a.clean(t)
	time.Sleep(a.settings.UsernameHold)
	a.clean(t)
	time.Sleep(a.settings.UsernameHold)
	next, of := a.newcomer(t, names[0], names[1])
	t.Logf("the late move: %v", late.arrive(t))
	a.clean(t)
	v := &violations{T: t, kinds: map[string]int{}}
	found := a.look(v, names)
	e, there := found.accounts[string(next)]
	if !there {
		t.Fatal("the name's next owner is gone")
	}
	a.checkAccount(v, found, string(next), e, of, nil)
	if len(v.kinds) > 0 {
		t.Error(v)
	}
}

func (a *arena) lateMove(t *testing.T) {
	names := tokens(2)
	of := newAttempt(names[0], names[1], true)
	late := &belated{Operations: a.service, name: "move", which: func(directory.DN) bool { return true }}
	p := &process{Operations: late, tally: a.tally}
	s := a.over(p)
	if _, err := a.create(context.Background(), p, s, of); err == nil {
		t.Fatal("the lost move was answered")
	}
	s.Wait()
	a.clean(t)
	if err := late.arrive(t); err == nil {
		t.Error("it was moved twice")
	}
	v := &violations{T: t, kinds: map[string]int{}}
	found := a.look(v, names)
	for id, e := range found.accounts {
		a.checkAccount(v, found, id, e, of, nil)
	}
	if len(found.accounts) != 1 || len(v.kinds) > 0 {
		t.Error(len(found.accounts), v)
	}
}
