package claim

import (
	"encoding/hex"
	"hash/maphash"
	"sync"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Census remembers which claims there were at a moment, and whose, so that whoever goes through all accounts need not read
// every claim. It may be out of date: what it says decides only what is looked at, never what is written. It is safe for use
// by many goroutines; nil knows nothing.
type Census struct {
	store *Store
	seed  maphash.Seed

	mu     sync.Mutex
	claims map[censusName]censusClaim
}

type censusName [nameDigits / 2]byte

// censusClaim keeps a hash of the account: large directories have millions of claims.
type censusClaim struct {
	holder uint64
	held   bool
	met    bool
}

// NewCensus returns an empty one: no claim is known to be there.
func (s *Store) NewCensus() *Census {
	return &Census{store: s, seed: maphash.MakeSeed(), claims: map[censusName]censusClaim{}}
}

// Attributes is what Record wants to know of a claim.
func (c *Census) Attributes() []string { return []string{c.store.layout.state} }

// Record takes down one entry as it stands below Settings.Identifiers. Other entries than claims are passed over.
func (c *Census) Record(e directory.Entry) {
	_, text := e.DN.RDN()
	name, ok := censusNameOf(text)
	if !ok {
		return
	}
	var claim censusClaim
	if st, err := parse(e.Value(c.store.layout.state)); err == nil && st.phase == held {
		claim = censusClaim{holder: c.hash(st.id), held: true}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.claims[name] = claim
}

// Unmet returns the names of the claims that were held by accounts of which nobody has asked since with that name: they are
// gone, or do not carry the key any more.
func (c *Census) Unmet() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	var names []string
	for name, claim := range c.claims {
		if claim.held && !claim.met {
			names = append(names, hex.EncodeToString(name[:]))
		}
	}
	return names
}

// lacks tells whether a claim was not there.
func (c *Census) lacks(name string) bool {
	if c == nil {
		return false
	}
	key, _ := censusNameOf(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	_, there := c.claims[key]
	return !there
}

// meet tells whether an account that carries the key of a claim held it.
func (c *Census) meet(name string, id plugin.ID) bool {
	if c == nil {
		return false
	}
	key, _ := censusNameOf(name)
	c.mu.Lock()
	defer c.mu.Unlock()
	claim := c.claims[key]
	if !claim.held || claim.holder != c.hash(id) {
		return false
	}
	claim.met = true
	c.claims[key] = claim
	return true
}

func (c *Census) hash(id plugin.ID) uint64 { return maphash.String(c.seed, string(id)) }

func censusNameOf(text string) (name censusName, ok bool) {
	if nameFault(text) != nil {
		return name, false
	}
	_, err := hex.Decode(name[:], []byte(text))
	return name, err == nil
}
