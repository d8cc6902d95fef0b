package testenv_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// TestAnOrderlyStopBreaksNoRequest sends SIGTERM to the sidecar and to its persister, as a service manager does, while
// people log in: every request that was taken is answered as it would have been, and the program ends with 0.
func TestAnOrderlyStopBreaksNoRequest(t *testing.T) {
	t.Parallel()
	s := testenv.Start(t)
	if _, err := testenv.NewClient(s.URL).Register(victim, s.Code); err != nil {
		t.Fatal(err)
	}
	var answered atomic.Int64
	var all sync.WaitGroup
	stop := make(chan struct{})
	for range 6 {
		all.Go(func() {
			for c := testenv.NewClient(s.URL); ; {
				r, err := c.Login(victim.Email, victim.Password)
				if err != nil {
					return // refused: it does not listen any more
				}
				if answered.Add(1); r.Status != http.StatusOK {
					t.Errorf("a login during the stop: %d %s", r.Status, r.Raw)
				}
				select {
				case <-stop:
					return
				default:
				}
			}
		})
	}
	time.Sleep(time.Second)
	for end := time.Now().Add(30 * time.Second); answered.Load() == 0 && time.Now().Before(end); {
		time.Sleep(10 * time.Millisecond)
	}
	before, persister := answered.Load(), s.Persister()
	if err := syscall.Kill(persister, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code := s.Terminate(); code != 0 {
		t.Errorf("it ends with %d\n%s", code, s.Log())
	}
	close(stop)
	all.Wait()
	if before == 0 {
		t.Error("nobody logged in before the stop")
	}
	if err := syscall.Kill(persister, 0); err == nil {
		t.Error("the persister lives on")
	}
	log := s.Log()
	if i, j := strings.LastIndex(log, `"msg":"request"`), strings.Index(log, `"msg":"persister stopped"`); j < 0 || i > j {
		t.Errorf("the persister did not stop last:\n%s", log[max(0, len(log)-2000):])
	}
}

// TestADeadPersisterIsReplacedAndReadinessTells stops the persister, lets it go on, and kills it: the sidecar lives on,
// tells that it is not ready and why, and serves again by itself.
func TestADeadPersisterIsReplacedAndReadinessTells(t *testing.T) {
	t.Parallel()
	s := testenv.Start(t, cheapHash)
	c := testenv.NewClient(s.URL)
	if _, err := c.Register(victim, s.Code); err != nil {
		t.Fatal(err)
	}
	first := s.Persister()
	signal := func(sig syscall.Signal) {
		t.Helper()
		if err := syscall.Kill(first, sig); err != nil {
			t.Fatal(err)
		}
	}
	signal(syscall.SIGSTOP)
	awaitReadiness(t, s, http.StatusServiceUnavailable, "failing")
	signal(syscall.SIGCONT)
	awaitReadiness(t, s, http.StatusOK, "ok")
	signal(syscall.SIGSTOP)
	awaitReadiness(t, s, http.StatusServiceUnavailable, "failing")
	signal(syscall.SIGKILL)
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		if r, err := c.Login(victim.Email, victim.Password); err == nil && r.Status == http.StatusOK {
			break
		} else if err != nil || r.Status != http.StatusServiceUnavailable {
			t.Fatalf("while the persister is gone: %d %s %v", r.Status, r.Raw, err)
		}
		if time.Now().After(end) {
			t.Fatalf("nobody can log in any more\n%s", s.Log())
		}
	}
	if s.Persister() == first || s.Exited() {
		t.Error("no other persister runs")
	}
	awaitReadiness(t, s, http.StatusOK, "ok")
}

// awaitReadiness waits until the readiness page tells this of the persister, and that all else is well.
func awaitReadiness(t *testing.T, s *testenv.Sidecar, status int, persister string) {
	t.Helper()
	want := map[string]string{"mail": "ok", "persister": persister, "state": "ok"}
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		r, err := testenv.NewClient(s.Admin).Call("GET", "/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		var page struct{ Checks map[string]string }
		if err := json.Unmarshal([]byte(r.Raw), &page); err != nil {
			t.Fatal(err)
		}
		if r.Status == status && maps.Equal(page.Checks, want) {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("readiness is never %d with %v: %d %s", status, want, r.Status, r.Raw)
		}
	}
}
