package doctor

import (
	"context"
	"errors"
	"fmt"

	"github.com/narthex/narthex/ldapstore/directory"
)

// claimAttributes are where a claim keeps its parts.
func (r *prober) claimAttributes() (state, open string, parts []string) {
	if r.server.Kind == directory.ActiveDirectory {
		return "keywords", "serviceClassName", []string{"serviceBindingInformation"}
	}
	return "description", "ou", []string{"l", "serialNumber"}
}

// claims tries what a creation does with claims.
func (r *prober) claims(ctx context.Context) error {
	dn := r.plan.Settings.Identifiers.Child("cn", CheckName)
	state, open, parts := r.claimAttributes()
	class := "device"
	if r.server.Kind == directory.ActiveDirectory {
		class = "serviceConnectionPoint"
	}
	claim := []directory.Attribute{attribute("objectClass", class), attribute(state, "F "+run())}
	if r.server.Kind != directory.ActiveDirectory {
		claim = append(claim, attribute("cn", CheckName))
	}
	err := r.pool.Add(ctx, dn, claim)
	there := err == nil || directory.Refused(err, directory.EntryAlreadyExists)
	if _, fatal := r.judge(entryOr(err, toChangeClaims, toAddClaims), err, directory.EntryAlreadyExists); fatal != nil {
		return fatal
	}
	if !there {
		return nil
	}
	if err != nil && r.server.Kind == directory.OpenLDAP {
		if err := r.addAgain(ctx); err != nil {
			return err
		}
	}
	changes := []directory.Change{replaced(state, "F "+run()), replaced(open, "check")}
	for _, part := range parts {
		changes = append(changes, replaced(part, "check"))
	}
	ok, fatal := r.judge(toChangeClaims, r.pool.Modify(ctx, dn, changes, directory.Filter{}))
	if !ok || fatal != nil {
		return fatal
	}
	// By its name: another process that tries the same at this moment writes other values.
	found, err := r.pool.Search(ctx, r.plan.Settings.Identifiers, directory.OneLevel, directory.Equal("cn", CheckName), 1, state)
	if _, fatal := r.judge(toReadClaims, err); fatal != nil {
		return fatal
	}
	if err == nil && (len(found) == 0 || found[0].Value(state) == "") {
		r.refuse(Create, toReadClaims, "")
	}
	changes = []directory.Change{replaced(open)}
	for _, part := range parts {
		changes = append(changes, replaced(part))
	}
	_, fatal = r.judge(toChangeClaims, r.pool.Modify(ctx, dn, changes, directory.Filter{}))
	return fatal
}

// addAgain tries the right to add claims where one that is there already is told before the right is looked at: a staged
// device moves to the claims in a way that it cannot, since it would lose the cn that it must have.
func (r *prober) addAgain(ctx context.Context) (err error) {
	name := run() + "-" + CheckName
	dn := r.plan.Settings.Pending.Child("cn", name)
	err = r.pool.Add(ctx, dn, []directory.Attribute{attribute("objectClass", "device"), attribute("cn", name)})
	if ok, fatal := r.judge(entryOr(err, toChangeStaged, toStage), err); !ok {
		return fatal
	}
	defer func() { err = errors.Join(err, r.remove(ctx, dn)) }()
	err = r.pool.Move(ctx, dn, r.plan.Settings.Identifiers.Child("ou", run()), true, directory.Filter{})
	if err == nil {
		return errors.New("the directory has moved an entry against its schema")
	}
	if directory.Refused(err, directory.InsufficientAccessRights) && whyNotMoved(err) != toMoveIn {
		return nil // for the lack of another right, which is told elsewhere
	}
	_, fatal := r.judge(toAddClaims, err, directory.ObjectClassViolation)
	return fatal
}

// counters tries whether numbers can be taken, on each counter that there is.
func (r *prober) counters(ctx context.Context) error {
	for _, counter := range r.plan.Settings.CounterEntries() {
		name := counterAttribute(counter)
		_, err := r.pool.Read(ctx, counter.DN, name)
		if err == nil {
			err = r.pool.Modify(ctx, counter.DN, absent(name, "2147483647"), directory.Filter{})
		}
		if _, fatal := r.judge(toChangeCounters, err, directory.NoSuchAttribute, directory.NoSuchObject); fatal != nil {
			return fatal
		}
		if directory.Refused(err, directory.NoSuchObject) {
			r.report.warn(rightsCheck, fmt.Sprintf("there is no counter %s, or the service account may not read it", counter.DN), r.plan.fix(toChangeCounters))
		}
	}
	return nil
}

// decoy tries whether the decoy's password can be set.
func (r *prober) decoy(ctx context.Context) error {
	if r.server.Kind == directory.ActiveDirectory {
		return nil
	}
	err := r.pool.Modify(ctx, Decoy(r.plan.Settings), absent("userPassword", randomHex(16)), directory.Filter{})
	if directory.Refused(err, directory.NoSuchObject) {
		return nil // told with the other entries
	}
	if err != nil && !directory.Refused(err) {
		return err
	}
	if directory.Refused(err, directory.InsufficientAccessRights) {
		r.report.warn(rightsCheck, "the service account may not set the decoy's password: names that nobody has are refused faster than others", r.plan.fix(toSetDecoy))
	}
	return nil
}
