package plugintest

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/narthex/narthex/plugin"
)

func overtakeRules() []rule {
	return []rule{{
		name:  "Resolve/one that overtakes an execution under way settles it for good",
		law:   "after ErrNotFound no execution of the attempt that began earlier can ever commit: Resolve waits for it or makes it powerless, also when the host asks too early",
		check: resolveOvertakes,
	}}
}

// A Resolve that was sent after a Create may still arrive first, and then the Create may commit. So one contradiction
// proves nothing, most of many do; and only where a Create takes its time, because a quick one cannot be overtaken from
// outside. What must hold in every order is judged each time.
const (
	overtakings     = 20
	worthOvertaking = 5 * time.Millisecond
)

// overtaken is an execution and what Resolve said during it and afterwards.
type overtaken struct {
	a                plugin.NewAccount
	made, final      plugin.Account
	created          error
	during, resolved error
}

func resolveOvertakes(t TB, s *store) {
	usual := s.quickestCreate(t)
	contradictions := 0
	var settled []overtaken
	for range overtakings {
		// Early: a store may be open to this only until it takes its lock. But not at once, so that Create is there first.
		o := s.overtake(min(usual/4, time.Millisecond) + rand.N(max(usual/4, 1))) //nolint:gosec // spreads a test, guards nothing
		s.judgeOvertaken(t, o)
		if errors.Is(o.during, plugin.ErrNotFound) && o.resolved == nil {
			contradictions++
		}
		settled = append(settled, o)
	}
	if usual >= worthOvertaking && contradictions > overtakings/2 {
		t.Errorf("%d of %d executions committed although Resolve, asked while they were under way, said ErrNotFound", contradictions, overtakings)
	}
	time.Sleep(max(2*usual, 50*time.Millisecond))
	for _, o := range settled {
		if errors.Is(o.resolved, plugin.ErrNotFound) {
			s.absent(t, "long after Resolve found nothing", o.a.Keys...)
		}
	}
}

// quickestCreate is how long a Create takes at least.
func (s *store) quickestCreate(t TB) time.Duration {
	t.Helper()
	quickest := time.Hour
	for range 3 {
		began := time.Now()
		s.create(t, s.person())
		quickest = min(quickest, time.Since(began))
	}
	return quickest
}

// overtake starts an execution, resolves it after a while, and once more when it has answered.
func (s *store) overtake(after time.Duration) overtaken {
	o := overtaken{a: s.person()}
	began, answered := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(answered)
		close(began)
		o.made, o.created = s.Create(s.ctx, o.a)
	}()
	<-began
	time.Sleep(after)
	_, o.during = s.Resolve(s.ctx, o.a.Attempt, o.a.Keys)
	<-answered
	o.final, o.resolved = s.Resolve(s.ctx, o.a.Attempt, o.a.Keys)
	return o
}

// judgeOvertaken judges what must hold whichever of the two arrived first.
func (s *store) judgeOvertaken(t TB, o overtaken) {
	t.Helper()
	switch {
	case o.resolved == nil:
		s.holds(t, "after Resolve found the account", o.final, o.a.Keys...)
	case errors.Is(o.resolved, plugin.ErrNotFound):
		s.absent(t, "after Resolve found nothing", o.a.Keys...)
	default:
		t.Errorf("Resolve of an execution that has answered: %v", o.resolved)
		return
	}
	switch {
	case o.during == nil && o.resolved != nil:
		t.Errorf("Resolve found the account while Create was under way, and afterwards says: %v", o.resolved)
	case o.created == nil && o.resolved != nil:
		t.Errorf("Create has answered with account %s, and Resolve says: %v", o.made.ID, o.resolved)
	case o.created == nil && o.made.ID != o.final.ID:
		t.Errorf("Create has answered with account %s, and Resolve with %s", o.made.ID, o.final.ID)
	case errors.Is(o.created, plugin.ErrUnavailable) && o.resolved == nil:
		t.Errorf("Create said that nothing happened (%v), and Resolve finds account %s", o.created, o.final.ID)
	case o.created != nil && !errors.Is(o.created, plugin.ErrUnavailable) && !errors.Is(o.created, plugin.ErrUnknownOutcome):
		t.Errorf("Create that Resolve overtakes: %v, want the account, ErrUnavailable or ErrUnknownOutcome", o.created)
	}
}
