package entry

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// StateOf reads whether an entry is locked, and why, whoever has locked it. An account that has expired, or that the
// server keeps out for a while after wrong passwords, is not locked: see Usable.
func (s *Settings) StateOf(e directory.Entry, now time.Time) plugin.State {
	state := plugin.State{Locked: s.lockedBy(e, now)}
	if !state.Locked || s.Lock.Reason == "" {
		return state
	}
	reason := e.Value(s.Lock.Reason)
	if s.Kind == directory.ActiveDirectory {
		var marked bool
		if reason, marked = strings.CutPrefix(reason, lockedMark); !marked {
			return state
		}
		reason = strings.TrimPrefix(reason, ": ")
	}
	if state.Reason = reason; state.Validate() != nil {
		state.Reason = ""
	}
	return state
}

func (s *Settings) lockedBy(e directory.Entry, now time.Time) bool {
	switch s.Kind {
	case directory.ActiveDirectory:
		bits, err := strconv.ParseInt(e.Value(string(LockControl)), 10, 64)
		return err == nil && bits&accountDisabled != 0
	case directory.DS389:
		return strings.EqualFold(e.Value(string(LockAccount)), locked)
	default:
		begins, err := time.Parse(generalizedTime, e.Value(string(LockStart)))
		return e.Value(string(LockPolicy)) == forEver || err == nil && begins.After(now)
	}
}

// StateChanges returns a change of state as part of one Modify. e is the entry as it was read just before: another state
// than the one to be replaced is ErrConflict.
func (s *Settings) StateChanges(c plugin.StateChange, e directory.Entry, now time.Time) ([]directory.Change, error) {
	switch {
	case s.lockedBy(e, now) != c.Old.Locked:
		return nil, fmt.Errorf("change a state: %w", plugin.ErrConflict)
	case c.New.Locked && s.Lock.Method == LockNone:
		return nil, fmt.Errorf("change a state: %w: this directory cannot lock accounts", plugin.ErrInvalid)
	}
	return s.LockChanges(e, c.New), nil
}

// Usable tells whether whoever has the password can use the account: it is not locked and has not expired. A lockout
// after wrong passwords (lockoutTime, a pwdAccountLockedTime with a time) does not count: the server ends it by itself, and
// otherwise guessing would throw people out of their sessions.
func (s *Settings) Usable(e directory.Entry, now time.Time) bool {
	return !s.lockedBy(e, now) && !shadowExpired(e, now) && !ended(e.Value("pwdEndTime"), now) &&
		!fileTimePassed(e.Value("accountExpires"), now) && e.Value("pwdLastSet") != "0"
}

// Status is what can be told of an account without asking anybody else.
func (s *Settings) Status(id plugin.ID, e directory.Entry, now time.Time) plugin.Status {
	return plugin.Status{ID: id, Usable: s.Usable(e, now), PasswordChangedAt: passwordChanged(e)}
}

// generalizedTime is how the servers write the times that they set themselves (RFC 4517, section 3.3.13).
const generalizedTime = "20060102150405Z"

func ended(text string, now time.Time) bool {
	at, err := time.Parse(generalizedTime, text)
	return err == nil && !at.After(now)
}

// shadowExpired reads the day, since 1970, from which an account is not to be used any more (RFC 2307); none is negative.
func shadowExpired(e directory.Entry, now time.Time) bool {
	day, err := strconv.ParseInt(e.Value("shadowExpire"), 10, 64)
	return err == nil && day >= 0 && now.Unix()/secondsOfADay >= day
}

const (
	// fileTimeEpoch is 1970 in Active Directory's count: tenths of a microsecond since 1601.
	fileTimeEpoch = 116444736000000000
	neverExpires  = 1<<63 - 1
)

// fileTime reads Active Directory's count; false for an absent time and for never.
func fileTime(text string) (time.Time, bool) {
	ticks, err := strconv.ParseInt(text, 10, 64)
	if err != nil || ticks <= 0 || ticks == neverExpires {
		return time.Time{}, false
	}
	return time.Unix((ticks-fileTimeEpoch)/1e7, 0).UTC(), true
}

func fileTimePassed(text string, now time.Time) bool {
	at, limited := fileTime(text)
	return limited && !at.After(now)
}

// passwordChanged reads when the password was set last; zero where the server does not say.
func passwordChanged(e directory.Entry) time.Time {
	for _, attribute := range []string{"pwdChangedTime", "pwdUpdateTime"} {
		if at, err := time.Parse(generalizedTime, e.Value(attribute)); err == nil {
			return at.UTC()
		}
	}
	at, _ := fileTime(e.Value("pwdLastSet"))
	return at
}
