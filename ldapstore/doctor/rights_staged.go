package doctor

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

// staging takes an entry through what a creation does before it is in its place, and removes it.
func (r *prober) staging(ctx context.Context) (err error) {
	secret := plugin.NewSecret(password())
	name := run() + "-" + CheckName
	dn, attributes, err := r.sample(ctx, name, secret)
	if err != nil {
		return err
	}
	err = r.pool.Add(ctx, dn, attributes)
	if err != nil && r.seen[toStage] {
		return nil
	}
	if ok, fatal := r.judge(entryOr(err, toChangeStaged, toStage), err); !ok {
		return fatal
	}
	defer func() { err = errors.Join(err, r.remove(ctx, dn)) }()
	for _, try := range []func(context.Context, directory.DN, plugin.Secret) error{r.readStaged, r.changeStaged, r.bindStaged, r.moveStaged} {
		if err := try(ctx, dn, secret); err != nil {
			return err
		}
	}
	if r.watch != nil {
		return r.watch(ctx, dn)
	}
	return nil
}

// remove deletes a staged entry. If it may not, the entry stays: it cannot be bound with, and says so here.
func (r *prober) remove(ctx context.Context, dn directory.DN) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), removeTime)
	defer cancel()
	err := r.pool.Delete(ctx, dn)
	if directory.Refused(err, directory.NoSuchObject) {
		return nil // a clean-up was faster
	}
	ok, fatal := r.judge(toStage, err)
	if !ok && fatal == nil {
		r.report.warn(rightsCheck, fmt.Sprintf("what was tried there stays: %s", dn), "delete it once the rights are as they should be")
	}
	return fatal
}

const removeTime = 10 * time.Second

// sample is an entry as the settings make it of made-up values, or a bare person where that needs more than is known.
func (r *prober) sample(ctx context.Context, name string, secret plugin.Secret) (directory.DN, []directory.Attribute, error) {
	s := r.plan.Settings
	stored, err := entry.NewPasswords(s).Staged(ctx, secret)
	if err != nil {
		return "", nil, fmt.Errorf("make a password: %w", err)
	}
	username := "check-" + name[:8]
	account := plugin.NewAccount{Attempt: plugin.Attempt(randomHex(16)), NotAfter: time.Now().Add(time.Minute), Password: secret,
		Keys: []plugin.Key{{Kind: plugin.KindUsername, Canonical: "1:" + username, Value: username, Attribute: s.FlowAttribute(s.People.Username), Login: true}}}
	in := entry.Inputs{Run: name[:20], Password: stored, Numbers: map[string]int64{}, Now: time.Now()}
	for number, numbers := range s.Numbers {
		in.Numbers[number] = numbers.To
	}
	draft, err := s.Build(account, in)
	if err != nil || !r.demandsCN() {
		draft = r.bare(name, username, stored)
	}
	dn, attributes := s.Stage(draft, name)
	for i := range attributes { // only the waiting name: see moveStaged
		if strings.EqualFold(attributes[i].Name, "cn") {
			attributes[i].Values = []string{name}
		}
	}
	return dn, attributes, nil
}

// demandsCN tells whether an entry of the settings' classes must have a cn: what moveStaged relies upon.
func (r *prober) demandsCN() bool {
	return slices.ContainsFunc(r.plan.Settings.People.ObjectClasses, func(name string) bool {
		class, _ := r.plan.Schema.Class(name)
		return slices.Contains(class.Must, "cn")
	})
}

func (r *prober) bare(name, username string, stored []directory.Attribute) entry.Draft {
	s := r.plan.Settings
	if s.Kind == directory.ActiveDirectory {
		return entry.Draft{Attributes: append(stored, attribute("objectClass", "user"), attribute("sAMAccountName", username))}
	}
	person := []directory.Attribute{attribute("objectClass", "inetOrgPerson"), attribute("sn", "check"), attribute("cn", name), attribute("uid", username)}
	return entry.Draft{Attributes: append(person, stored...)}
}

