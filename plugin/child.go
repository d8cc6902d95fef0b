package plugin

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/health/grpc_health_v1"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// child is one persister process that has introduced itself.
type child struct {
	library     *goplugin.Client
	process     *process
	socketDir   string
	rpc         pb.PersisterClient
	health      grpc_health_v1.HealthClient
	description Description
	since       time.Time
	bound       func() bool // unties the process from the context of its start
}

// startChild starts a process and waits until it has described its store.
func (h *Host) startChild(ctx context.Context) (*child, error) {
	checked, err := h.cfg.binary()
	if err != nil {
		return nil, err
	}
	if checked != nil {
		defer checked.Close() //nolint:errcheck // read only
	}
	ctx, cancel := context.WithTimeoutCause(ctx, h.times.start, fmt.Errorf("the persister is not ready after %v", h.times.start))
	defer cancel()
	c := &child{since: time.Now()}
	// The library waits for some things without a limit. They all end with the process.
	c.library = goplugin.NewClient(h.clientConfig(ctx, c, checked))
	if err := c.connect(ctx); err != nil {
		if c.process != nil {
			err = c.process.explain(err)
			_ = c.process.Kill(ctx)
		}
		c.end(0)
		if cause := context.Cause(ctx); cause != nil {
			return nil, cause
		}
		return nil, err
	}
	if !c.bound() {
		c.end(0)
		return nil, context.Cause(ctx)
	}
	return c, nil
}

// clientConfig configures the library to use our runner for everything.
func (h *Host) clientConfig(ctx context.Context, c *child, checked *os.File) *goplugin.ClientConfig {
	out := newOutput(h.log, h.cfg.secrets())
	return &goplugin.ClientConfig{
		HandshakeConfig:  handshakeConfig(),
		VersionedPlugins: pluginSets(),
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		AutoMTLS:         true,
		SkipHostEnv:      true,
		StartTimeout:     h.times.start,
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: h.dir.path},
		GRPCDialOptions:  dialOptions(),
		Logger:           hclog.NewNullLogger(),
		SyncStdout:       out.stream("stdout"),
		SyncStderr:       out.stream("stderr"),
		RunnerFunc: func(_ hclog.Logger, spec *exec.Cmd, socketDir string) (runner.Runner, error) {
			c.socketDir = socketDir
			p, err := newProcess(h.cfg, checked, socketDir, spec.Env, out)
			if err != nil {
				return nil, err
			}
			c.process = p
			c.bound = context.AfterFunc(ctx, func() { _ = p.Kill(ctx) })
			return p, nil
		},
	}
}

// connect completes the handshake and asks the store what it is.
func (c *child) connect(ctx context.Context) error {
	protocol, err := c.library.Client()
	if err != nil {
		return err
	}
	dispensed, err := protocol.Dispense(serviceName)
	if err != nil {
		return err
	}
	conn, ok := dispensed.(*grpc.ClientConn)
	if !ok {
		return errNoHandshake
	}
	c.rpc, c.health = pb.NewPersisterClient(conn), grpc_health_v1.NewHealthClient(conn)
	c.description, err = describe(ctx, c.rpc)
	return err
}

// end stops the process, at once or after it had some time to end by itself, and removes its sockets.
func (c *child) end(grace time.Duration) {
	if c.process != nil {
		kill := time.AfterFunc(grace, func() { _ = c.process.Kill(context.Background()) })
		defer kill.Stop()
	}
	c.library.Kill()
	if c.process != nil && c.process.ID() != "" {
		<-c.process.done
	}
	if c.socketDir != "" {
		_ = os.RemoveAll(c.socketDir)
	}
}

// watch returns when the process has failed too many health checks in a row, or ctx is done.
func (c *child) watch(ctx context.Context, t timing) {
	tick := time.NewTicker(t.checkEvery)
	defer tick.Stop()
	for failed := 0; failed < t.checksToKill; {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if c.healthy(ctx, t.checkLimit) {
			failed = 0
		} else {
			failed++
		}
	}
}

func (c *child) healthy(ctx context.Context, limit time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	_, err := c.health.Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: goplugin.GRPCServiceName})
	return err == nil
}
