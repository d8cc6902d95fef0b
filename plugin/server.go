package plugin

import (
	"cmp"
	"context"
	"errors"
	"log/slog"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// server answers the wire's calls from a store. It validates arguments before the store sees them.
type server struct {
	pb.UnimplementedPersisterServer
	store Backend
	log   *slog.Logger
}

// newServer returns a gRPC server for a store, with the contract's limits.
func newServer(store Backend, log *slog.Logger, opts ...grpc.ServerOption) *grpc.Server {
	s := &server{store: store, log: slog.New(withRequests(log.Handler()))}
	g := grpc.NewServer(append(opts,
		grpc.MaxRecvMsgSize(MaxMessageBytes),
		grpc.MaxSendMsgSize(MaxMessageBytes),
		grpc.ChainUnaryInterceptor(s.guard),
	)...)
	pb.RegisterPersisterServer(g, s)
	return g
}

func (s *server) Describe(context.Context, *pb.DescribeRequest) (*pb.Description, error) {
	return descriptionToWire(s.store.Description), nil
}

func (s *server) Create(ctx context.Context, w *pb.NewAccount) (*pb.Account, error) {
	a := newAccountFromWire(w)
	if err := cmp.Or(a.Validate(), a.within(s.store.Description)); err != nil {
		return nil, err
	}
	return accountReply(s.store.Create(ctx, a))
}

func (s *server) Resolve(ctx context.Context, w *pb.ResolveRequest) (*pb.Account, error) {
	attempt, keys := Attempt(w.GetAttempt()), list(w.GetKeys(), keyFromWire)
	if err := cmp.Or(attempt.Validate(), validateKeys(keys)); err != nil {
		return nil, err
	}
	return accountReply(s.store.Resolve(ctx, attempt, keys))
}

func (s *server) Lookup(ctx context.Context, w *pb.LookupRequest) (*pb.Account, error) {
	k := keyFromWire(w.GetKey())
	if err := k.ValidateLookup(); err != nil {
		return nil, err
	}
	return accountReply(s.store.Lookup(ctx, k))
}

func (s *server) Get(ctx context.Context, w *pb.GetRequest) (*pb.Account, error) {
	id := ID(w.GetId())
	if err := id.Validate(); err != nil {
		return nil, err
	}
	return accountReply(s.store.Get(ctx, id))
}

func (s *server) Delete(ctx context.Context, w *pb.DeleteRequest) (*pb.DeleteReply, error) {
	id := ID(w.GetId())
	if err := id.Validate(); err != nil {
		return nil, err
	}
	return &pb.DeleteReply{}, s.store.Delete(ctx, id)
}

func (s *server) Ping(ctx context.Context, _ *pb.PingRequest) (*pb.PingReply, error) {
	return &pb.PingReply{}, s.store.Ping(ctx)
}

func (s *server) Authenticate(ctx context.Context, w *pb.AuthenticateRequest) (*pb.Account, error) {
	if s.store.Authenticator == nil {
		return nil, errors.ErrUnsupported
	}
	k, p := keyFromWire(w.GetKey()), NewSecret(w.GetPassword())
	if err := k.ValidateLookup(); err != nil {
		return nil, err
	}
	if !p.usable() {
		return nil, ErrDenied
	}
	return accountReply(s.store.Authenticator.Authenticate(ctx, k, p))
}

func (s *server) SetPassword(ctx context.Context, w *pb.SetPasswordRequest) (*pb.SetPasswordReply, error) {
	if s.store.PasswordSetter == nil {
		return nil, errors.ErrUnsupported
	}
	id, p := ID(w.GetId()), NewSecret(w.GetPassword())
	if err := validateSetPassword(id, p, s.store.Description); err != nil {
		return nil, err
	}
	return &pb.SetPasswordReply{}, s.store.PasswordSetter.SetPassword(ctx, id, p)
}

func (s *server) Update(ctx context.Context, w *pb.UpdateRequest) (*pb.Account, error) {
	if s.store.Updater == nil {
		return nil, errors.ErrUnsupported
	}
	id, c := ID(w.GetId()), changeFromWire(w.GetChange())
	if err := cmp.Or(id.Validate(), c.Validate(), c.within(s.store.Description)); err != nil {
		return nil, err
	}
	return accountReply(s.store.Updater.Update(ctx, id, c))
}

// List asks for fewer accounts where a page does not fit into a message: a store counts accounts and not bytes.
func (s *server) List(ctx context.Context, w *pb.ListQuery) (*pb.Page, error) {
	if s.store.Lister == nil {
		return nil, errors.ErrUnsupported
	}
	q := listQueryFromWire(w)
	if err := q.Validate(); err != nil {
		return nil, err
	}
	for {
		page, err := s.store.Lister.List(ctx, q)
		if err != nil {
			return nil, err
		}
		reply := pageToWire(page)
		if proto.Size(reply) <= MaxMessageBytes || q.Limit == 1 {
			return reply, nil
		}
		q.Limit = (q.Limit + 1) / 2
	}
}

func (s *server) Maintain(ctx context.Context, _ *pb.MaintainRequest) (*pb.MaintainReport, error) {
	if s.store.Maintainer == nil {
		return nil, errors.ErrUnsupported
	}
	report, err := s.store.Maintainer.Maintain(ctx)
	return maintainReportToWire(report), err
}

func (s *server) Statuses(ctx context.Context, w *pb.StatusesRequest) (*pb.StatusesReply, error) {
	if s.store.Statuses == nil {
		return nil, errors.ErrUnsupported
	}
	ids := texts[ID](w.GetIds())
	if err := validateIDs(ids); err != nil {
		return nil, err
	}
	statuses, err := s.store.Statuses.Statuses(ctx, ids)
	return &pb.StatusesReply{Statuses: list(statuses, statusToWire)}, err
}

func (s *server) CheckSchema(ctx context.Context, w *pb.CheckSchemaRequest) (*pb.SchemaReport, error) {
	uses := list(w.GetUses(), useFromWire)
	if err := validateUses(uses); err != nil {
		return nil, err
	}
	report, err := s.store.SchemaChecker.CheckSchema(ctx, uses)
	return schemaReportToWire(report), err
}

func accountReply(a Account, err error) (*pb.Account, error) {
	if err != nil {
		return nil, err
	}
	return accountToWire(a), nil
}
