package plugintest

import (
	"context"
	"log/slog"
	"slices"
	"testing"

	"github.com/narthex/narthex/plugin"
)

// Run judges a store by every rule, under direct/ as it is and under grpc/ over the wire that a host uses. open returns a
// store for one rule, often an empty one, and closes it with t.Cleanup.
func Run(t *testing.T, open func(t *testing.T) plugin.Persister, options ...Option) {
	t.Run("direct", func(t *testing.T) {
		RunBackend(t, func(t *testing.T) plugin.Backend {
			b, err := plugin.Of(t.Context(), open(t))
			if err != nil {
				t.Fatal(err)
			}
			return b
		}, append(slices.Clone(options), Direct())...)
	})
	t.Run("grpc", func(t *testing.T) {
		RunBackend(t, func(t *testing.T) plugin.Backend {
			b, stop, err := plugin.InProcess(context.WithoutCancel(t.Context()), plugin.ServeConfig{Persister: open(t), Logger: slog.New(slog.DiscardHandler)})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(stop)
			return b
		}, options...)
	})
}

// RunBackend judges an opened store by every rule, each in a subtest. open is called once for each of them; it may return
// the same store every time.
func RunBackend(t *testing.T, open func(t *testing.T) plugin.Backend, options ...Option) {
	s := newSettings(options)
	for _, name := range s.unknown() {
		t.Errorf("there is no rule %q", name)
	}
	var described plugin.Description
	if !t.Run("Describe/every capability is claimed or disclaimed", func(t *testing.T) {
		described = open(t).Description
		claims(t, described, s)
	}) {
		return
	}
	for _, r := range s.picked() {
		if r.missing(described, s) != "" {
			continue // disclaimed, as claims has made sure, or judged under direct/
		}
		t.Run(r.name, func(t *testing.T) {
			if !s.serial {
				t.Parallel()
			}
			ctx, cancel := context.WithTimeout(context.Background(), s.patience)
			defer cancel()
			r.run(t, newStore(ctx, open(t), s))
		})
	}
}

// claims fails for a store whose capabilities and options say different things.
func claims(t TB, d plugin.Description, s settings) {
	t.Helper()
	for _, c := range plugin.Capabilities() {
		offered := slices.Contains(d.Capabilities, c)
		disclaimed := slices.Contains(s.without, c)
		switch {
		case offered && disclaimed:
			t.Errorf("the store offers %q, and the test says Without(%q): leave that out", c, c)
		case !offered && !disclaimed && !slices.Contains(d.Withheld, c):
			t.Errorf("the store does not offer %q: implement it, or say Without(%q)", c, c)
		}
	}
}
