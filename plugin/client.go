package plugin

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"google.golang.org/grpc"

	pb "github.com/narthex/narthex/plugin/persisterpb"
)

// client makes the contract's calls over the wire. It sends only what the store accepts and passes on only answers that
// are valid.
type client struct {
	// acquire returns the connection for one call; release tells that the call has ended.
	acquire func(ctx context.Context) (rpc pb.PersisterClient, release func(), err error)
	// of is what the store has said of itself.
	of Description
}

// dialOptions are those of every connection to a persister.
func dialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessageBytes), grpc.MaxCallSendMsgSize(MaxMessageBytes)),
		grpc.WithStatsHandler(sendingTracker{}),
		grpc.WithDisableServiceConfig(),
	}
}

// backend returns what the store offers.
func (c *client) backend() Backend {
	b := Backend{
		Persister: c, Description: c.of, Authenticator: c, PasswordSetter: c, Updater: c,
		Lister: c, Maintainer: c, Statuses: c, SchemaChecker: c,
	}
	b.keep(func(name Capability) bool { return slices.Contains(c.of.Capabilities, name) })
	if b.SchemaChecker == nil {
		b.SchemaChecker = describedSchema{c.of}
	}
	return b
}

// call does one call within the operation's limit.
func call[Reply any](ctx context.Context, c *client, o operation, send func(context.Context, pb.PersisterClient) (Reply, error)) (Reply, error) {
	var none Reply
	if err := ctx.Err(); err != nil {
		return none, o.wrap(ErrUnavailable, err)
	}
	rpc, release, err := c.acquire(ctx)
	if err != nil {
		return none, o.wrap(ErrUnavailable, err)
	}
	defer release()
	limited, cancel := context.WithTimeout(ctx, o.limit)
	defer cancel()
	limited, sent := trackSending(sendRequest(limited))
	reply, err := send(limited, rpc)
	if err != nil {
		return none, o.failed(limited.Err(), sent.Load(), err)
	}
	return reply, nil
}

// account does one call that answers with an account.
func (c *client) account(ctx context.Context, o operation, send func(context.Context, pb.PersisterClient) (*pb.Account, error)) (Account, error) {
	reply, err := call(ctx, c, o, send)
	if err != nil {
		return Account{}, err
	}
	a := accountFromWire(reply)
	if err := a.Validate(); err != nil {
		return Account{}, o.badReply(err)
	}
	return a, nil
}

// accountOf is account for a call that names the account.
func (c *client) accountOf(ctx context.Context, id ID, o operation, send func(context.Context, pb.PersisterClient) (*pb.Account, error)) (Account, error) {
	a, err := c.account(ctx, o, send)
	if err == nil && a.ID != id {
		return Account{}, o.badReply(errors.New("it is about another account"))
	}
	return a, err
}

// accountNamed is account for a call that has the account's keys. An attempt has one content, and a username never
// changes, so what answers to another one is somebody else's. A directory may show its own spelling.
func (c *client) accountNamed(ctx context.Context, keys []Key, o operation, send func(context.Context, pb.PersisterClient) (*pb.Account, error)) (Account, error) {
	a, err := c.account(ctx, o, send)
	if err == nil && !strings.EqualFold(a.Username, usernameIn(keys)) {
		return Account{}, o.badReply(errors.New("the account has another username"))
	}
	return a, err
}

func (c *client) Describe(context.Context) (Description, error) { return c.of, nil }

func (c *client) Create(ctx context.Context, a NewAccount) (Account, error) {
	if err := cmp.Or(a.Validate(), a.within(c.of)); err != nil {
		return Account{}, opCreate.wrap(err, nil)
	}
	return c.accountNamed(ctx, a.Keys, opCreate, func(ctx context.Context, rpc pb.PersisterClient) (*pb.Account, error) {
		return rpc.Create(ctx, newAccountToWire(a))
	})
}

func (c *client) Resolve(ctx context.Context, attempt Attempt, keys []Key) (Account, error) {
	if err := cmp.Or(attempt.Validate(), validateKeys(keys)); err != nil {
		return Account{}, opResolve.wrap(err, nil)
	}
	return c.accountNamed(ctx, keys, opResolve, func(ctx context.Context, rpc pb.PersisterClient) (*pb.Account, error) {
		return rpc.Resolve(ctx, &pb.ResolveRequest{Attempt: string(attempt), Keys: list(keys, keyToWire)})
	})
}

func (c *client) Lookup(ctx context.Context, k Key) (Account, error) {
	if err := k.ValidateLookup(); err != nil {
		return Account{}, opLookup.wrap(err, nil)
	}
	return c.account(ctx, opLookup, func(ctx context.Context, rpc pb.PersisterClient) (*pb.Account, error) {
		return rpc.Lookup(ctx, &pb.LookupRequest{Key: keyToWire(k)})
	})
}

func (c *client) Get(ctx context.Context, id ID) (Account, error) {
	if err := id.Validate(); err != nil {
		return Account{}, opGet.wrap(err, nil)
	}
	return c.accountOf(ctx, id, opGet, func(ctx context.Context, rpc pb.PersisterClient) (*pb.Account, error) {
		return rpc.Get(ctx, &pb.GetRequest{Id: string(id)})
	})
}

func (c *client) Delete(ctx context.Context, id ID) error {
	if err := id.Validate(); err != nil {
		return opDelete.wrap(err, nil)
	}
	_, err := call(ctx, c, opDelete, func(ctx context.Context, rpc pb.PersisterClient) (*pb.DeleteReply, error) {
		return rpc.Delete(ctx, &pb.DeleteRequest{Id: string(id)})
	})
	return err
}

func (c *client) Ping(ctx context.Context) error {
	_, err := call(ctx, c, opPing, func(ctx context.Context, rpc pb.PersisterClient) (*pb.PingReply, error) {
		return rpc.Ping(ctx, &pb.PingRequest{})
	})
	return err
}
