package plugin

import "log/slog"

// ServeConfig says what a persister process serves.
type ServeConfig struct {
	// Persister is the store.
	Persister Persister
	// Logger is for what the host is not told: faults, panics, why the store is not available. Default: [Logger].
	Logger *slog.Logger
}
