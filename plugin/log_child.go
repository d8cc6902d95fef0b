package plugin

import (
	"log/slog"
	"os"
	"strings"
)

// levelVariable carries the host's log level to a persister, so that nothing is written only to be dropped.
const levelVariable = "PLUGIN_LOG_LEVEL"

// Logger returns the logger of a persister process: JSON lines on stderr, which the host passes on with their level and
// attributes, at the level of the host's own logger. Lines with a call's context have its request. Never log passwords or the people's data.
func Logger() *slog.Logger {
	level := slog.LevelInfo
	if err := level.UnmarshalText([]byte(strings.TrimSpace(os.Getenv(levelVariable)))); err != nil {
		level = slog.LevelInfo
	}
	return slog.New(withRequests(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})))
}

func (c ServeConfig) logger() *slog.Logger {
	if c.Logger != nil {
		return c.Logger
	}
	return Logger()
}
