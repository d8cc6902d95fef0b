package state_test

import (
	"context"
	"crypto/rand"
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/testenv"
)

// clock is a clock that tests move.
type clock struct{ ms atomic.Int64 }

func newClock() *clock {
	c := &clock{}
	c.ms.Store(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC).UnixMilli())
	return c
}

func (c *clock) now() time.Time       { return time.UnixMilli(c.ms.Load()).UTC() }
func (c *clock) move(d time.Duration) { c.ms.Add(d.Milliseconds()) }

func open(t *testing.T, path string, c *clock) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{Path: path, Clock: c.now, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// each runs a test on a new database of every kind.
func each(t *testing.T, f func(*testing.T, *state.DB, *clock)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		c := newClock()
		f(t, open(t, filepath.Join(t.TempDir(), "state.db"), c), c)
	})
	t.Run("postgresql", func(t *testing.T) {
		c := newClock()
		f(t, openPostgreSQL(t, testenv.PostgreSQLDatabase(t), c), c)
	})
}

func openPostgreSQL(t *testing.T, dsn string, c *clock) *state.DB {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{DSN: dsn, Clock: c.now, Owner: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

func insert(t *testing.T, db *state.DB, change ...func(*state.Row)) state.Row {
	t.Helper()
	row := state.Row{Ref: rand.Text(), Locator: []byte(rand.Text()), Flow: "standard", Step: "about-you", Phase: state.PhaseOpen,
		Sealed: []byte("sealed"), SealedFor: state.SealedForClient, AttemptLimit: 5}
	for _, f := range change {
		f(&row)
	}
	row, err := db.Insert(t.Context(), row)
	if err != nil {
		t.Fatal(err)
	}
	return row
}

func TestARowComesBackAsItWasWritten(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		want := insert(t, db, func(r *state.Row) {
			r.Phase, r.Server, r.RunNotAfter, r.ResolveAt = state.PhasePersisting, []byte("server"), c.now().Add(time.Second), c.now().Add(time.Minute)
		})
		got, err := db.Load(t.Context(), want.Locator)
		if err != nil {
			t.Fatal(err)
		}
		if got.Ref != want.Ref || got.Step != want.Step || got.Phase != want.Phase || string(got.Sealed) != "sealed" || string(got.Server) != "server" ||
			got.SealedFor != want.SealedFor || got.AttemptLimit != 5 || got.Version != 1 || !got.RunNotAfter.Equal(want.RunNotAfter) ||
			!got.ResolveAt.Equal(want.ResolveAt) || !got.ExpiresAt.Equal(c.now().Add(state.DefaultLifetime)) || !got.IdleUntil.Equal(c.now().Add(state.DefaultIdle)) {
			t.Errorf("Load = %+v", got)
		}
	})
}

func TestOneOfTwoWritersWins(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		for range 100 {
			row := insert(t, db)
			var won, stale atomic.Int64
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					switch _, err := db.Commit(context.Background(), row, state.Message{ID: rand.Text(), Sealed: []byte("m")}); {
					case err == nil:
						won.Add(1)
					case errors.Is(err, state.ErrStale):
						stale.Add(1)
					default:
						t.Error(err)
					}
				})
			}
			all.Wait()
			if won.Load() != 1 || stale.Load() != 3 {
				t.Fatalf("%d writers won, %d lost", won.Load(), stale.Load())
			}
		}
		if n, err := db.WaitingMessages(t.Context()); err != nil || n != 100 {
			t.Errorf("%d messages wait (%v), want one for each write that won", n, err)
		}
	})
}

func TestACommitReplacesTheTokenAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		row := insert(t, db)
		old := row.Locator
		row.Locator = []byte("another")
		row, err := db.Commit(t.Context(), row)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := db.Load(t.Context(), old); !errors.Is(err, state.ErrGone) {
			t.Errorf("the old token finds: %v", err)
		}
		if got, err := db.Load(t.Context(), []byte("another")); err != nil || got.Version != row.Version {
			t.Errorf("the new token finds version %d, %v", got.Version, err)
		}
	})
}

func TestOnlyAsManyGuessesAsAllowedAreCounted(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		row := insert(t, db)
		var counted, exhausted atomic.Int64
		var all sync.WaitGroup
		for range 200 {
			all.Go(func() {
				switch _, err := db.CountAttempt(context.Background(), row.Locator, "about-you", nil); {
				case err == nil:
					counted.Add(1)
				case errors.Is(err, state.ErrExhausted):
					exhausted.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if counted.Load() != 5 || exhausted.Load() != 195 {
			t.Errorf("%d guesses were counted, %d refused", counted.Load(), exhausted.Load())
		}
	})
}

func TestCountingLeavesTheVersionAndACommitLeavesTheCount(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		row := insert(t, db)
		for range 2 {
			if _, err := db.CountAttempt(t.Context(), row.Locator, row.Step, nil); err != nil {
				t.Fatal(err)
			}
		}
		row, err := db.Commit(t.Context(), row)
		if err != nil {
			t.Fatalf("a count made the row stale: %v", err)
		}
		if got, err := db.Load(t.Context(), row.Locator); err != nil || got.Attempts != 2 {
			t.Errorf("after a commit %d attempts are counted (%v), want 2", got.Attempts, err)
		}
		row.ResetAttempts = true
		if row, err = db.Commit(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		if got, err := db.Load(t.Context(), row.Locator); err != nil || got.Attempts != 0 {
			t.Errorf("after a reset %d attempts are counted (%v)", got.Attempts, err)
		}
	})
}

func TestAGuessAtAnotherStepIsNotCounted(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		row := insert(t, db)
		if _, err := db.CountAttempt(t.Context(), row.Locator, "verify-email", nil); !errors.Is(err, state.ErrWrongStep) {
			t.Errorf("CountAttempt = %v, want ErrWrongStep", err)
		}
		persisting := insert(t, db, func(r *state.Row) { r.Phase = state.PhasePersisting })
		if _, err := db.CountAttempt(t.Context(), persisting.Locator, persisting.Step, nil); !errors.Is(err, state.ErrWrongStep) {
			t.Errorf("CountAttempt while persisting = %v, want ErrWrongStep", err)
		}
		if _, err := db.CountAttempt(t.Context(), []byte("unknown"), "about-you", nil); !errors.Is(err, state.ErrGone) {
			t.Errorf("CountAttempt of an unknown token = %v, want ErrGone", err)
		}
	})
}

