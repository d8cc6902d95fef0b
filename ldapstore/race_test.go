package ldapstore_test

import (
	"context"
	"flag"
	"sync/atomic"
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
	"github.com/narthex/narthex/testenv"
)

// Rounds of the race; more on demand: go test ./ldapstore -run OneOfMany -args -rounds 1000.
var rounds = flag.Int("rounds", 0, "rounds of the race for one name, on every directory")

// inTurn lets creations go to one persister after the other.
type inTurn struct {
	plugin.Persister
	all  []plugin.Backend
	next atomic.Int64
}

func (p *inTurn) Create(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) {
	return p.all[p.next.Add(1)%int64(len(p.all))].Create(ctx, a)
}

func spread(all []plugin.Backend) plugin.Backend {
	b := all[0]
	b.Persister = &inTurn{Persister: all[0].Persister, all: all}
	return b
}

// TestOneOfManyCallersOfThreePersistersGetsTheName has 64 callers want one address, through three processes.
func TestOneOfManyCallersOfThreePersistersGetsTheName(t *testing.T) {
	usual := map[string]int{testenv.OpenLDAP: 20, testenv.DS389: 3, testenv.ActiveDirectory: 1}
	for _, kind := range testenv.Directories() {
		t.Run(kind.Kind, func(t *testing.T) {
			o := prepared(t, kind)
			o.Directory.Connections = 8
			var hosts []plugin.Backend
			for range 3 {
				hosts = append(hosts, process(t, o).Backend())
			}
			n := usual[kind.Kind]
			if *rounds > 0 {
				n = *rounds
			}
			plugintest.Race(t.Context(), t, spread(hosts), 64, n, suite(kind.Kind)...)
		})
	}
}
