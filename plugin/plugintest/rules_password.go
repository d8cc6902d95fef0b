package plugintest

import (
	"errors"
	"time"

	"github.com/narthex/narthex/plugin"
)

func passwordRules() []rule {
	both := []plugin.Capability{plugin.CapPasswordSetter, plugin.CapAuthenticator}
	return []rule{
		{
			name:  "SetPassword/the new password opens and the old one stopped working",
			law:   "SetPassword replaces the password; the old one stops working before SetPassword returns",
			needs: both, check: setPassword,
		},
		{
			name:  "SetPassword/gives a password to an account without one",
			law:   "an account may be created without a password, and gets one when its owner has proved who they are",
			needs: both, check: firstPassword,
		},
		{
			name:  "SetPassword/does not unlock",
			law:   "a new password changes nothing else: a locked account stays locked, or the store answers ErrConflict and the old password stays",
			needs: both, check: passwordDoesNotUnlock,
		},
		{
			name:  "SetPassword/an attempt repeated later does not bring the old password back",
			law:   "the same attempt again returns the account as it is, and changes nothing",
			needs: both, check: attemptAfterSetPassword,
		},
		{
			name:  "SetPassword/an absent account is ErrNotFound",
			law:   "there is no such account: ErrNotFound, and none is made",
			needs: both[:1], check: passwordOfAbsent,
		},
		{
			name:  "SetPassword/an empty or broken password is ErrInvalid and the old one stays",
			law:   "SetPassword takes no password that could not have been given at creation, and no empty one",
			needs: both[:1], check: passwordInvalid,
		},
		{
			name:  "SetPassword/the status tells when",
			law:   "PasswordChangedAt is when the password was set last, to the second, in UTC, or zero when the store cannot tell",
			needs: []plugin.Capability{plugin.CapPasswordSetter, plugin.CapStatuses}, check: passwordChangedAt,
		},
	}
}

func newPassword() plugin.Secret { return plugin.NewSecret("a new sentence of " + fresh()) }

func setPassword(t TB, s *store) {
	a, b := s.person(), s.person()
	made, beside := s.create(t, a), s.create(t, b)
	next := newPassword()
	must(t, "SetPassword", s.PasswordSetter.SetPassword(s.ctx, made.ID, next))
	for _, k := range a.Keys {
		s.denies(t, "the old password", k, a.Password)
		s.opens(t, "the new password", made.ID, k, next)
	}
	s.opens(t, "the account beside", beside.ID, b.Keys[0], b.Password)
	s.is(t, "after SetPassword", made)
}

func firstPassword(t TB, s *store) {
	a := s.person()
	a.Password = plugin.Secret{}
	made := s.create(t, a)
	next := newPassword()
	s.denies(t, "before it has a password", a.Keys[0], next)
	must(t, "SetPassword", s.PasswordSetter.SetPassword(s.ctx, made.ID, next))
	s.opens(t, "the first password", made.ID, a.Keys[0], next)
}

func passwordDoesNotUnlock(t TB, s *store) {
	a := s.person()
	a.State = plugin.State{Locked: true}
	made := s.create(t, a)
	next := newPassword()
	if err := s.PasswordSetter.SetPassword(s.ctx, made.ID, next); !errors.Is(err, plugin.ErrConflict) {
		must(t, "SetPassword", err)
	}
	s.denies(t, "a locked account with its new password", a.Keys[0], next)
	s.denies(t, "a locked account with its first password", a.Keys[0], a.Password)
	s.is(t, "after SetPassword", a.Account(made.ID, made.CreatedAt))
}

func attemptAfterSetPassword(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	next := newPassword()
	must(t, "SetPassword", s.PasswordSetter.SetPassword(s.ctx, made.ID, next))
	again := s.create(t, a)
	equal(t, "the same attempt again", again, made)
	if _, err := s.Resolve(s.ctx, a.Attempt, a.Keys); err != nil {
		t.Errorf("Resolve: %v", err)
	}
	s.denies(t, "the old password after the attempt was repeated", a.Keys[0], a.Password)
	s.opens(t, "the new password after the attempt was repeated", made.ID, a.Keys[0], next)
}

func passwordOfAbsent(t TB, s *store) {
	fails(t, "SetPassword of an absent account", s.PasswordSetter.SetPassword(s.ctx, absentID(), newPassword()), plugin.ErrNotFound)
	made := s.create(t, s.person())
	must(t, "Delete", s.Delete(s.ctx, made.ID))
	fails(t, "SetPassword of a deleted account", s.PasswordSetter.SetPassword(s.ctx, made.ID, newPassword()), plugin.ErrNotFound)
}

func passwordInvalid(t TB, s *store) {
	a := s.person()
	made := s.create(t, a)
	bad := badPasswords()
	bad["that is empty"] = ""
	for what, clear := range bad {
		err := s.PasswordSetter.SetPassword(s.ctx, made.ID, plugin.NewSecret(clear))
		blames(t, "SetPassword to one "+what, err, plugin.ErrInvalid, plugin.PasswordField)
	}
	if s.Authenticator != nil {
		s.opens(t, "the old password", made.ID, a.Keys[0], a.Password)
		s.denies(t, "the empty password", a.Keys[0], plugin.Secret{})
	}
}

func passwordChangedAt(t TB, s *store) {
	made := s.create(t, s.person())
	before := time.Now()
	must(t, "SetPassword", s.PasswordSetter.SetPassword(s.ctx, made.ID, newPassword()))
	list, err := s.Statuses.Statuses(s.ctx, []plugin.ID{made.ID})
	must(t, "Statuses", err)
	if len(list) != 1 {
		t.Fatalf("Statuses of one account reports on %d", len(list))
	}
	at := list[0].PasswordChangedAt
	if at.IsZero() {
		return
	}
	if at.Before(before.Add(-plugin.ClockSlack)) || at.After(time.Now().Add(plugin.ClockSlack)) || at.Nanosecond() != 0 {
		t.Errorf("the password was set at %v, and the status says %v", before.UTC(), at)
	}
}
