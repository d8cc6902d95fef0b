package state_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/testenv"
)

func take(key string, limit int) state.Take {
	return state.Take{Key: []byte(key), Limit: limit, Window: time.Hour, Count: 1}
}

// begin inserts a registration that takes from budgets.
func begin(ctx context.Context, db *state.DB, change func(*state.Row)) error {
	row := state.Row{Ref: rand.Text(), Locator: []byte(rand.Text()), Flow: "f", Step: "s", Phase: state.PhaseOpen, SealedFor: state.SealedForClient, Sealed: []byte("x")}
	change(&row)
	_, err := db.Insert(ctx, row)
	return err
}

// spent expects a refusal and returns its wait.
func spent(t *testing.T, err error) time.Duration {
	t.Helper()
	var s *state.SpentError
	if !errors.As(err, &s) {
		t.Fatalf("got %v, want a spent budget", err)
	}
	return s.RetryAfter
}

func TestExactlyWhatABudgetHasIsTakenByManyAtOnce(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		var taken, refused atomic.Int64
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				// Every taker names the budgets in another order.
				takes := []state.Take{take("a", 1000), take("b", 7), take("c", 1000), take(fmt.Sprint("own", i), 1)}
				takes = append(takes[i%4:], takes[:i%4]...)
				err := begin(context.Background(), db, func(r *state.Row) { r.Takes = takes })
				var s *state.SpentError
				switch {
				case err == nil:
					taken.Add(1)
				case errors.As(err, &s):
					refused.Add(1)
				default:
					t.Error(err)
				}
			})
		}
		all.Wait()
		if taken.Load() != 7 || refused.Load() != 193 {
			t.Errorf("%d took, %d were refused", taken.Load(), refused.Load())
		}
		// Whoever was refused took nothing from the others.
		if err := begin(t.Context(), db, func(r *state.Row) {
			r.Takes = []state.Take{{Key: []byte("a"), Limit: 1000, Window: time.Hour, Count: 993}}
		}); err != nil {
			t.Errorf("of a thousand less than 993 are left: %v", err)
		}
	})
}

func TestARefusedBudgetLeavesNothing(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		row := insert(t, db)
		row.Takes = []state.Take{take("a", 1)}
		row, err := db.Commit(t.Context(), row)
		if err != nil {
			t.Fatal(err)
		}
		row.Sealed = []byte("changed")
		_, err = db.Commit(t.Context(), row, state.Message{ID: "m", Sealed: []byte("m"), ExpiresAt: c.now().Add(time.Hour)})
		if wait := spent(t, err); wait != time.Hour {
			t.Errorf("wait %s", wait)
		}
		got, err := db.Load(t.Context(), row.Locator)
		if err != nil || string(got.Sealed) != "sealed" || got.Version != row.Version {
			t.Errorf("a refused write has left %+v, %v", got, err)
		}
		if n, err := db.WaitingMessages(t.Context()); err != nil || n != 0 {
			t.Errorf("%d messages wait, %v", n, err)
		}
	})
}

func TestAWindowBeginsWithTheFirstTakeAndEnds(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		do := func() error {
			return begin(t.Context(), db, func(r *state.Row) { r.Takes = []state.Take{take("a", 2)} })
		}
		for range 2 {
			if err := do(); err != nil {
				t.Fatal(err)
			}
			c.move(20 * time.Minute)
		}
		if wait := spent(t, do()); wait != 20*time.Minute {
			t.Errorf("wait %s", wait)
		}
		c.move(20 * time.Minute)
		for range 2 {
			if err := do(); err != nil {
				t.Errorf("in the next window: %v", err)
			}
		}
		spent(t, do())
	})
}

