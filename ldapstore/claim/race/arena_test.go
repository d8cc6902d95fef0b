package race

import (
	"context"
	"encoding/hex"
	"flag"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/claim"
	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

var (
	manyRounds = flag.Int("rounds", 0, "rounds of each race; 0: the few of a test")
	narrate    = flag.Bool("narrate", false, "log what processes warn of")
	unique     = flag.Bool("unique", false, "slapd: with the overlay unique on uid and mail")
)

// arena is a directory with room for processes, and an admin who looks.
type arena struct {
	*testing.T
	dir      *testenv.Directory
	settings *entry.Settings
	server   directory.Server
	service  *directory.Pool
	admin    *directory.Pool
	lease    time.Duration
	tally    *tally
	now      func() time.Time
	// through, if set, stands between every process and the server: a positive control.
	through func(directory.Operations) directory.Operations
}

// leases are long enough for a healthy process on a busy machine to act within half of one.
var leases = map[string]time.Duration{testenv.OpenLDAP: 80 * time.Millisecond, testenv.DS389: 600 * time.Millisecond, testenv.ActiveDirectory: 800 * time.Millisecond}

const group = "staff"

func enter(t *testing.T, kind testenv.DirectoryKind) *arena {
	t.Helper()
	options := []testenv.DirectoryOption{testenv.WithClaims()}
	if *unique && kind.Kind == testenv.OpenLDAP {
		options = append(options, testenv.WithUnique("uid", "mail"))
	}
	a := &arena{T: t, dir: kind.Start(t, options...), lease: leases[kind.Kind], tally: newTally(), now: time.Now}
	a.service, a.admin = a.connect(a.dir.ServiceDN, a.dir.ServicePassword), a.connect(a.dir.AdminDN, a.dir.AdminPassword)
	var err error
	if a.server, err = a.admin.Server(t.Context()); err != nil {
		t.Fatal(err)
	}
	a.settings, err = entry.Decode("directory.yaml", []byte("groups:\n  "+group+":\n    dn: cn=staff,ou=groups\n"), a.server.Kind, directory.DN(a.dir.Base))
	if err != nil {
		t.Fatal(err)
	}
	schema, err := a.admin.Schema(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	a.settings = a.settings.With(schema)
	a.settings.UsernameHold = 16 * a.lease
	class, members := "groupOfNames", []string{a.dir.ServiceDN}
	if kind.Kind == testenv.ActiveDirectory {
		class, members = "group", nil
	}
	attributes := []directory.Attribute{{Name: "objectClass", Values: []string{class}}}
	if members != nil {
		attributes = append(attributes, directory.Attribute{Name: "member", Values: members})
	}
	if err := a.admin.Add(t.Context(), a.settings.Groups[group].DN, attributes); err != nil {
		t.Fatal(err)
	}
	return a
}

func (a *arena) connect(dn, password string) *directory.Pool {
	pool, err := directory.Open(directory.Settings{URL: a.dir.URL, CAFile: a.dir.CAFile, BindDN: dn, Password: password, Connections: 20})
	if err != nil {
		a.Fatal(err)
	}
	a.Cleanup(pool.Close)
	return pool
}

// spawn starts a process.
func (a *arena) spawn(l luck) (*process, *claim.Store) {
	var below directory.Operations = a.service
	if a.through != nil {
		below = a.through(below)
	}
	p := &process{Operations: below, luck: l, tally: a.tally}
	return p, a.over(p)
}

// over is a Store whose requests go through operations.
func (a *arena) over(operations directory.Operations) *claim.Store {
	log := slog.New(slog.DiscardHandler)
	if *narrate {
		log = slog.New(slog.NewTextHandler(a.Output(), nil))
	}
	return claim.New(claim.Config{Operations: operations, Server: a.server, Settings: a.settings, Canonical: canonical, Clock: a.clock, Lease: a.lease, Log: log})
}

func (a *arena) clock() time.Time { return a.now() }

// canonical is how the host of these tests forms keys.
func canonical(_ plugin.KeyKind, _, value string) (string, bool) {
	name, _, _ := strings.Cut(strings.TrimPrefix(strings.ToLower(value), "ü"), "@")
	return token(name).canonical(), true
}

// lucky is a process that nothing happens to.
func (a *arena) lucky() *claim.Store {
	_, s := a.spawn(luck{lease: a.lease})
	return s
}

// token is one of the few words that a round's people want: as a username, and as an address.
type token string

// refusable ends a token whose address most servers refuse as a mail: it is not ASCII.
const refusable = "odd"

func (k token) mail() string {
	if strings.HasSuffix(string(k), refusable) {
		return "ü" + string(k) + "@x.test"
	}
	return string(k) + "@x.test"
}

// All identifiers share one namespace: whoever has the username has the address.
func (k token) canonical() string { return "1:" + string(k) }

func (k token) key(kind plugin.KeyKind) plugin.Key {
	if kind == plugin.KindUsername {
		return plugin.Key{Kind: kind, Canonical: k.canonical(), Value: string(k), Attribute: "uid", Login: true}
	}
	return plugin.Key{Kind: plugin.KindEmail, Canonical: k.canonical(), Value: k.mail(), Attribute: "mail", Login: true}
}

// attempt is one person's try.
type attempt struct {
	id          plugin.Attempt
	user, alias token
	password    string
	member      bool
}

func newAttempt(user, alias token, member bool) *attempt {
	id := randomHex(16)
	return &attempt{id: plugin.Attempt(id), user: user, alias: alias, password: "Pw-" + id[:12] + "-9X", member: member}
}

func randomHex(octets int) string {
	b := make([]byte, octets)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return hex.EncodeToString(b)
}

func (t *attempt) keys() []plugin.Key {
	return []plugin.Key{t.user.key(plugin.KindUsername), t.alias.key(plugin.KindEmail)}
}

// create executes an attempt once. Deadlines are as short as a lease, and passwords what the server makes of them.
func (a *arena) create(ctx context.Context, p *process, s *claim.Store, t *attempt) (claim.Made, error) {
	account := plugin.NewAccount{Attempt: t.id, Keys: t.keys(), Attributes: plugin.Attributes{"sn": {plugin.StringValue("of " + string(t.user))}}, Password: plugin.NewSecret(t.password)}
	if t.member {
		account.Groups = []string{group}
	}
	passwords := entry.NewPasswords(a.settings)
	staged, err := passwords.Staged(ctx, account.Password)
	if err != nil {
		return claim.Made{}, err
	}
	patience := a.lease
	if p.lucky() { // a busy machine is no bad luck of the protocol's
		patience = 5 * time.Second
	}
	execution := s.Begin(t.id)
	defer execution.End()
	c := claim.Creation{Execution: execution, Attempt: t.id, NotAfter: a.now().Add(patience), Keys: account.Keys,
		Build: func(mark string) (entry.Draft, error) {
			return a.settings.Build(account, entry.Inputs{Run: mark, Password: staged, Now: time.Now()})
		}}
	if passwords.Later() {
		c.SetPassword = func(ctx context.Context, dn directory.DN) error { return p.SetPassword(ctx, dn, t.password) }
	}
	ctx, cancel := context.WithTimeout(ctx, 4*patience)
	defer cancel()
	return s.Create(ctx, c)
}

// tokens are new for each round.
func tokens(n int) []token {
	prefix := "r" + randomHex(4)
	all := make([]token, n)
	for i := range all {
		all[i] = token(fmt.Sprintf("%sx%d", prefix, i))
	}
	return all
}

func rounds(short int) int {
	if *manyRounds > 0 {
		return *manyRounds
	}
	return short
}

// violations are what should not be, by kind, with the first examples.
type violations struct {
	*testing.T
	round int
	kinds map[string]int
}

func (v *violations) add(kind, format string, args ...any) {
	if v.kinds[kind]++; v.kinds[kind] <= 3 {
		v.Log("round", v.round, kind+":", fmt.Sprintf(format, args...))
	}
}

func (v *violations) String() string {
	if len(v.kinds) == 0 {
		return "none"
	}
	var parts []string
	for kind, n := range v.kinds {
		parts = append(parts, fmt.Sprintf("%d x %s", n, kind))
	}
	return strings.Join(parts, ", ")
}
