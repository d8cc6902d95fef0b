package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
)

// ServeConfig says what a persister process serves.
type ServeConfig struct {
	// Persister is the store.
	Persister Persister
	// Logger is for what the host is not told: faults, panics, why the store is not available. Default: [Logger].
	Logger *slog.Logger
}

// stopGrace is how long a persister whose host is gone may take to end.
const stopGrace = 2 * time.Second

// Serve serves a store to the host that started this process, and returns when the host wants it to end or is gone
// (standard input ends). The caller then closes its store and returns from main, within two seconds.
//
// It refuses calls that break a rule of the contract before the store sees them, makes a panic that call's error,
// answers CheckSchema for stores without one, and ignores SIGINT and SIGTERM, because a host that is told to end still
// needs its store. Nothing may be written to standard output before Serve is called; afterwards it goes to the host's log.
func Serve(cfg ServeConfig) error {
	if os.Getenv(cookieName) != cookieValue {
		return errors.New("serve persister: this program keeps accounts for narthex, which starts it itself: set NARTHEX_PERSISTER to its path")
	}
	log, stderr := cfg.logger(), os.Stderr
	ctx, cancel := context.WithTimeout(context.Background(), readLimit)
	defer cancel()
	store, err := Of(ctx, cfg.Persister)
	if err != nil {
		return fmt.Errorf("serve persister: %w", err)
	}
	signal.Ignore(syscall.SIGINT, syscall.SIGTERM)

	hostGone := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // whatever ends it, the host is gone
		close(hostGone)
		time.Sleep(stopGrace)
		os.Exit(1)
	}()
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig:  handshakeConfig(),
		VersionedPlugins: pluginSets(),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			server := newServer(store, log, opts...)
			go func() {
				<-hostGone
				server.Stop()
			}()
			return server
		},
		Logger: hclog.New(&hclog.LoggerOptions{Level: hclog.Error, Output: stderr, JSONFormat: true}),
	})
	return nil
}
