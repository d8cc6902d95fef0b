package state_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/testenv"
)

// asWriter names the variable that turns this test binary into a process that writes one registration.
const asWriter = "STATE_TEST_WRITE_TO"

// written is what the writing process reports after each write that was acknowledged.
type written struct{ Inserted, Committed, Counted bool }

func TestMain(m *testing.M) {
	if path := os.Getenv(asWriter); path != "" {
		if err := writeOne(path); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		os.Exit(0)
	}
	code := m.Run()
	testenv.StopShared()
	os.Exit(code)
}

// writeOne inserts a row with a message, commits a second version with another message, and counts a guess.
func writeOne(path string) error {
	ctx := context.Background()
	db, err := state.Open(ctx, state.Config{Path: path})
	if err != nil {
		return err
	}
	report := json.NewEncoder(os.Stdout)
	later := time.Now().Add(time.Hour)
	row, err := db.Insert(ctx, state.Row{Ref: "r", Locator: []byte("l"), Flow: "f", Step: "one", Phase: state.PhaseOpen, SealedFor: state.SealedForClient,
		Sealed: []byte("first"), AttemptLimit: 5}, state.Message{ID: "m1", Sealed: []byte("x"), ExpiresAt: later})
	if err := errors.Join(err, report.Encode(written{Inserted: true})); err != nil {
		return err
	}
	row.Sealed, row.Step = []byte("second"), "two"
	_, err = db.Commit(ctx, row, state.Message{ID: "m2", Sealed: []byte("x"), ExpiresAt: later})
	if err := errors.Join(err, report.Encode(written{true, true, false})); err != nil {
		return err
	}
	_, err = db.CountAttempt(ctx, []byte("l"), "two", nil)
	return errors.Join(err, report.Encode(written{true, true, true}))
}

func TestKilledInTheMiddleOfAWrite(t *testing.T) {
	writer := filepath.Join(t.TempDir(), "writer")
	if out, err := exec.CommandContext(t.Context(), "go", "test", "-c", "-tags", "failpoints", "-o", writer, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the writing process: %v\n%s", err, out)
	}
	for _, point := range state.Failpoints() {
		t.Run("at "+point+" row and message are both there or both not, and what was acknowledged is", func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.db")
			acknowledged := killed(t, writer, path, point)
			holdsWhatWasAcknowledged(t, path, acknowledged)
		})
	}
}

// killed runs the writing process until it dies at the point, and returns what it had reported.
func killed(t *testing.T, writer, path, point string) (last written) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), writer)
	cmd.Env = append(os.Environ(), asWriter+"="+path, "FAILPOINT="+point)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for reports := json.NewDecoder(out); reports.Decode(&last) == nil; {
	}
	var exit *exec.ExitError
	if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("the process was not killed at %s: %v", point, err)
	}
	return last
}

func holdsWhatWasAcknowledged(t *testing.T, path string, acknowledged written) {
	t.Helper()
	db, err := state.Open(t.Context(), state.Config{Path: path})
	if err != nil {
		t.Fatalf("open what was left: %v", err)
	}
	defer db.Close()
	messages, err := db.ClaimMessages(t.Context(), 10)
	if err != nil {
		t.Fatal(err)
	}
	row, err := db.Load(t.Context(), []byte("l"))
	if err != nil && !errors.Is(err, state.ErrGone) {
		t.Fatal(err)
	}
	if int(row.Version) != len(messages) {
		t.Errorf("version %d of the row, but %d messages that nobody has: each write brings one", row.Version, len(messages))
	}
	if want := map[int64]string{0: "", 1: "first", 2: "second"}[row.Version]; string(row.Sealed) != want {
		t.Errorf("version %d holds %q", row.Version, row.Sealed)
	}
	if got := (written{row.Version >= 1, row.Version >= 2, row.Attempts == 1}); acknowledged.Inserted && !got.Inserted ||
		acknowledged.Committed && !got.Committed || acknowledged.Counted && !got.Counted {
		t.Errorf("acknowledged %+v, found %+v", acknowledged, got)
	}
}