func TestASilentBudgetLeavesOutTheMessagesAndIsGivenBack(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		silent := func(key string, limit int) state.Take {
			s := take(key, limit)
			s.Silent = true
			return s
		}
		row := insert(t, db)
		for n := range 4 {
			row.Sealed, row.Silenced = []byte("sent"), []byte("not sent")
			row.Takes = []state.Take{silent("hour", 2), silent("day", 9)}
			next, err := db.Commit(t.Context(), row, state.Message{ID: fmt.Sprint("m", n), Sealed: []byte("m"), ExpiresAt: c.now().Add(time.Hour)})
			if err != nil {
				t.Fatal(err)
			}
			row = next
			want := map[bool]string{false: "sent", true: "not sent"}[n >= 2]
			got, err := db.Load(t.Context(), row.Locator)
			if err != nil || string(got.Sealed) != want || row.WasSilenced != (n >= 2) || got.Version != row.Version {
				t.Errorf("after message %d: %q, silenced %v, %v", n+1, got.Sealed, row.WasSilenced, err)
			}
		}
		if n, err := db.WaitingMessages(t.Context()); err != nil || n != 2 {
			t.Errorf("%d messages wait, %v", n, err)
		}
		// What was not sent was not taken: of nine a day, seven are left.
		if err := begin(t.Context(), db, func(r *state.Row) {
			r.Takes = []state.Take{{Key: []byte("day"), Limit: 9, Window: time.Hour, Count: 7}}
		}); err != nil {
			t.Error(err)
		}
	})
}

func TestAskingAndGivingBack(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		do := func(count int) error {
			return begin(t.Context(), db, func(r *state.Row) {
				r.Takes = []state.Take{{Key: []byte("a"), Limit: 1, Window: time.Hour, Count: count}}
			})
		}
		for range 3 {
			if err := do(0); err != nil {
				t.Fatalf("asking takes: %v", err)
			}
		}
		for _, c := range []int{1, -1, -1, -1, 1} {
			if err := do(c); err != nil {
				t.Fatalf("%+d: %v", c, err)
			}
		}
		spent(t, do(0))
		spent(t, do(1))
		if err := begin(t.Context(), db, func(r *state.Row) {
			r.Takes = []state.Take{{Key: []byte("new"), Limit: 1, Window: time.Hour, Count: -5}}
		}); err != nil {
			t.Fatal(err)
		}
		two := func(r *state.Row) {
			r.Takes = []state.Take{{Key: []byte("new"), Limit: 1, Window: time.Hour, Count: 2}}
		}
		spent(t, begin(t.Context(), db, two)) // giving back what nobody took makes no budget larger
	})
}

func TestAClientHasExactlyAsManyOpenRegistrationsAsItMay(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		mine := func(r *state.Row) { r.Client, r.OpenLimit = "network", 5 }
		var begun atomic.Int64
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				var s *state.SpentError
				if err := begin(context.Background(), db, mine); err == nil {
					begun.Add(1)
				} else if !errors.As(err, &s) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		if begun.Load() != 5 {
			t.Errorf("%d are open", begun.Load())
		}
		if wait := spent(t, begin(t.Context(), db, mine)); wait != state.DefaultIdle {
			t.Errorf("wait %s", wait)
		}
		if err := begin(t.Context(), db, func(r *state.Row) { r.Client, r.OpenLimit = "another", 5 }); err != nil {
			t.Errorf("another client: %v", err)
		}
		c.move(state.DefaultIdle)
		if err := begin(t.Context(), db, mine); err != nil {
			t.Errorf("when they have expired: %v", err)
		}
	})
}

func TestAGuessIsCountedWithItsBudgetsOrNotAtAll(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, _ *clock) {
		var rows []state.Row
		for range 40 {
			rows = append(rows, insert(t, db))
		}
		var counted atomic.Int64
		var all sync.WaitGroup
		for i := range 200 {
			all.Go(func() {
				_, err := db.CountAttempt(context.Background(), rows[i%40].Locator, "about-you", func(state.Row, time.Time) ([]state.Take, error) {
					return []state.Take{take("address", 10)}, nil
				})
				var s *state.SpentError
				if err == nil {
					counted.Add(1)
				} else if !errors.As(err, &s) {
					t.Error(err)
				}
			})
		}
		all.Wait()
		attempts := 0
		for _, r := range rows {
			got, err := db.Load(t.Context(), r.Locator)
			if err != nil {
				t.Fatal(err)
			}
			attempts += got.Attempts
		}
		if counted.Load() != 10 || attempts != 10 {
			t.Errorf("%d guesses were let through, %d were counted", counted.Load(), attempts)
		}
		if err := db.Uncount(t.Context(), rows[0], take("address", 10)); err != nil {
			t.Fatal(err)
		}
		if _, err := db.CountAttempt(t.Context(), insert(t, db).Locator, "about-you", func(state.Row, time.Time) ([]state.Take, error) {
			return []state.Take{take("address", 10)}, nil
		}); err != nil {
			t.Errorf("a guess that was given back is gone: %v", err)
		}
	})
}