// readStaged looks for the entry by its id, as a creation does.
func (r *prober) readStaged(ctx context.Context, dn directory.DN, _ plugin.Secret) error {
	e, err := r.pool.Read(ctx, dn, r.server.IDAttribute())
	if err == nil && r.server.EntryID(e) == "" {
		err = &directory.Error{Operation: "read", Code: directory.InsufficientAccessRights}
	}
	if directory.Refused(err, directory.NoSuchObject) {
		r.refuse(Create, toChangeStaged, "")
		return nil
	}
	if ok, fatal := r.judge(toChangeStaged, err); !ok {
		return fatal
	}
	found, err := r.pool.Search(ctx, r.plan.Settings.Base, directory.Subtree, r.server.IDFilter(r.server.EntryID(e)), 1)
	if err == nil && len(found) == 0 || directory.Refused(err, directory.NoSuchObject) {
		r.refuse(Create, toFindByID, "")
		return nil
	}
	_, fatal := r.judge(toFindByID, err)
	return fatal
}

// changeStaged writes what hides the entry once more, and its password where the server gets that on its own.
func (r *prober) changeStaged(ctx context.Context, dn directory.DN, secret plugin.Secret) error {
	s := r.plan.Settings
	change := replaced(s.Mark, run())
	switch s.Kind {
	case directory.OpenLDAP:
	case directory.ActiveDirectory:
		change = replaced(string(entry.LockControl), "514")
	case directory.DS389:
		change = replaced(string(entry.LockAccount), "true")
	}
	if _, fatal := r.judge(toChangeStaged, r.pool.Modify(ctx, dn, []directory.Change{change}, directory.Filter{})); fatal != nil {
		return fatal
	}
	if !entry.NewPasswords(s).Later() {
		return nil
	}
	if !r.server.PasswordModify {
		r.refuse(Create, toSetStaged, "the server does not offer RFC 3062")
		return nil
	}
	_, fatal := r.judge(toSetStaged, r.pool.SetPassword(ctx, dn, secret.Reveal()))
	return fatal
}

// bindStaged sees that nobody can log in to an account that is not finished.
func (r *prober) bindStaged(ctx context.Context, dn directory.DN, secret plugin.Secret) error {
	login, err := r.pool.Authenticate(ctx, dn, secret.Reveal())
	if err != nil {
		return err
	}
	if login == directory.LoginGranted {
		r.allowed[Create] = false
		r.report.fail(rightsCheck, "create: an unfinished account can be logged in with", r.plan.fix(toSetStaged))
	}
	return nil
}

// moveStaged tries to move the entry into its place in a way that no server carries out: with its waiting name, it would
// lose its only cn. On Active Directory, where the server replaces cn, it moves within ou=pending, and the right to add
// accounts is read.
func (r *prober) moveStaged(ctx context.Context, dn directory.DN, _ plugin.Secret) error {
	s := r.plan.Settings
	if s.Kind == directory.ActiveDirectory {
		return r.moveInDomain(ctx, dn)
	}
	rdn, to := s.People.RDN.Attribute, directory.DN("")
	if strings.EqualFold(rdn, "cn") {
		rdn = s.People.Username
	}
	e, err := r.pool.Read(ctx, dn, rdn)
	if err != nil {
		if directory.Refused(err) {
			return nil // told already
		}
		return err
	}
	to = s.People.Base.Child(rdn, e.Value(rdn))
	err = r.pool.Move(ctx, dn, to, true, directory.Filter{})
	if err == nil { // against its schema
		return r.pool.Move(ctx, to, dn, false, directory.Filter{})
	}
	if directory.Refused(err, directory.InsufficientAccessRights) && s.Kind == directory.OpenLDAP {
		r.refuse(Create, whyNotMoved(err), "")
		return nil
	}
	_, fatal := r.judge(toMoveIn, err, directory.ObjectClassViolation, directory.NamingViolation, directory.ConstraintViolation)
	return fatal
}

// whyNotMoved reads slapd's own text: it only decides which line is named.
func whyNotMoved(err error) grant {
	var refusal *directory.Error
	_ = errors.As(err, &refusal)
	switch {
	case strings.Contains(refusal.Diagnostic, "new superior"):
		return toMoveIn
	case strings.Contains(refusal.Diagnostic, "parent's children"):
		return toStage
	case strings.Contains(refusal.Diagnostic, "old entry"):
		return toChangeStaged
	default:
		return toTakeStagedName
	}
}
