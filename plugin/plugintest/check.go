package plugintest

import (
	"context"
	"fmt"
	"runtime"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/narthex/narthex/plugin"
)

// Outcome is what became of a rule.
type Outcome string

// The outcomes.
const (
	Passed  Outcome = "passed"
	Failed  Outcome = "failed"
	Skipped Outcome = "skipped"
)

// Result is the outcome of one rule.
type Result struct {
	Rule    string
	Outcome Outcome
	// Reasons say what went wrong, or why the rule was skipped.
	Reasons []string
	Took    time.Duration
}

// Report is what Check found out about a store.
type Report struct {
	Store   plugin.Description
	Results []Result
}

// Passed tells whether no rule failed.
func (r Report) Passed() bool {
	return !slices.ContainsFunc(r.Results, func(one Result) bool { return one.Outcome == Failed })
}

// Check judges a store by every rule, one after the other. It may have accounts already: rules use names of their own and
// remove what they made. Rules about a capability that the store lacks, and those that need [Direct], are skipped; the
// report says which and why.
// It stops early when ctx is done.
func Check(ctx context.Context, b plugin.Backend, options ...Option) Report {
	s := newSettings(options)
	report := Report{Store: b.Description}
	for _, name := range s.unknown() {
		report.Results = append(report.Results, Result{Rule: name, Outcome: Failed, Reasons: []string{"there is no rule of this name"}})
	}
	for _, r := range s.picked() {
		if ctx.Err() != nil {
			break
		}
		result := r.judge(ctx, b, s)
		report.Results = append(report.Results, result)
		s.each(result)
	}
	return report
}

// judge runs a rule in a goroutine of its own. A store that does not return is left behind with it.
func (r rule) judge(ctx context.Context, b plugin.Backend, s settings) Result {
	result := Result{Rule: r.name, Outcome: Skipped}
	if reason := r.missing(b.Description, s); reason != "" {
		result.Reasons = []string{reason}
		return result
	}
	began := time.Now()
	limited, cancel := context.WithTimeout(ctx, s.patience)
	defer cancel()
	var rec recorder
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer rec.recovered()
		r.run(&rec, newStore(limited, b, s))
	}()
	select {
	case <-done:
	case <-time.After(s.patience + min(s.patience, graceAfterPatience)):
		rec.Errorf("the rule did not come to its end within %v: a call does not return when its context is done", s.patience)
	}
	result.Outcome, result.Reasons = rec.outcome()
	result.Took = time.Since(began)
	return result
}

// graceAfterPatience is how long at most a rule whose context has ended may take to notice and to tidy up.
const graceAfterPatience = 20 * time.Second

// recorder is a TB that remembers.
type recorder struct {
	mu      sync.Mutex
	failed  []string
	skipped []string
}

func (*recorder) Helper() {}

func (r *recorder) Errorf(format string, args ...any) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = append(r.failed, fmt.Sprintf(format, args...))
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.Errorf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, args ...any) {
	r.mu.Lock()
	r.skipped = append(r.skipped, fmt.Sprintf(format, args...))
	r.mu.Unlock()
	runtime.Goexit()
}

// recovered makes a panic in a rule, or in a store that it called directly, a failure.
func (r *recorder) recovered() {
	if p := recover(); p != nil {
		r.Errorf("panic: %v\n%s", p, debug.Stack())
	}
}

func (r *recorder) outcome() (Outcome, []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case len(r.failed) > 0:
		return Failed, slices.Clone(r.failed)
	case len(r.skipped) > 0:
		return Skipped, slices.Clone(r.skipped)
	}
	return Passed, nil
}
