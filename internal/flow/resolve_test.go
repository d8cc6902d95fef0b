package flow_test

import (
	"context"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/plugin"
)

// leave makes a client stay away after an execution without an outcome.
func (w *world) leave(committed bool) *person {
	w.Helper()
	p := w.begin().toPassword(ada)
	w.store.before, w.store.after = fails(1, plugin.ErrUnknownOutcome), nil
	if committed {
		w.store.before, w.store.after = nil, fails(1, plugin.ErrUnknownOutcome)
	}
	w.problem(p.password(), flow.CodeUnavailable)
	return p
}

func (w *world) resolve() int {
	w.Helper()
	n, err := w.resolver.Resolve(context.Background())
	w.must(err)
	return n
}

func TestTheResolverCompletesWhatTheStoreHasCommitted(t *testing.T) {
	w := newWorld(t, "")
	p := w.leave(true)
	w.clock.advance(lastRun - time.Second)
	if n := w.resolve(); n != 0 || w.store.resolves != 0 {
		t.Fatal("it asked while the last execution could still commit")
	}
	w.clock.advance(time.Second)
	if n := w.resolve(); n != 1 {
		t.Fatalf("it completed %d", n)
	}
	r := p.show()
	if r.Phase != flow.PhaseCompleted || r.Username != w.store.accounts()[0].account.Username || r.ContinueWith == nil {
		t.Errorf("the registration is %+v", r)
	}
	p.must(p.persist())
	if _, creates := w.store.counts(); creates != 1 {
		t.Errorf("%d executions", creates)
	}
}

func TestTheResolverLeavesWhatTheStoreHasNot(t *testing.T) {
	w := newWorld(t, "")
	p := w.leave(false)
	w.clock.advance(lastRun)
	if n := w.resolve(); n != 0 || w.store.resolves != 1 {
		t.Fatalf("it completed %d after %d questions", n, w.store.resolves)
	}
	p.must(p.persist())
	if p.last.Phase != flow.PhaseCompleted {
		t.Errorf("the registration is %+v", p.last)
	}
}

func TestTheResolverAlsoWorksForClosedFlows(t *testing.T) {
	w := newWorld(t, "")
	w.leave(true)
	w.restart("", func(c *flow.Config) { c.Enabled = false })
	w.clock.advance(lastRun)
	if n := w.resolve(); n != 1 {
		t.Errorf("it completed %d", n)
	}
}

func TestTheResolversOutcomeCountsOnlyWhileNobodyHasBegunAnotherExecution(t *testing.T) {
	w := newWorld(t, "")
	p := w.leave(false)
	w.clock.advance(lastRun)
	racing := &racingResolve{memoryStore: w.store, meanwhile: func() { p.must(p.persist()) }}
	backend, err := plugin.Of(context.Background(), racing)
	w.must(err)
	ours := w.Dispatcher
	w.restart("", func(c *flow.Config) { c.Store = backend })
	resolver := w.resolver
	w.Dispatcher = ours
	if n, err := resolver.Resolve(context.Background()); n != 0 || err != nil {
		t.Errorf("it completed %d: %v", n, err)
	}
	if r := p.show(); r.Phase != flow.PhaseCompleted || len(w.store.accounts()) != 1 {
		t.Errorf("the registration is %+v", r)
	}
}

// racingResolve lets the client go on before the store answers the worker.
type racingResolve struct {
	*memoryStore
	meanwhile func()
}

func (s *racingResolve) Resolve(ctx context.Context, a plugin.Attempt, k []plugin.Key) (plugin.Account, error) {
	s.meanwhile()
	return s.memoryStore.Resolve(ctx, a, k)
}

func TestTheResolverStopsWithItsContext(t *testing.T) {
	w := newWorld(t, "")
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { w.resolver.Run(ctx); close(done) }()
	cancel()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		t.Fatal("it goes on")
	}
}
