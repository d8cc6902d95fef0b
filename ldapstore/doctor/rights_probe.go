package doctor

import (
	"context"
	"fmt"
	"maps"
	mathrand "math/rand/v2"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

const (
	passwordCheck = "password"
	lockCheck     = "lock"
)

// probe sets a password in the way that accounts get theirs, binds with it, and locks and unlocks the entry. Where there
// is no probe, it says what it could not see. Active Directory's own ways need no proof.
func (r *prober) probe(ctx context.Context) error {
	s := r.plan.Settings
	if s.Kind == directory.ActiveDirectory {
		return nil
	}
	dn := Probe(s)
	if _, err := r.pool.Read(ctx, dn, "objectClass"); err != nil {
		if !directory.Refused(err) {
			return err
		}
		r.unproven()
		return nil // told with the other entries
	}
	return r.untilAlone(ctx, func() error { return r.useProbe(ctx, dn) })
}

// untilAlone tries a few times: another process that tries the same at this moment takes the probe's password away.
func (r *prober) untilAlone(ctx context.Context, try func() error) error {
	const tries = 4
	for i := 1; ; i++ {
		before, allowed, seen := len(r.report), maps.Clone(r.allowed), maps.Clone(r.seen)
		if err := try(); err != nil || i == tries || r.report[before:].Worst() == Note {
			return err
		}
		select {
		case <-time.After(mathrand.N(time.Duration(i) * probePause)): //nolint:gosec // only spreads processes out
		case <-ctx.Done():
			return ctx.Err()
		}
		r.report, r.allowed, r.seen = r.report[:before], allowed, seen
	}
}

const probePause = 50 * time.Millisecond

func (r *prober) useProbe(ctx context.Context, dn directory.DN) error {
	secret := plugin.NewSecret(password())
	if ok, err := r.setProbe(ctx, dn, secret); !ok || err != nil {
		return err
	}
	if err := r.stored(ctx, dn, secret); err != nil {
		return err
	}
	login, err := r.pool.Authenticate(ctx, dn, secret.Reveal())
	if err != nil {
		return err
	}
	if login == directory.LoginExpired {
		r.allowed[Create], r.allowed[SetPassword] = false, false
		r.unproven()
		r.report.fail(passwordCheck, "a password that the service account has set must be changed before it is good for anything", mustChangeFix[r.plan.Settings.Kind])
		return nil
	}
	if login != directory.LoginGranted {
		r.allowed[Create] = false
		r.report.fail(passwordCheck, "a password that was set a moment ago is refused: "+r.hashing(), r.fixHashing())
		return nil
	}
	return r.lockProbe(ctx, dn, secret)
}

// setProbe sets the probe's password as an account's.
func (r *prober) setProbe(ctx context.Context, dn directory.DN, secret plugin.Secret) (bool, error) {
	changes, err := entry.NewPasswords(r.plan.Settings).Change(ctx, secret)
	if err != nil {
		return false, fmt.Errorf("make a password: %w", err)
	}
	if changes == nil {
		err = r.pool.SetPassword(ctx, dn, secret.Reveal())
	} else {
		err = r.pool.Modify(ctx, dn, changes, directory.Filter{})
	}
	if err != nil && !directory.Refused(err) {
		return false, err
	}
	if directory.Refused(err, directory.ConstraintViolation) {
		r.tooSoon(err)
		return false, nil
	}
	if err != nil {
		r.unproven()
		r.report.warn(passwordCheck, "whether passwords and locks work cannot be tried: the password of "+string(dn)+" cannot be set: "+answer(err), r.plan.fix(toUseProbe))
	}
	return err == nil, nil
}

// tooSoon notes that a policy judges the probe's password and refuses this one, most likely because the last one is too
// young. So there is a policy, which is all that pwdStartTime takes to lock.
func (r *prober) tooSoon(err error) {
	r.report.note(passwordCheck, "passwords and locks are not tried this time: a policy refuses another password on "+string(Probe(r.plan.Settings))+" so soon: "+answer(err))
	if r.plan.Settings.Lock.Method != entry.LockStart {
		r.unproven()
	}
}

// unproven withholds locks that nobody has seen to lock: on OpenLDAP they depend on a policy.
func (r *prober) unproven() {
	if _, wanted := r.allowed[Lock]; wanted && r.server.Kind == directory.OpenLDAP {
		r.allowed[Lock] = false
	}
}

// stored looks at what the server keeps of a password, where the service account may.
func (r *prober) stored(ctx context.Context, dn directory.DN, secret plugin.Secret) error {
	e, err := r.pool.Read(ctx, dn, "userPassword")
	if err != nil {
		if directory.Refused(err) {
			return nil
		}
		return err
	}
	kept := e.Value("userPassword")
	switch {
	case strings.Contains(kept, secret.Reveal()):
		r.report.fail(passwordCheck, "the server keeps passwords in clear text", clearTextFix[r.plan.Settings.Kind])
	case strings.HasPrefix(kept, "{") && strings.Contains(kept, "}"):
		r.report.note(passwordCheck, "passwords are kept as "+kept[:strings.Index(kept, "}")+1]+", and a bind with one works")
	}
	return nil
}

var clearTextFix = map[directory.Kind]string{
	directory.OpenLDAP: "set olcPasswordHash of olcDatabase={-1}frontend,cn=config (slapd.conf: password-hash) to {SSHA} or, with the module argon2, {ARGON2}",
	directory.DS389:    "set passwordStorageScheme of cn=config to PBKDF2-SHA512",
}

var mustChangeFix = map[directory.Kind]string{
	directory.OpenLDAP: "set pwdMustChange to FALSE in the policy: otherwise nobody can log in with the password that they have just chosen",
	directory.DS389:    "set passwordMustChange of cn=config to off: otherwise nobody can log in with the password that they have just chosen",
}

func (r *prober) hashing() string {
	if r.plan.Settings.Password.Hash == entry.HashByServer {
		return "the server does not take the hash that it makes, or the entry may not bind"
	}
	return fmt.Sprintf("the server does not know the scheme of password.hash: %s", r.plan.Settings.Password.Hash)
}

func (r *prober) fixHashing() string {
	if r.plan.Settings.Password.Hash == entry.HashByServer {
		return r.plan.fix(toUseProbe)
	}
	return "load the module pw-sha2 or argon2 into the server, or say password: {hash: server}"
}

// lockProbe locks the probe, binds, and unlocks it.
func (r *prober) lockProbe(ctx context.Context, dn directory.DN, secret plugin.Secret) error {
	s := r.plan.Settings
	if !r.plan.wants(Lock) || s.Lock.Method == entry.LockNone {
		return nil
	}
	lock := s.LockChanges(directory.Entry{DN: dn}, plugin.State{Locked: true})
	unlock := s.LockChanges(directory.Entry{DN: dn}, plugin.State{})
	if err := r.pool.Modify(ctx, dn, lock, directory.Filter{}); err != nil {
		if directory.Refused(err) {
			r.unproven()
			r.report.warn(lockCheck, fmt.Sprintf("whether %s locks cannot be tried: %s", s.Lock.Method, answer(err)), r.plan.fix(toUseProbe))
			return nil
		}
		return err
	}
	locked, err := r.pool.Authenticate(ctx, dn, secret.Reveal())
	if errUnlock := r.pool.Modify(ctx, dn, unlock, directory.Filter{}); err == nil {
		err = errUnlock
	}
	if err != nil {
		return err
	}
	unlocked, err := r.pool.Authenticate(ctx, dn, secret.Reveal())
	switch {
	case err != nil:
		return err
	case locked == directory.LoginGranted:
		r.allowed[Lock] = false
		r.report.fail(lockCheck, fmt.Sprintf("%s does not lock: whoever has the password of a locked account can log in", s.Lock.Method), lockFix[s.Lock.Method])
	case unlocked != directory.LoginGranted:
		r.allowed[Lock] = false
		r.report.warn(lockCheck, fmt.Sprintf("an account that was locked by %s cannot be unlocked", s.Lock.Method), "see what the server's log says about it")
	default:
		r.report.note(lockCheck, fmt.Sprintf("%s locks, and can be undone", s.Lock.Method))
	}
	return nil
}

var lockFix = map[entry.LockMethod]string{
	entry.LockStart:  "give the overlay ppolicy a default policy (olcPPolicyDefault) that is there, or say lock: {method: none}",
	entry.LockPolicy: "give the overlay ppolicy a default policy (olcPPolicyDefault) with pwdLockout: TRUE, or say lock: {method: none}",
}
