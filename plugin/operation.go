package plugin

import (
	"context"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/stats"
)

// operation is one call of the contract as the host sees it.
type operation struct {
	name  string
	write bool
	limit time.Duration
}

// The limits of a call. Those that may wait for a commit have as long as an execution lives.
const (
	readLimit  = 5 * time.Second
	writeLimit = CreateLifetime
)

var (
	opDescribe     = operation{"describe", false, readLimit}
	opCreate       = operation{"create", true, writeLimit}
	opResolve      = operation{"resolve", true, writeLimit}
	opLookup       = operation{"lookup", false, readLimit}
	opGet          = operation{"get", false, readLimit}
	opDelete       = operation{"delete", true, writeLimit}
	opPing         = operation{"ping", false, readLimit}
	opAuthenticate = operation{"authenticate", false, readLimit}
	opSetPassword  = operation{"set password", true, readLimit}
	opUpdate       = operation{"update", true, writeLimit}
	opList         = operation{"list", false, readLimit}
	opMaintain     = operation{"maintain", true, readLimit}
	opStatuses     = operation{"statuses", false, readLimit}
	opCheckSchema  = operation{"check schema", false, readLimit}
)

// sendingKey finds a call's flag in its context.
type sendingKey struct{}

// trackSending returns a context whose flag turns true when the call's request may have left this process.
func trackSending(ctx context.Context) (context.Context, *atomic.Bool) {
	sent := new(atomic.Bool)
	return context.WithValue(ctx, sendingKey{}, sent), sent
}

// sendingTracker raises the flag of a call when its headers are on their way: before that, nothing is.
type sendingTracker struct{}

func (sendingTracker) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context { return ctx }

func (sendingTracker) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, ok := event.(*stats.OutHeader); ok {
		if sent, ok := ctx.Value(sendingKey{}).(*atomic.Bool); ok {
			sent.Store(true)
		}
	}
}

func (sendingTracker) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }

func (sendingTracker) HandleConn(context.Context, stats.ConnStats) {}
