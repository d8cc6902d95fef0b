package directory_test

import (
	"context"
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	ber "github.com/go-asn1-ber/asn1-ber"

	"github.com/narthex/narthex/ldapstore/directory"
)

// replicated is a writer that counts its requests, and a pool with one replica.
func replicated(t *testing.T, replica func(net.Conn)) (pool *directory.Pool, atWriter *atomic.Int64) {
	t.Helper()
	atWriter = new(atomic.Int64)
	settings := startFault(t, counting(atWriter)).settings()
	settings.Readers = []string{"ldap://" + startFault(t, replica).Addr().String()}
	settings.RequestTimeout = short
	return open(t, settings), atWriter
}

func counting(n *atomic.Int64) func(net.Conn) {
	return afterBind(func(c net.Conn, id int64, o *ber.Packet) {
		n.Add(1)
		_, _ = c.Write(append(oneFound(id, o), result(id, answers[o.Tag], 0)...))
	})
}

func TestAReplicaIsAskedForReadsAndRefusesWritesItself(t *testing.T) {
	t.Parallel()
	var atReplica atomic.Int64
	pool, atWriter := replicated(t, counting(&atReplica))
	replica := pool.Replicas()[0]
	for _, call := range calls {
		err := call.do(t.Context(), replica)
		if reads := call.name == "read" || call.name == "search"; reads != (err == nil) || !reads && !errors.Is(err, directory.ErrUnsupported) {
			t.Errorf("%s: %v", call.name, err)
		}
	}
	if atReplica.Load() != 2 || atWriter.Load() != 0 {
		t.Errorf("%d requests at the replica, %d at the writer", atReplica.Load(), atWriter.Load())
	}
	if !replica.Awake() {
		t.Error("a replica that answers rests")
	}
}

func TestAReplicaThatDoesNotAnswerRests(t *testing.T) {
	t.Parallel()
	closing := func(c net.Conn) { _ = c.Close() }
	for name, replica := range map[string]func(net.Conn){
		"it hangs": hang, "it closes": closing,
		"it hangs after the bind": afterBind(func(net.Conn, int64, *ber.Packet) {}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, _ := replicated(t, replica)
			if _, err := pool.Replicas()[0].Read(t.Context(), somebody); err == nil {
				t.Fatal("it answers")
			}
			if pool.Replicas()[0].Awake() {
				t.Error("it is asked again at once")
			}
			eventually(t, pool.Replicas()[0].Awake)
		})
	}
	t.Run("a caller who goes away says nothing about it", func(t *testing.T) {
		t.Parallel()
		pool, _ := replicated(t, hang)
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(short/4, cancel)
		if _, err := pool.Replicas()[0].Read(ctx, somebody); err == nil {
			t.Fatal("it answers")
		}
		if !pool.Replicas()[0].Awake() {
			t.Error("it rests")
		}
	})
	t.Run("a password that nobody judges makes it rest, too", func(t *testing.T) {
		t.Parallel()
		pool, _ := replicated(t, hang)
		if _, err := pool.Replicas()[0].Authenticate(t.Context(), somebody, "x"); err == nil {
			t.Fatal("it answers")
		}
		if pool.Replicas()[0].Awake() {
			t.Error("it is asked again at once")
		}
	})
}
