package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// Config says what to examine: the persister's own settings.
type Config struct {
	Connection directory.Settings
	Base       directory.DN
	// File is the path of the persister's file, empty for none.
	File string
	// Uses is what the flows mean to store.
	Uses []plugin.AttributeUse
	// Capabilities to look at; none: all that the settings have a use for.
	Capabilities []Capability
	// Database as in Plan.
	Database string
	// RenewBefore is how long before a certificate ends it is worth a warning. Zero: 30 days.
	RenewBefore time.Duration
}

// Check examines a directory. It stops where nothing after would make sense. What it writes is what Rights writes.
func Check(ctx context.Context, c Config) Report {
	e := &examination{Config: c}
	for _, look := range []func(context.Context) bool{e.connection, e.account, e.file, e.entries, e.schema, e.rights, e.rest} {
		if !look(ctx) {
			break
		}
	}
	if e.pool != nil {
		e.pool.Close()
	}
	return e.report
}

// examination is one Check. Its steps return whether to go on.
type examination struct {
	Config
	report Report
	pool   *directory.Pool
	server directory.Server
	plan   Plan
}

// account binds.
func (e *examination) account(ctx context.Context) bool {
	const check = "account"
	conn, err := directory.Dial(ctx, e.Connection)
	switch {
	case err == nil:
		conn.Close()
	case errors.Is(err, directory.ErrEmptyPassword):
		e.report.fail(check, "the service account has no password", "set NARTHEX_LDAP_BIND_PASSWORD_FILE to the path of a file with it")
		return false
	case directory.Refused(err, directory.InvalidCredentials):
		e.report.fail(check, fmt.Sprintf("%s may not log in: %s", e.Connection.BindDN, answer(err)), "correct NARTHEX_LDAP_BIND_DN and the password in NARTHEX_LDAP_BIND_PASSWORD_FILE; see whether the account is locked or expired")
		return false
	case directory.Refused(err):
		e.report.fail(check, fmt.Sprintf("%s may not log in: %s", e.Connection.BindDN, answer(err)), "see what the server's log says about it")
		return false
	default:
		e.report.fail(check, "the server does not answer to the login of the service account: "+err.Error(), "see whether the server is overloaded or hangs")
		return false
	}
	e.report.note(check, fmt.Sprintf("%s logs in", e.Connection.BindDN))
	e.pool, err = directory.Open(e.Connection)
	if err != nil {
		e.report.fail(check, err.Error(), "correct the settings")
		return false
	}
	if e.server, err = e.pool.Server(ctx); err != nil {
		return e.lost(err)
	}
	return true
}

// lost ends an examination in the middle of which the directory went away.
func (e *examination) lost(err error) bool {
	e.report.fail("connection", "the directory went away in the middle: "+err.Error(), "see whether the server is overloaded or restarts, and look again")
	return false
}

// file reads the persister's file.
func (e *examination) file(ctx context.Context) bool {
	const check = "file"
	settings, err := entry.Read(e.File, e.server.Kind, e.Base)
	if faults := (entry.Faults)(nil); errors.As(err, &faults) {
		for _, f := range faults {
			place := f.File
			if f.Line > 0 {
				place = fmt.Sprintf("%s:%d:%d", f.File, f.Line, f.Column)
			}
			e.report.fail(check, fmt.Sprintf("%s: %s %s", place, f.Path, f.Problem), f.Fix)
		}
		return false
	}
	if err != nil {
		e.report.fail(check, err.Error(), "correct NARTHEX_PERSISTER_CONFIG and NARTHEX_LDAP_BASE")
		return false
	}
	schema, err := e.pool.Schema(ctx)
	if err != nil {
		return e.lost(err)
	}
	e.plan, err = e.planOf(ctx, settings.With(schema), schema)
	if err != nil {
		return e.lost(err)
	}
	return true
}

// planOf makes a plan, with what only Active Directory itself can tell.
func (e *examination) planOf(ctx context.Context, s *entry.Settings, schema *directory.Schema) (Plan, error) {
	p := Plan{Settings: s, Service: directory.DN(e.Connection.BindDN), Uses: e.Uses, Capabilities: e.Capabilities, Schema: schema, Database: e.Database}
	if s.Kind != directory.ActiveDirectory {
		return p, nil
	}
	return p, learnDomain(ctx, e.pool, &p)
}

// Learn connects and returns the plan for the server that is there.
func Learn(ctx context.Context, c Config) (Plan, error) {
	e := &examination{Config: c}
	defer func() {
		if e.pool != nil {
			e.pool.Close()
		}
	}()
	for _, look := range []func(context.Context) bool{e.account, e.file} {
		if !look(ctx) {
			last := e.report[len(e.report)-1]
			return Plan{}, fmt.Errorf("%s: %s", last.Text, last.Fix)
		}
	}
	return e.plan, nil
}

// rights tries what the service account may do, and looks as nobody at what is not finished.
func (e *examination) rights(ctx context.Context) bool {
	r, err := newProber(ctx, e.pool, e.plan)
	if err != nil {
		return e.lost(err)
	}
	r.watch = e.look
	allowed, report, err := r.all(ctx)
	e.report = append(e.report, report...)
	if err != nil {
		return e.lost(err)
	}
	var can []Capability
	for _, c := range Capabilities() {
		if allowed[c] && !slices.Contains(r.untried, c) {
			can = append(can, c)
		}
	}
	if len(can) > 0 {
		e.report.note(rightsCheck, "the service account may: "+list(can))
	}
	return true
}

// unseen looks at a staged entry without logging in.
func (e *examination) unseen(ctx context.Context, staged directory.DN) error {
	anonymous := e.Connection
	anonymous.BindDN, anonymous.Password = "", ""
	conn, err := directory.Dial(ctx, anonymous)
	if err != nil {
		return nil //nolint:nilerr // nobody sees anything
	}
	defer conn.Close()
	if _, err := conn.Read(ctx, staged, "cn"); err == nil {
		e.report.fail(rightsCheck, "everybody can see accounts that are not finished", e.plan.fix(toHideFromOthers))
	}
	return nil
}

// rest looks at what does not decide over the rights.
func (e *examination) rest(ctx context.Context) bool {
	for _, look := range []func(context.Context) error{e.indexes, e.overlays, e.clock, e.readers} {
		if err := look(ctx); err != nil {
			return e.lost(err)
		}
	}
	return true
}
