package directory_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/testenv"
)

func TestAStoppedServer(t *testing.T) {
	t.Parallel()
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			stopped(t, kind.Start(t))
		})
	}
}

func stopped(t *testing.T, d *testenv.Directory) {
	settings := settingsOf(d)
	settings.RequestTimeout, settings.ConnectTimeout = time.Second, time.Second/2
	pool := open(t, settings)
	dn := directory.DN(d.People).Child("cn", "ada")
	if err := pool.Add(t.Context(), dn, person(d.Kind, "ada")); err != nil {
		t.Fatal(err)
	}
	d.Stop()
	within(t, time.Second, func() {
		if err := pool.Delete(t.Context(), dn); !errors.Is(err, directory.ErrUnanswered) {
			t.Errorf("a write: %v", err)
		}
	})
	within(t, time.Second, func() { // on a new connection
		if err := pool.Delete(t.Context(), dn); !errors.Is(err, directory.ErrUnreachable) {
			t.Errorf("a write that finds no connection: %v", err)
		}
	})
	before := time.Now() // nobody queues up behind a server that hangs
	if _, err := pool.Read(t.Context(), dn); !errors.Is(err, directory.ErrUnreachable) || time.Since(before) > settings.ConnectTimeout*3/4 {
		t.Errorf("a read that finds no connection: %v after %v", err, time.Since(before))
	}
	d.Continue()
	healed(t, pool, directory.DN(d.Base))
	// The unanswered Delete happened after all, as ErrUnanswered says it may.
	if _, err := pool.Read(t.Context(), dn); !directory.Refused(err, directory.NoSuchObject) {
		t.Errorf("the entry: %v", err)
	}
}

// healed waits until the pool works again, which it must by itself and soon.
func healed(t *testing.T, pool *directory.Pool, base directory.DN) {
	t.Helper()
	before := time.Now()
	for time.Since(before) < 5*time.Second {
		_, err := pool.Read(t.Context(), base)
		if err == nil {
			return
		}
		if !errors.Is(err, directory.ErrUnreachable) && !errors.Is(err, directory.ErrUnanswered) {
			t.Fatalf("while the server comes back: %v", err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("the pool does not heal")
}

// TestAKilledServer: what was acknowledged is there, what was certainly not sent is not, and the pool goes on by itself.
func TestAKilledServer(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t)
	pool := open(t, settingsOf(d))
	outcomes := make(chan map[string]error)
	const workers = 8
	stop := make(chan struct{})
	for worker := range workers {
		go func() { outcomes <- addUntil(t, pool, d, worker, stop) }()
	}
	for range 3 {
		time.Sleep(100 * time.Millisecond)
		d.Kill()
		time.Sleep(50 * time.Millisecond)
		d.Restart(t)
		healed(t, pool, directory.DN(d.Base))
	}
	close(stop)
	all := make(map[string]error)
	for range workers {
		for name, err := range <-outcomes {
			all[name] = err
		}
	}
	count := judged(t, pool, d, all)
	t.Logf("outcomes: %v", count)
	if count["ok"] == 0 || count["unreachable"] == 0 || count["refused"] != 0 {
		t.Errorf("outcomes: %v", count)
	}
}

// judged compares what the callers were told with what is there.
func judged(t *testing.T, pool *directory.Pool, d *testenv.Directory, outcomes map[string]error) map[string]int {
	t.Helper()
	present := make(map[string]bool)
	err := pool.Each(t.Context(), directory.DN(d.People), directory.OneLevel, directory.Present("sn"), 500, []string{"cn"}, func(e directory.Entry) error {
		present[e.Value("cn")] = true
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for name, err := range outcomes {
		switch {
		case err == nil && !present[name]:
			t.Errorf("%s was acknowledged and is missing", name)
		case errors.Is(err, directory.ErrUnreachable) && present[name]:
			t.Errorf("%s was never sent and is there: %v", name, err)
		}
		count[outcome(err)]++
	}
	return count
}

// TestCallsCancelledAnywhere: whenever a caller gives up, what they are told is true.
func TestCallsCancelledAnywhere(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t)
	pool := open(t, settingsOf(d))
	var mu sync.Mutex
	outcomes := make(map[string]error)
	var running sync.WaitGroup
	for worker := range 4 {
		running.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(worker)))
			for i := range 100 {
				name := fmt.Sprintf("w%d-%d", worker, i)
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(random.IntN(3_000)+random.IntN(2)*500_000)*time.Microsecond)
				err := pool.Add(ctx, directory.DN(d.People).Child("cn", name), person(d.Kind, name))
				cancel()
				mu.Lock()
				outcomes[name] = err
				mu.Unlock()
			}
		})
	}
	running.Wait()
	time.Sleep(100 * time.Millisecond) // an unanswered request may still happen
	count := judged(t, pool, d, outcomes)
	t.Logf("outcomes: %v", count)
	if count["refused"] != 0 || count["ok"] < 100 || count["unreachable"] == 0 {
		t.Errorf("outcomes: %v", count)
	}
}

func addUntil(t *testing.T, pool *directory.Pool, d *testenv.Directory, worker int, stop chan struct{}) map[string]error {
	outcomes := make(map[string]error)
	for i := 0; ; i++ {
		select {
		case <-stop:
			return outcomes
		default:
		}
		name := fmt.Sprintf("w%d-%d", worker, i)
		err := pool.Add(t.Context(), directory.DN(d.People).Child("cn", name), person(d.Kind, name))
		if outcomes[name] = err; err != nil {
			time.Sleep(5 * time.Millisecond)
		}
	}
}

func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case directory.Refused(err):
		return "refused"
	case errors.Is(err, directory.ErrUnanswered):
		return "unanswered"
	}
	return "unreachable"
}

// TestConnectionsAreFew: many callers share the connections that the settings allow.
func TestConnectionsAreFew(t *testing.T) {
	t.Parallel()
	d := testenv.StartSlapd(t)
	settings := settingsOf(d)
	settings.Connections = 3
	pool := open(t, settings)
	var callers sync.WaitGroup
	most := 0
	for range 50 {
		callers.Go(func() {
			for range 5 {
				if _, err := pool.Read(t.Context(), directory.DN(d.Base)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	done := make(chan struct{})
	go func() { callers.Wait(); close(done) }()
	for watching := true; watching; {
		select {
		case <-done:
			watching = false
		case <-time.After(time.Millisecond):
		}
		most = max(most, established(t, d.URL))
	}
	if most > 3 || most == 0 {
		t.Errorf("%d connections", most)
	}
}

// eventually waits for something that takes its time.
func eventually(t *testing.T, happened func() bool) {
	t.Helper()
	for range 100 {
		if happened() {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	t.Error("it does not happen")
}
