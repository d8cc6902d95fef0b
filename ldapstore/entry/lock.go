package entry

import (
	"strconv"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

const (
	// farFuture as pwdStartTime: nobody can bind before.
	farFuture = "20990101000000Z"
	// forEver as pwdAccountLockedTime locks without an end (draft-behera-ldap-password-policy-10, section 5.3.3).
	forEver = "000001010000Z"
	// Only the word true locks on 389, in any case. The case tells an entry that waits to be enabled from one that stays
	// locked, for whoever finishes it.
	locked, staged = "true", "TRUE"
	// The bits of userAccountControl.
	accountDisabled = 0x2
	normalAccount   = 0x200
)

// lockedMark tells, on Active Directory, a staged entry that stays locked.
const lockedMark = "locked"

// hidden returns the attributes that keep a staged entry from being bound with, and those of its state. On OpenLDAP the
// rights below ou=pending hide it, so only the state is written.
func (s *Settings) hidden(d Draft) []directory.Attribute {
	one := func(name, value string) []directory.Attribute {
		return []directory.Attribute{{Name: name, Values: []string{value}}}
	}
	var all []directory.Attribute
	switch {
	case s.Kind == directory.ActiveDirectory:
		all = one(string(LockControl), strconv.Itoa(normalAccount|accountDisabled))
	case s.Kind == directory.DS389 && d.locked:
		all = one(string(LockAccount), locked)
	case s.Kind == directory.DS389:
		all = one(string(LockAccount), staged)
	case d.locked:
		all = one(string(s.Lock.Method), s.lockValue())
	}
	if reason := s.reason(plugin.State{Locked: d.locked, Reason: d.reason}); reason != "" {
		all = append(all, one(s.Lock.Reason, reason)...)
	}
	return all
}

// reason is what the attribute for reasons holds; empty: nothing. Active Directory needs a mark beside the bit, so that
// whoever finishes an account knows that it stays locked.
func (s *Settings) reason(state plugin.State) string {
	switch {
	case !state.Locked || s.Lock.Reason == "":
		return ""
	case s.Kind == directory.ActiveDirectory:
		return strings.TrimSuffix(lockedMark+": "+state.Reason, ": ")
	default:
		return state.Reason
	}
}

func (s *Settings) lockValue() string {
	switch s.Lock.Method {
	case LockStart:
		return farFuture
	case LockPolicy:
		return forEver
	default:
		return locked
	}
}

// AfterPassword returns what is to be changed at the staged name once the server has got the password: it unlocks an entry
// that is locked by pwdAccountLockedTime.
func (s *Settings) AfterPassword(d Draft) []directory.Change {
	if d.locked && s.Lock.Method == LockPolicy {
		return []directory.Change{replace(string(LockPolicy), forEver)}
	}
	return nil
}

// Enable returns the changes that make a staged entry usable, just before it is moved into its place; none for one that
// stays locked, and on OpenLDAP, where the place alone decides. Whoever finishes an account reads the entry first.
func (s *Settings) Enable(e directory.Entry) []directory.Change {
	switch {
	case s.Kind == directory.ActiveDirectory && !strings.HasPrefix(e.Value(s.Lock.Reason), lockedMark):
		return []directory.Change{replace(string(LockControl), strconv.Itoa(normalAccount))}
	case s.Kind == directory.DS389 && e.Value(string(LockAccount)) == staged:
		return []directory.Change{replace(string(LockAccount))}
	}
	return nil
}

// LockChanges returns the changes from one state to another. They replace, and nothing is as good as an absent value, so
// that doing it twice is harmless.
func (s *Settings) LockChanges(e directory.Entry, to plugin.State) []directory.Change {
	var changes []directory.Change
	switch s.Lock.Method {
	case LockNone:
		return nil
	case LockControl:
		changes = append(changes, replace(string(LockControl), strconv.FormatInt(control(e, to.Locked), 10)))
	default:
		if to.Locked {
			changes = append(changes, replace(string(s.Lock.Method), s.lockValue()))
			break
		}
		for _, attribute := range locksOf(s.Kind) {
			if len(e.Values(string(attribute))) > 0 || attribute == s.Lock.Method {
				changes = append(changes, replace(string(attribute)))
			}
		}
	}
	if s.Lock.Reason != "" {
		if reason := s.reason(to); reason != "" {
			changes = append(changes, replace(s.Lock.Reason, reason))
		} else {
			changes = append(changes, replace(s.Lock.Reason))
		}
	}
	return changes
}

// control is userAccountControl with the one bit changed.
func control(e directory.Entry, lock bool) int64 {
	bits, err := strconv.ParseInt(e.Value(string(LockControl)), 10, 64)
	if err != nil {
		bits = normalAccount
	}
	if lock {
		return bits | accountDisabled
	}
	return bits &^ accountDisabled
}