func TestNobodyChangesATallyMeanwhile(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		var all sync.WaitGroup
		for i := range 100 {
			all.Go(func() {
				keys := [][]byte{[]byte("x"), []byte("y"), []byte("z")}
				if i%2 == 0 {
					keys[0], keys[2] = keys[2], keys[0]
				}
				err := db.Tally(context.Background(), keys, func(now time.Time, tallies []state.Tally) error {
					for j := range tallies {
						tallies[j].Taken, tallies[j].EndsAt = tallies[j].Taken+1, now.Add(time.Hour)
					}
					return nil
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		seen := -1
		no := errors.New("no")
		look := func(_ time.Time, tallies []state.Tally) error {
			seen, tallies[0].Taken = tallies[0].Taken, 1000
			return no
		}
		if err := db.Tally(t.Context(), [][]byte{[]byte("y")}, look); !errors.Is(err, no) || seen != 100 {
			t.Errorf("%d were counted, %v", seen, err)
		}
		if _ = db.Tally(t.Context(), [][]byte{[]byte("y")}, look); seen != 100 {
			t.Errorf("a refused change was stored: %d", seen)
		}
		c.move(time.Hour)
		if _ = db.Tally(t.Context(), [][]byte{[]byte("y")}, look); seen != 0 {
			t.Errorf("an hour later %d are left", seen)
		}
	})
}

func TestBudgetsAreSweptWhenTheirTimeIsOver(t *testing.T) {
	each(t, func(t *testing.T, db *state.DB, c *clock) {
		for i := range 500 {
			if err := db.Tally(t.Context(), [][]byte{[]byte(fmt.Sprint(i))}, func(now time.Time, tallies []state.Tally) error {
				tallies[0].Taken, tallies[0].EndsAt = 1, now.Add(time.Duration(1+i%2)*time.Hour)
				return nil
			}); err != nil {
				t.Fatal(err)
			}
		}
		for _, want := range []int{500, 250, 0} {
			if _, err := db.Sweep(t.Context()); err != nil {
				t.Fatal(err)
			}
			if n, err := db.Budgets(t.Context()); err != nil || n != want {
				t.Errorf("%d rows, %v, want %d", n, err, want)
			}
			c.move(time.Hour)
		}
	})
}

func TestReplicasShareBudgets(t *testing.T) {
	dsn := testenv.PostgreSQLDatabase(t)
	replicas := []*state.DB{replica(t, dsn), replica(t, dsn), replica(t, dsn)}
	var taken, open, failed atomic.Int64
	count := func(err error, n *atomic.Int64) {
		var s *state.SpentError
		if err == nil {
			n.Add(1)
		} else if !errors.As(err, &s) {
			t.Error(err)
		}
	}
	var all sync.WaitGroup
	for i := range 200 {
		db := replicas[i%3]
		all.Go(func() {
			takes := []state.Take{take("a", 1000), take("b", 10), take("c", 1000)}
			takes = append(takes[i%3:], takes[:i%3]...)
			count(begin(context.Background(), db, func(r *state.Row) { r.Takes = takes }), &taken)
		})
		all.Go(func() {
			count(begin(context.Background(), db, func(r *state.Row) { r.Client, r.OpenLimit = "network", 5 }), &open)
		})
		all.Go(func() {
			keys := [][]byte{[]byte("x"), []byte("y")}
			if i%2 == 0 {
				keys[0], keys[1] = keys[1], keys[0]
			}
			count(db.Tally(context.Background(), keys, func(now time.Time, t []state.Tally) error {
				if t[0].Taken == 5 {
					return &state.SpentError{}
				}
				for j := range t {
					t[j].Taken, t[j].EndsAt = t[j].Taken+1, now.Add(time.Hour)
				}
				return nil
			}), &failed)
		})
	}
	all.Wait()
	if taken.Load() != 10 || open.Load() != 5 || failed.Load() != 5 {
		t.Errorf("%d took of a budget of ten, %d registrations are open, %d failures were let through", taken.Load(), open.Load(), failed.Load())
	}
}
