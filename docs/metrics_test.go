package docs_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/telemetry"
	"github.com/narthex/narthex/plugin"
)

// TestTheTableOfMetricsIsWhatPrometheusGets compares names, types and labels.
func TestTheTableOfMetricsIsWhatPrometheusGets(t *testing.T) {
	var told []string
	for _, row := range tableRows(read(t, "operations.md"), 4) {
		if name := strings.Trim(row[0], "`"); strings.HasPrefix(name, "narthex_") {
			labels := strings.Split(row[2], ", ")
			slices.Sort(labels)
			told = append(told, strings.Join([]string{name, row[1], strings.Join(labels, ",")}, " "))
		}
	}
	slices.Sort(told)
	if got := exposed(t); !slices.Equal(got, told) {
		t.Errorf("Prometheus gets\n%s\nthe document says\n%s", strings.Join(got, "\n"), strings.Join(told, "\n"))
	}
}

// noStore can do nothing.
type noStore struct{ plugin.Persister }

func (noStore) Ping(context.Context) error { return nil }

// exposed lists what is exposed once everything has happened: name, type and sorted labels.
func exposed(t *testing.T) []string {
	t.Helper()
	m, err := telemetry.New(t.Context(), telemetry.Options{Version: "v0", Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	_, end := m.Watch("public", false)(t.Context(), "GET")
	end("/register", 200)
	_, endTrip := m.Trip(t.Context(), flow.ActionStart)
	endTrip("standard", "data", nil)
	m.Completed("standard")
	if err := m.Store(plugin.Backend{Persister: noStore{}}).Ping(t.Context()); err != nil {
		t.Fatal(err)
	}
	m.Mails(func(context.Context) telemetry.Mails { return telemetry.Mails{} })
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	types, labels := map[string]string{}, map[string]string{}
	for line := range strings.Lines(w.Body.String()) {
		if rest, is := strings.CutPrefix(line, "# TYPE narthex_"); is {
			name, kind, _ := strings.Cut(strings.TrimSpace(rest), " ")
			types["narthex_"+name] = kind
		}
		series, _, _ := strings.Cut(line, " ")
		name, inside, _ := strings.Cut(series, "{")
		if name = strings.TrimSuffix(name, "_count"); strings.HasPrefix(name, "narthex_") {
			labels[name] = strings.Join(labelNames(strings.TrimSuffix(inside, "}")), ",")
		}
	}
	var all []string
	for name, kind := range types {
		all = append(all, strings.Join([]string{name, kind, labels[name]}, " "))
	}
	slices.Sort(all)
	return all
}

// labelNames reads `a="x",b="y"`.
func labelNames(inside string) []string {
	var names []string
	for pair := range strings.SplitSeq(inside, ",") {
		name, _, _ := strings.Cut(pair, "=")
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