func TestAnExpiredRowIsLikeAnUnknownOne(t *testing.T) {
	for name, live := range map[string]func(*testing.T, *state.DB, *clock, state.Row) state.Row{
		"after half an hour without a write": func(_ *testing.T, _ *state.DB, c *clock, r state.Row) state.Row {
			c.move(state.DefaultIdle)
			return r
		},
		"after two hours in all": func(t *testing.T, db *state.DB, c *clock, r state.Row) state.Row {
			for range 6 {
				c.move(20 * time.Minute)
				var err error
				if r, err = db.Commit(t.Context(), r); err != nil && !errors.Is(err, state.ErrStale) {
					t.Fatal(err)
				} else if err != nil {
					break
				}
			}
			return r
		},
	} {
		t.Run(name, func(t *testing.T) {
			each(t, func(t *testing.T, db *state.DB, c *clock) {
				row := insert(t, db)
				locator := row.Locator
				row = live(t, db, c, row)
				if _, err := db.Load(t.Context(), locator); !errors.Is(err, state.ErrGone) {
					t.Errorf("Load = %v", err)
				}
				if _, err := db.CountAttempt(t.Context(), locator, "about-you", nil); !errors.Is(err, state.ErrGone) {
					t.Errorf("CountAttempt = %v", err)
				}
				if _, err := db.Commit(t.Context(), row); row.Version > 0 && !errors.Is(err, state.ErrStale) {
					t.Errorf("Commit = %v", err)
				}
				if n, err := db.Sweep(t.Context()); err != nil || n != 1 {
					t.Errorf("Sweep = %d, %v", n, err)
				}
			})
		})
	}
}

func TestACompletedRowLivesAsLongAsItsCommitSays(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		row := insert(t, db)
		row.Phase, row.IdleFor = state.PhaseCompleted, 10*time.Minute
		if _, err := db.Commit(t.Context(), row); err != nil {
			t.Fatal(err)
		}
		c.move(9 * time.Minute)
		if _, err := db.Load(t.Context(), row.Locator); err != nil {
			t.Errorf("after nine minutes: %v", err)
		}
		c.move(time.Minute)
		if _, err := db.Load(t.Context(), row.Locator); !errors.Is(err, state.ErrGone) {
			t.Errorf("after ten minutes: %v", err)
		}
	})
}

func TestUnresolvedRowsGoToOneWorkerWhenTheirTimeHasCome(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		insert(t, db)
		insert(t, db, func(r *state.Row) { r.Phase, r.ResolveAt = state.PhasePersisting, c.now().Add(25*time.Second) })
		if rows, err := db.ClaimUnresolved(t.Context(), 10); err != nil || len(rows) != 0 {
			t.Fatalf("too early: %d rows, %v", len(rows), err)
		}
		c.move(25 * time.Second)
		var claimed atomic.Int64
		var all sync.WaitGroup
		for range 8 {
			all.Go(func() {
				rows, err := db.ClaimUnresolved(context.Background(), 10)
				if err != nil {
					t.Error(err)
				}
				claimed.Add(int64(len(rows)))
			})
		}
		all.Wait()
		if claimed.Load() != 1 {
			t.Errorf("the row was handed out %d times", claimed.Load())
		}
	})
}

func TestAStrangeSecretOrOtherRulesAreRefused(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		steps := []struct {
			prints []string
			want   error
		}{{[]string{"a"}, nil}, {[]string{"b"}, state.ErrForeignSecret}, {[]string{"b", "a"}, nil}, {[]string{"b"}, nil}, {[]string{"a"}, state.ErrForeignSecret}}
		for i, s := range steps {
			if err := db.BindSecret(t.Context(), s.prints); !errors.Is(err, s.want) {
				t.Errorf("step %d: BindSecret(%v) = %v, want %v", i, s.prints, err, s.want)
			}
		}
		if err := db.BindRules(t.Context(), "r1"); err != nil {
			t.Fatal(err)
		}
		if err := db.BindRules(t.Context(), "r2"); !errors.Is(err, state.ErrForeignRules) {
			t.Errorf("BindRules = %v, want ErrForeignRules", err)
		}
	})
}
