package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/persisterpb"
)

var sentinels = []error{
	plugin.ErrNotFound, plugin.ErrExists, plugin.ErrConflict, plugin.ErrInvalid, plugin.ErrDenied,
	plugin.ErrUnavailable, plugin.ErrUnknownOutcome, errors.ErrUnsupported, context.Canceled, context.DeadlineExceeded,
}

// isExactly fails unless err is all of want and no other sentinel.
func isExactly(t *testing.T, err error, want ...error) {
	t.Helper()
	if err == nil {
		t.Error("no error")
	}
	for _, s := range sentinels {
		wanted := false
		for _, w := range want {
			wanted = wanted || errors.Is(w, s)
		}
		if errors.Is(err, s) != wanted {
			t.Errorf("errors.Is(%q, %q) is %v", err, s, !wanted)
		}
	}
}

const private = "cn=admin,dc=example,dc=org"

// failing answers every call with an error.
func failing(err error) *scripted {
	s := &scripted{update: func(context.Context, plugin.ID, plugin.Change) (plugin.Account, error) { return plugin.Account{}, err }}
	s.get = func(context.Context, plugin.ID) (plugin.Account, error) { return plugin.Account{}, err }
	return s
}

var lock = plugin.Change{State: &plugin.StateChange{New: plugin.State{Locked: true}}}

func TestSentinelsSurviveTheWire(t *testing.T) {
	for _, sentinel := range sentinels {
		t.Run(sentinel.Error(), func(t *testing.T) {
			b := overWire(t, failing(fmt.Errorf("while binding as %s: %w", private, sentinel)))
			_, read := b.Get(t.Context(), "1")
			_, write := b.Updater.Update(t.Context(), "1", lock)
			if errors.Is(sentinel, context.Canceled) || errors.Is(sentinel, context.DeadlineExceeded) {
				// The store gave up, so what a write did is not known.
				isExactly(t, read, sentinel, plugin.ErrUnavailable)
				isExactly(t, write, sentinel, plugin.ErrUnknownOutcome)
			} else {
				isExactly(t, read, sentinel)
				isExactly(t, write, sentinel)
			}
			if strings.Contains(read.Error()+write.Error(), private) {
				t.Errorf("the store's own words cross: %v, %v", read, write)
			}
		})
	}
}

func TestAFieldErrorCarriesFieldAndCode(t *testing.T) {
	for _, c := range []struct {
		sent *plugin.FieldError
		want plugin.FieldError
	}{
		{&plugin.FieldError{Field: "mail", Code: plugin.CodeTaken, Err: plugin.ErrExists}, plugin.FieldError{Field: "mail", Code: plugin.CodeTaken, Err: plugin.ErrExists}},
		{&plugin.FieldError{Field: plugin.PasswordField, Code: "too_common", Err: fmt.Errorf("ppolicy: %w", plugin.ErrInvalid)}, plugin.FieldError{Field: plugin.PasswordField, Code: "too_common", Err: plugin.ErrInvalid}},
		{&plugin.FieldError{Field: "mail", Code: "Not A Code!", Err: plugin.ErrInvalid}, plugin.FieldError{Field: "mail", Code: plugin.CodeInvalid, Err: plugin.ErrInvalid}},
	} {
		b := overWire(t, failing(fmt.Errorf("update: %w", c.sent)))
		_, err := b.Updater.Update(t.Context(), "1", lock)
		var got *plugin.FieldError
		if !errors.As(err, &got) || *got != c.want {
			t.Errorf("sent %+v, got %+v", c.sent, err)
		}
		isExactly(t, err, c.want.Err)
	}
	t.Run("a field that no attribute can have is dropped", func(t *testing.T) {
		b := overWire(t, failing(plugin.Taken("mail\nX-Injected: yes")))
		_, err := b.Get(t.Context(), "1")
		isExactly(t, err, plugin.ErrExists)
		var field *plugin.FieldError
		if errors.As(err, &field) {
			t.Errorf("got %+v", field)
		}
	})
}

