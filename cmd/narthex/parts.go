package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/failpoint"
	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/internal/seal"
	"github.com/narthex/narthex/internal/state"
	"github.com/narthex/narthex/internal/telemetry"
	"github.com/narthex/narthex/plugin"
)

// readConfiguration reads the settings, the flows file and the theme. Its error has the faults of all.
func readConfiguration(environ []string) (*config.Settings, *flow.Definition, error) {
	settings, err := config.Read(environ)
	file, theme := "", ""
	for _, v := range environ {
		if rest, ok := cutSetting(v, "NARTHEX_FLOWS"); ok {
			file = rest
		}
		if rest, ok := cutSetting(v, "NARTHEX_THEME_DIR"); ok {
			theme = rest
		}
	}
	definition, errFlows := readFlows(file)
	if err := errors.Join(err, errFlows, checkTheme(theme)); err != nil {
		return nil, nil, err
	}
	return settings, definition, nil
}

func cutSetting(variable, name string) (string, bool) {
	if len(variable) > len(name) && variable[:len(name)] == name && variable[len(name)] == '=' {
		return variable[len(name)+1:], true
	}
	return "", false
}

// readFlows reads a flows file, or the built-in one.
func readFlows(file string) (*flow.Definition, error) {
	if file == "" {
		return flow.ReadDefault()
	}
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("NARTHEX_FLOWS: %w", err)
	}
	return flow.ReadDefinition(file, content)
}

func newLogger(out io.Writer, s *config.Settings) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(s.LogLevel)) // one of four words that it knows
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: inUTC}
	var handler slog.Handler = slog.NewTextHandler(out, options)
	if s.LogJSON {
		handler = slog.NewJSONHandler(out, options)
	}
	return slog.New(telemetry.LogHandler(handler, guard.RequestID))
}

// inUTC writes times of all machines alike.
func inUTC(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

func mailDir(s *config.Settings) string { return filepath.Join(s.DataDir, "mail") }

// parts are what flows stand on.
type parts struct {
	rules *identifier.Rules
	keys  *seal.Keyring
	state *state.DB
	store *plugin.Host
}

// openParts opens the state database and starts the persister. On an error nothing stays open.
func openParts(ctx context.Context, s *config.Settings, identifiers identifier.Options, log *slog.Logger) (*parts, error) {
	p := &parts{}
	if err := p.open(ctx, s, identifiers, log); err != nil {
		return nil, errors.Join(err, p.Close())
	}
	return p, nil
}

func (p *parts) open(ctx context.Context, s *config.Settings, identifiers identifier.Options, log *slog.Logger) (err error) {
	if p.rules, err = identifier.New(identifiers); err != nil {
		return err
	}
	secret, err := s.LoadSecret()
	if err != nil {
		return err
	}
	if p.keys, err = seal.NewKeyring(secret); err != nil {
		return fmt.Errorf("NARTHEX_SECRET: %w", err)
	}
	place := s.StateFile
	if place == "" {
		place = "the database of NARTHEX_STATE_DSN"
	}
	if p.state, err = state.Open(ctx, state.Config{DSN: s.StateDSN.Reveal(), Path: s.StateFile}); err != nil {
		return err
	}
	if err := p.state.BindSecret(ctx, p.keys.Fingerprints()); err != nil {
		return fmt.Errorf("NARTHEX_SECRET: %w: use the one that belongs to %s, or put the new key under the old one", err, place)
	}
	if err := p.state.BindRules(ctx, p.rules.Fingerprint()); err != nil {
		return fmt.Errorf("%w: go back to the version that wrote %s, or to the foldings that the flows file had", err, place)
	}
	p.store, err = openStore(ctx, s, log)
	return err
}

// openStore starts the persister. It gets its own settings by name, and none of this process's secrets.
func openStore(ctx context.Context, s *config.Settings, log *slog.Logger) (*plugin.Host, error) {
	c := plugin.OpenConfig{Logger: log, Env: config.PersisterVariables()}
	if s.BuiltinPersister() {
		c.Args = []string{"persister", s.Persister}
		c.Env = append(c.Env, accountsFile+"="+filepath.Join(s.DataDir, "accounts.db"), flowsFile+"="+s.Flows)
	} else {
		c.Path, c.SHA256 = s.Persister, s.PersisterSHA256
		c.Env = append(c.Env, s.PersisterEnv...)
	}
	c.Env = append(c.Env, failpoint.Environment()...)
	return plugin.Open(ctx, c)
}

// Close stops the persister and closes the state database, in this order.
func (p *parts) Close() error {
	var errs []error
	if p.store != nil {
		errs = append(errs, p.store.Close())
	}
	if p.state != nil {
		errs = append(errs, p.state.Close())
	}
	return errors.Join(errs...)
}
