package doctor

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// Rights tries what the service account may do, for each capability that the plan wants. What it writes is the claim
// CheckName, which stays and is used again, a staged entry, which it removes, and the password and the locks of Probe.
// Rights on accounts are tried on one that is there, with requests that no server can carry out: deleting a value that
// the entry has not, moving it below an entry that there is none. Where nobody is there yet, they count as allowed. The map
// has every capability that the plan wants, and no other: ChangeAttributes, for one, only with Uses that have attributes.
//
// An error says that the directory could not be asked; it is one of the pool's.
func Rights(ctx context.Context, pool *directory.Pool, p Plan) (map[Capability]bool, Report, error) {
	r, err := newProber(ctx, pool, p)
	if err != nil {
		return nil, nil, err
	}
	return r.all(ctx)
}

// all tries everything.
func (r *prober) all(ctx context.Context) (map[Capability]bool, Report, error) {
	for _, c := range r.plan.inUse() {
		r.allowed[c] = true
	}
	for _, try := range []func(context.Context) error{r.claims, r.staging, r.counters, r.accounts, r.groups, r.decoy, r.probe} {
		if err := try(ctx); err != nil {
			return nil, r.report, fmt.Errorf("try the service account's rights: %w", err)
		}
	}
	return r.allowed, r.report, nil
}

const rightsCheck = "rights"

// prober sends requests and notes what is refused.
type prober struct {
	pool    *directory.Pool
	plan    Plan
	server  directory.Server
	allowed map[Capability]bool
	report  Report
	// untried are rights on accounts that nothing is known about, because there is no account.
	untried []Capability
	// seen are grants that were refused: each is told once.
	seen map[grant]bool
	// watch is called while a staged entry is there.
	watch func(ctx context.Context, staged directory.DN) error
}

func newProber(ctx context.Context, pool *directory.Pool, p Plan) (*prober, error) {
	server, err := pool.Server(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask the directory what it is: %w", err)
	}
	schema, err := pool.Schema(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the directory's schema: %w", err)
	}
	p.Schema, p.Settings = schema, p.Settings.With(schema)
	if server.Kind == directory.ActiveDirectory && p.ServiceSID == "" {
		if err := learnDomain(ctx, pool, &p); err != nil && !directory.Refused(err) {
			return nil, err
		}
	}
	return &prober{pool: pool, plan: p, server: server, allowed: map[Capability]bool{}, seen: map[grant]bool{}}, nil
}

// judge notes the outcome of a request that Create needs. Codes of fine mean that the server would have done it, had it made sense. An error
// is one that is no answer.
func (r *prober) judge(g grant, err error, fine ...uint16) (allowed bool, fatal error) {
	switch {
	case err == nil, len(fine) > 0 && directory.Refused(err, fine...):
		return true, nil
	case !directory.Refused(err):
		return false, err
	case directory.Refused(err, directory.InsufficientAccessRights):
		r.refuse(Create, g, "")
	default:
		r.refuse(Create, g, answer(err))
	}
	return false, nil
}

// entryOr returns of if slapd's own text says that the new entry itself was refused, not its place. It only decides which
// line is named.
func entryOr(err error, of, place grant) grant {
	var refusal *directory.Error
	if errors.As(err, &refusal) && strings.Contains(refusal.Diagnostic, "access to entry") {
		return of
	}
	return place
}

// refuse notes that a grant is missing. Without a further reason it is a matter of rights.
func (r *prober) refuse(c Capability, g grant, reason string) {
	r.allowed[c] = false
	if r.seen[g] {
		return
	}
	r.seen[g] = true
	text, fix := fmt.Sprintf("%s: the service account may not %s", c, g), r.plan.fix(g)
	if reason != "" {
		text, fix = fmt.Sprintf("%s: the service account cannot %s: %s", c, g, reason), "see what the server's log says about it"
	}
	r.report = append(r.report, Finding{Check: rightsCheck, Level: level(c), Text: text, Fix: fix})
}

// level is how bad it is to lack a capability: nothing works without Create.
func level(c Capability) Level {
	if c == Create {
		return Failure
	}
	return Warning
}

// answer words a refusal for the admin, with the server's own text.
func answer(err error) string {
	var refusal *directory.Error
	if !errors.As(err, &refusal) {
		return err.Error()
	}
	text := fmt.Sprintf("the server answers with result code %d", refusal.Code)
	if meaning := refusal.Meaning(); meaning != "" {
		text += ", " + meaning
	}
	if refusal.Diagnostic != "" {
		text += fmt.Sprintf(" (%s)", oneLine(refusal.Diagnostic))
	}
	return text
}

// replaced sets an attribute; without values it removes it.
func replaced(name string, values ...string) directory.Change {
	return directory.Change{Kind: directory.ReplaceValues, Attribute: directory.Attribute{Name: name, Values: values}}
}

// absent deletes a value that no entry has: refused with NoSuchAttribute where it is allowed.
func absent(name, value string) []directory.Change {
	return []directory.Change{{Kind: directory.DeleteValues, Attribute: directory.Attribute{Name: name, Values: []string{value}}}}
}

// run is the name of an execution, as creations have it.
func run() string { return randomHex(10) }

func randomHex(octets int) string {
	b := make([]byte, octets)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

// password is one that every policy should like.
func password() string { return "Nx-" + randomHex(12) + "-Qz7" }