func TestAFaultSaysNothing(t *testing.T) {
	log := &record{}
	b, stop, err := plugin.InProcess(t.Context(), plugin.ServeConfig{
		Persister: failing(errors.New("dial " + private)), Logger: slog.New(slog.NewTextHandler(log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer stop()
	_, read := b.Get(t.Context(), "1")
	isExactly(t, read)
	_, write := b.Updater.Update(t.Context(), "1", lock)
	isExactly(t, write, plugin.ErrUnknownOutcome)
	if strings.Contains(read.Error()+write.Error(), private) {
		t.Errorf("the store's own words cross: %v, %v", read, write)
	}
	if strings.Count(log.String(), private) != 2 {
		t.Errorf("the persister's log does not have the reason: %s", log)
	}
}

func TestCallsHaveALimit(t *testing.T) {
	deaf := func() { time.Sleep(time.Minute) }
	for _, c := range []struct {
		name  string
		limit time.Duration
		call  func(context.Context, plugin.Backend) error
		want  error
	}{
		{"get", 5 * time.Second, func(ctx context.Context, b plugin.Backend) error { _, err := b.Get(ctx, "1"); return err }, plugin.ErrUnavailable},
		{"create", 15 * time.Second, func(ctx context.Context, b plugin.Backend) error { _, err := b.Create(ctx, newcomer()); return err }, plugin.ErrUnknownOutcome},
		{"resolve", 15 * time.Second, func(ctx context.Context, b plugin.Backend) error {
			_, err := b.Resolve(ctx, attempt, newcomer().Keys)
			return err
		}, plugin.ErrUnknownOutcome},
		{"update", 15 * time.Second, func(ctx context.Context, b plugin.Backend) error {
			_, err := b.Updater.Update(ctx, "1", lock)
			return err
		}, plugin.ErrUnknownOutcome},
		{"delete", 15 * time.Second, func(ctx context.Context, b plugin.Backend) error { return b.Delete(ctx, "1") }, plugin.ErrUnknownOutcome},
	} {
		t.Run(c.name+" of a store that never answers", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &scripted{update: func(context.Context, plugin.ID, plugin.Change) (plugin.Account, error) {
					deaf()
					return plugin.Account{}, nil
				}}
				s.get = func(context.Context, plugin.ID) (plugin.Account, error) { deaf(); return plugin.Account{}, nil }
				s.create = func(context.Context, plugin.NewAccount) (plugin.Account, error) { deaf(); return plugin.Account{}, nil }
				s.resolve = func(context.Context, plugin.Attempt, []plugin.Key) (plugin.Account, error) {
					deaf()
					return plugin.Account{}, nil
				}
				s.remove = func(context.Context, plugin.ID) error { deaf(); return nil }
				b := overWire(t, s)
				began := time.Now()
				isExactly(t, c.call(t.Context(), b), c.want, context.DeadlineExceeded)
				if took := time.Since(began); took != c.limit {
					t.Errorf("took %v, the limit is %v", took, c.limit)
				}
				deaf() // until the store has returned
			})
		})
	}
}

func TestACallersContextEndsACall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &scripted{}
		s.create = func(ctx context.Context, _ plugin.NewAccount) (plugin.Account, error) {
			<-ctx.Done()
			return plugin.Account{}, ctx.Err()
		}
		b := overWire(t, s)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		_, err := b.Create(ctx, newcomer())
		isExactly(t, err, plugin.ErrUnknownOutcome, context.Canceled)
		_, err = b.Create(ctx, newcomer()) // nothing is sent any more
		isExactly(t, err, plugin.ErrUnavailable, context.Canceled)
	})
}

func TestAWriteThatIsNotSentIsUnavailable(t *testing.T) {
	b, stop := plugin.Unreachable()
	defer stop()
	_, err := b.Create(t.Context(), newcomer())
	isExactly(t, err, plugin.ErrUnavailable)
	isExactly(t, b.Delete(t.Context(), "1"), plugin.ErrUnavailable)
}

func TestAConnectionThatIsLostIsAnUnknownOutcomeForWritesOnly(t *testing.T) {
	var server *grpc.Server
	lose := func() { server.Stop() }
	s := failing(nil)
	s.get = func(context.Context, plugin.ID) (plugin.Account, error) { lose(); return plugin.Account{}, nil }
	s.update = func(context.Context, plugin.ID, plugin.Change) (plugin.Account, error) {
		lose()
		return plugin.Account{}, nil
	}
	for _, write := range []bool{false, true} {
		b, stop, err := plugin.Connect(t.Context(), func(r grpc.ServiceRegistrar) {
			server, _ = r.(*grpc.Server)
			persisterpb.RegisterPersisterServer(r, &raw{described: wireDescription(), store: s})
		})
		if err != nil {
			t.Fatal(err)
		}
		if write {
			_, err = b.Updater.Update(t.Context(), "1", lock)
			isExactly(t, err, plugin.ErrUnknownOutcome)
		} else {
			_, err = b.Get(t.Context(), "1")
			isExactly(t, err, plugin.ErrUnavailable)
		}
		stop()
	}
}
