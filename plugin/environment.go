package plugin

import (
	"context"
	"log/slog"
	"os"
	"strings"
)

// inherited are the variables that every persister sees, where they are set: nothing that could be a secret.
var inherited = []string{
	"PATH", "HOME", "TMPDIR", "TZ", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR",
	"GOMAXPROCS", "GOMEMLIMIT", "GOGC", "GODEBUG", "GOTRACEBACK", "GORACE",
}

// environment returns what a persister sees: inherited variables, its own, the log level, and what go-plugin adds.
func (c OpenConfig) environment(added []string) []string {
	var env []string
	for _, name := range inherited {
		if value, set := os.LookupEnv(name); set {
			env = append(env, name+"="+value)
		}
	}
	for _, own := range c.Env {
		if strings.Contains(own, "=") {
			env = append(env, own)
		} else if value, set := os.LookupEnv(own); set {
			env = append(env, own+"="+value)
		}
	}
	env = append(env, levelVariable+"="+levelOf(c.logger()).String())
	return append(env, added...)
}

// levelOf finds the lowest level that a logger writes.
func levelOf(log *slog.Logger) slog.Level {
	for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo, slog.LevelWarn} {
		if log.Enabled(context.Background(), level) {
			return level
		}
	}
	return slog.LevelError
}

// secrets returns the values of the persister's own variables that are to be kept out of the log, judged by name.
func (c OpenConfig) secrets() []string {
	var found []string
	for _, own := range c.Env {
		name, value, given := strings.Cut(own, "=")
		if !given {
			value = os.Getenv(name)
		}
		for _, word := range []string{"PASSWORD", "SECRET", "TOKEN", "DSN", "CREDENTIAL"} {
			if strings.Contains(strings.ToUpper(name), word) && !strings.HasSuffix(name, "_FILE") && len(value) >= 4 {
				found = append(found, value)
				break
			}
		}
	}
	return found
}
