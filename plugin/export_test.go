package plugin

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"strconv"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// Quick returns cfg with a supervisor that is in a hurry, but gives a process on a busy machine the time it needs.
func Quick(cfg OpenConfig, start time.Duration) OpenConfig {
	cfg.timing = &timing{
		start: start, gap: 20 * time.Second,
		firstBackoff: 10 * time.Millisecond, longBackoff: 50 * time.Millisecond, steady: time.Minute,
		checkEvery: 100 * time.Millisecond, checkLimit: time.Second, checksToKill: 2,
		drain: 3 * time.Second, endGracefully: 3 * time.Second,
	}
	return cfg
}

// PID returns the id of the process that runs, 0 when none does.
func (h *Host) PID() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.current == nil {
		return 0
	}
	pid, _ := strconv.Atoi(h.current.process.ID())
	return pid
}

// SocketDirPath returns where the host's sockets lie.
func (h *Host) SocketDirPath() string { return h.dir.path }

// Writers tells who besides its owner may write a file.
func Writers(info fs.FileInfo) string {
	who, _ := writers(info)
	return who
}

// Connect opens what a test registers with a gRPC server.
func Connect(ctx context.Context, register func(grpc.ServiceRegistrar)) (Backend, func(), error) {
	server := grpc.NewServer()
	register(server)
	return connect(ctx, server)
}

// ServeRaw shakes hands with a host as Serve does, and then answers with whatever a test registers.
func ServeRaw(register func(grpc.ServiceRegistrar)) {
	goplugin.Serve(&goplugin.ServeConfig{
		HandshakeConfig: handshakeConfig(), VersionedPlugins: pluginSets(), Logger: hclog.NewNullLogger(),
		GRPCServer: func(opts []grpc.ServerOption) *grpc.Server {
			server := grpc.NewServer(opts...)
			register(server)
			return server
		},
	})
}

// Raw returns a backend's bare connection, which checks nothing.
func Raw(b Backend) pb.PersisterClient {
	rpc, _, _ := b.Persister.(*client).acquire(context.Background())
	return rpc
}

// Unreachable is a backend whose persister cannot be reached.
func Unreachable() (Backend, func()) {
	conn, err := grpc.NewClient("passthrough:nowhere", append(dialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) { return nil, errors.New("nobody there") }),
	)...)
	if err != nil {
		panic(err)
	}
	c := &client{of: Description{Capabilities: Capabilities()}.WithDefaults(), acquire: func(context.Context) (pb.PersisterClient, func(), error) {
		return pb.NewPersisterClient(conn), func() {}, nil
	}}
	return c.backend(), func() { _ = conn.Close() }
}
