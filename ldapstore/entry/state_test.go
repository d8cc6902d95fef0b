package entry_test

import (
	"errors"
	"strconv"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// in2026 is the time of these tests.
var in2026 = time.Date(2026, 6, 15, 12, 0, 0, 0, time.UTC)

// fileTime is Active Directory's count of a time.
func fileTime(at time.Time) string {
	return strconv.FormatInt(at.Unix()*1e7+116444736000000000, 10)
}

func TestState(t *testing.T) {
	day := strconv.FormatInt(in2026.Unix()/86400, 10)
	for what, c := range map[string]struct {
		kind           directory.Kind
		attribute      string
		value          string
		locked, usable bool
	}{
		"a start in the future locks":              {directory.OpenLDAP, "pwdStartTime", "20990101000000Z", true, false},
		"a start in the past does not":             {directory.OpenLDAP, "pwdStartTime", "20200101000000Z", false, true},
		"an end in the past ends":                  {directory.OpenLDAP, "pwdEndTime", "20260101000000Z", false, false},
		"an end in the future does not":            {directory.OpenLDAP, "pwdEndTime", "20270101000000Z", false, true},
		"locked for ever locks":                    {directory.OpenLDAP, "pwdAccountLockedTime", "000001010000Z", true, false},
		"a lockout for wrong passwords is no lock": {directory.OpenLDAP, "pwdAccountLockedTime", "20260615115900Z", false, true},
		"a shadow account that has expired ends":   {directory.OpenLDAP, "shadowExpire", day, false, false},
		"one that never expires does not":          {directory.OpenLDAP, "shadowExpire", "-1", false, true},
		"the word true locks":                      {directory.DS389, "nsAccountLock", "True", true, false},
		"another word does not":                    {directory.DS389, "nsAccountLock", "yes", false, true},
		"the disabled bit locks":                   {directory.ActiveDirectory, "userAccountControl", "66050", true, false},
		"other bits do not":                        {directory.ActiveDirectory, "userAccountControl", "66048", false, true},
		"an account that has expired ends":         {directory.ActiveDirectory, "accountExpires", fileTime(in2026.Add(-time.Hour)), false, false},
		"one that will expire does not":            {directory.ActiveDirectory, "accountExpires", fileTime(in2026.Add(time.Hour)), false, true},
		"no date of expiry is never":               {directory.ActiveDirectory, "accountExpires", "9223372036854775807", false, true},
		"and so is none at all":                    {directory.ActiveDirectory, "accountExpires", "0", false, true},
		"a lockout by the domain is no lock":       {directory.ActiveDirectory, "lockoutTime", fileTime(in2026), false, true},
		"a password that must be changed":          {directory.ActiveDirectory, "pwdLastSet", "0", false, false},
	} {
		t.Run(string(c.kind)+"/"+what, func(t *testing.T) {
			s := decode(t, c.kind, "")
			e := directory.Entry{Attributes: []directory.Attribute{{Name: c.attribute, Values: []string{c.value}}}}
			if state := s.StateOf(e, in2026); state.Locked != c.locked {
				t.Errorf("the state is %+v", state)
			}
			if s.Usable(e, in2026) != c.usable {
				t.Errorf("usable is not %v", c.usable)
			}
		})
	}

	t.Run("the reason of a lock is kept where there is an attribute for it, and goes with the lock", func(t *testing.T) {
		for kind, file := range map[directory.Kind]string{directory.OpenLDAP: "lock: {reason: description}", directory.DS389: "lock: {reason: description}", directory.ActiveDirectory: ""} {
			s, m := decode(t, kind, file), newMemory()
			must(t, m.Add(t.Context(), "cn=x", nil))
			set := func(state plugin.State) plugin.State {
				e, err := m.Read(t.Context(), "cn=x")
				must(t, err)
				must(t, m.Modify(t.Context(), "cn=x", s.LockChanges(e, state), directory.Filter{}))
				e, err = m.Read(t.Context(), "cn=x")
				must(t, err)
				return s.StateOf(e, in2026)
			}
			for _, want := range []plugin.State{{Locked: true, Reason: "abuse: spam"}, {Locked: true}, {}, {Locked: true, Reason: "again"}, {}} {
				if got := set(want); got != want {
					t.Errorf("%s: the state is %+v, want %+v", kind, got, want)
				}
			}
		}
	})
	t.Run("a state that is another one than was thought is a conflict, and where nothing locks no lock is promised", func(t *testing.T) {
		s := decode(t, directory.OpenLDAP, "")
		open, shut := directory.Entry{}, directory.Entry{Attributes: []directory.Attribute{{Name: "pwdStartTime", Values: []string{"20990101000000Z"}}}}
		lock, unlock := plugin.StateChange{New: plugin.State{Locked: true}}, plugin.StateChange{Old: plugin.State{Locked: true}}
		if changes, err := s.StateChanges(lock, open, in2026); err != nil || len(changes) != 1 {
			t.Errorf("a lock: %v, %v", changes, err)
		}
		for _, c := range []struct {
			change plugin.StateChange
			entry  directory.Entry
		}{{lock, shut}, {unlock, open}} {
			if _, err := s.StateChanges(c.change, c.entry, in2026); !errors.Is(err, plugin.ErrConflict) {
				t.Errorf("the error is %v", err)
			}
		}
		if _, err := decode(t, directory.OpenLDAP, "lock: {method: none}").StateChanges(lock, open, in2026); !errors.Is(err, plugin.ErrInvalid) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("an unlock keeps the other bits of an account", func(t *testing.T) {
		s := decode(t, directory.ActiveDirectory, "")
		e := directory.Entry{Attributes: []directory.Attribute{{Name: "userAccountControl", Values: []string{"66050"}}}}
		if got := s.LockChanges(e, plugin.State{})[0].Values[0]; got != "66048" {
			t.Errorf("userAccountControl becomes %s", got)
		}
	})
	t.Run("when the password was set is read from what each server says", func(t *testing.T) {
		for attribute, value := range map[string]string{"pwdChangedTime": "20260101000000Z", "pwdUpdateTime": "20260101000000Z", "pwdLastSet": fileTime(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))} {
			e := directory.Entry{Attributes: []directory.Attribute{{Name: attribute, Values: []string{value}}}}
			if got := decode(t, directory.OpenLDAP, "").Status("id", e, in2026); !got.PasswordChangedAt.Equal(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)) || !got.Usable {
				t.Errorf("%s: the status is %+v", attribute, got)
			}
		}
	})
}
