package plugin

import (
	"context"
	"net"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// InProcess opens a store over the same wire as Open, without a process: for tests. Call stop when done.
func InProcess(ctx context.Context, cfg ServeConfig) (b Backend, stop func(), err error) {
	store, err := Of(ctx, cfg.Persister)
	if err != nil {
		return Backend{}, nil, err
	}
	return connect(ctx, newServer(store, cfg.logger()))
}

// connect serves what is registered with a gRPC server and opens it, all in this process.
func connect(ctx context.Context, server *grpc.Server) (b Backend, stop func(), err error) {
	listener := bufconn.Listen(64 << 10)
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = server.Serve(listener) // ends with Stop
	}()
	conn, err := grpc.NewClient("passthrough:in-process", append(dialOptions(),
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) { return listener.DialContext(ctx) }),
	)...)
	stop = func() {
		if conn != nil {
			_ = conn.Close()
		}
		server.Stop()
		<-served
	}
	if err != nil {
		stop()
		return Backend{}, nil, err
	}
	rpc := pb.NewPersisterClient(conn)
	description, err := describe(ctx, rpc)
	if err != nil {
		stop()
		return Backend{}, nil, err
	}
	c := &client{of: description, acquire: func(context.Context) (pb.PersisterClient, func(), error) {
		return rpc, func() {}, nil
	}}
	return c.backend(), stop, nil
}

// describe asks a persister what it is and refuses what this host cannot talk to.
func describe(ctx context.Context, rpc pb.PersisterClient) (Description, error) {
	c := &client{acquire: func(context.Context) (pb.PersisterClient, func(), error) { return rpc, func() {}, nil }}
	reply, err := call(ctx, c, opDescribe, func(ctx context.Context, rpc pb.PersisterClient) (*pb.Description, error) {
		return rpc.Describe(ctx, &pb.DescribeRequest{})
	})
	if err != nil {
		return Description{}, err
	}
	d := descriptionFromWire(reply).WithDefaults()
	if d.Contract != ContractVersion {
		return Description{}, errVersion(strconv.Itoa(d.Contract))
	}
	if err := d.Validate(); err != nil {
		return Description{}, opDescribe.badReply(err)
	}
	return d, nil
}
