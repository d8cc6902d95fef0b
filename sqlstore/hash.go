package sqlstore

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/narthex/narthex/plugin"
)

// Hash is the cost of argon2id (RFC 9106): Memory in KiB, Time in passes, Threads in lanes.
type Hash struct {
	Memory, Time uint32
	Threads      uint8
}

// DefaultHash is OWASP's recommendation. CheapestHash is for tests that make thousands of accounts.
var (
	DefaultHash  = Hash{Memory: 19456, Time: 2, Threads: 1}
	CheapestHash = Hash{Memory: 8, Time: 1, Threads: 1}
)

const (
	saltBytes = 16
	tagBytes  = 32
	// Bounds of what is computed on somebody's behalf, also for hashes found in the database.
	maxMemory  = 256 << 10
	maxTime    = 16
	maxThreads = 16
	// hashWait is how long a request waits for a free core before it is told to come back later.
	hashWait = 2 * time.Second
)

// ParseHash reads "m=19456,t=2,p=1".
func ParseHash(s string) (Hash, error) {
	var h Hash
	if n, err := fmt.Sscanf(s, "m=%d,t=%d,p=%d", &h.Memory, &h.Time, &h.Threads); n != 3 || err != nil || h.String() != s {
		return Hash{}, errors.New(`the cost of argon2id is written like "m=19456,t=2,p=1"`)
	}
	return h, h.Validate()
}

// String is the form that ParseHash reads.
func (h Hash) String() string { return fmt.Sprintf("m=%d,t=%d,p=%d", h.Memory, h.Time, h.Threads) }

// Validate checks the bounds: 8 KiB for each lane to 256 MiB, 1 to 16 passes, 1 to 16 lanes.
func (h Hash) Validate() error {
	if h.Threads < 1 || h.Threads > maxThreads || h.Time < 1 || h.Time > maxTime || h.Memory < 8*uint32(h.Threads) || h.Memory > maxMemory {
		return fmt.Errorf("argon2id with %s is out of bounds: m from 8 for each lane to %d, t from 1 to %d, p from 1 to %d", h, maxMemory, maxTime, maxThreads)
	}
	return nil
}

// hasher computes hashes, no more at once than there are cores: more would only make all of them late and cost memory.
type hasher struct {
	cost  Hash
	slots chan struct{}
	decoy string
}

func newHasher(cost Hash) *hasher {
	return &hasher{cost: cost, slots: make(chan struct{}, runtime.GOMAXPROCS(0)), decoy: phc(cost, make([]byte, saltBytes), make([]byte, tagBytes))}
}

// hash returns the PHC string of a new password.
func (h *hasher) hash(ctx context.Context, p plugin.Secret) (string, error) {
	salt := make([]byte, saltBytes)
	if _, err := rand.Read(salt); err != nil {
		return "", fmt.Errorf("draw a salt: %w", err)
	}
	tag, err := h.compute(ctx, p, salt, h.cost)
	if err != nil {
		return "", err
	}
	return phc(h.cost, salt, tag), nil
}

// verify tells whether p is the password of a PHC string, and whether the string is of another cost than new ones. An
// empty string, or one that cannot be read, costs as much as a good one and is never right.
func (h *hasher) verify(ctx context.Context, stored string, p plugin.Secret) (right, outdated bool, _ error) {
	cost, salt, want, err := parsePHC(stored)
	decoy := err != nil
	if decoy {
		if cost, salt, want, err = parsePHC(h.decoy); err != nil {
			return false, false, err
		}
	}
	got, err := h.compute(ctx, p, salt, cost)
	if err != nil {
		return false, false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1 && !decoy, cost != h.cost, nil
}

func (h *hasher) compute(ctx context.Context, p plugin.Secret, salt []byte, cost Hash) ([]byte, error) {
	wait := time.NewTimer(hashWait)
	defer wait.Stop()
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-wait.C:
		return nil, fmt.Errorf("wait for a core to hash on: %w", plugin.ErrUnavailable)
	}
	defer func() { <-h.slots; hashed() }()
	return argon2.IDKey([]byte(p.Reveal()), salt, cost.Time, cost.Memory, cost.Threads, tagBytes), nil
}

// b64 is the encoding of PHC strings: standard alphabet, no padding.
var b64 = base64.RawStdEncoding

func phc(cost Hash, salt, tag []byte) string {
	return fmt.Sprintf("$argon2id$v=%d$%s$%s$%s", argon2.Version, cost, b64.EncodeToString(salt), b64.EncodeToString(tag))
}

// errHash is any stored hash that must not be computed: another scheme, other lengths, parameters out of bounds.
var errHash = errors.New("the stored hash is none of ours")

func parsePHC(s string) (cost Hash, salt, tag []byte, err error) {
	parts := strings.Split(s, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v="+strconv.Itoa(argon2.Version) {
		return Hash{}, nil, nil, errHash
	}
	if cost, err = ParseHash(parts[3]); err != nil {
		return Hash{}, nil, nil, errHash
	}
	salt, errSalt := b64.DecodeString(parts[4])
	tag, errTag := b64.DecodeString(parts[5])
	if errSalt != nil || errTag != nil || len(salt) != saltBytes || len(tag) != tagBytes {
		return Hash{}, nil, nil, errHash
	}
	return cost, salt, tag, nil
}
