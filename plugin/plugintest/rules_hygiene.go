package plugintest

import (
	"errors"
	"fmt"
	"strings"

	"github.com/narthex/narthex/plugin"
)

func hygieneRules() []rule {
	return []rule{
		{
			name:  "any/no error text holds a password or a value",
			law:   "errors are logged: they name fields, and never what people typed into them",
			check: errorTexts,
		},
		{
			name:  "any/what goes in and what comes out belongs to the caller",
			law:   "a caller may change what it passed and what it got, and changes no account by that",
			check: nothingShared,
		},
		{
			name:  "any/many calls at the same time do not get in each other's way",
			law:   "methods may run at the same time, and each answers about its own account",
			check: manyCalls,
		},
	}
}

func errorTexts(t TB, s *store) {
	a := s.person()
	mark := fresh()
	a.Attributes[s.names.FamilyName] = texts("Lovelace " + mark)
	a.Password = plugin.NewSecret("a long sentence of " + mark)
	made := s.create(t, a)
	var errs []error
	note := func(err error) { errs = append(errs, err) }

	taken := a
	taken.Attempt = freshAttempt()
	_, err := s.Create(s.ctx, taken)
	note(err)
	refused := a
	refused.Attempt, refused.Keys = freshAttempt(), s.person().Keys
	refused.Attributes = plugin.Attributes{s.names.FamilyName: texts("Lovelace " + mark + "\x00")}
	_, err = s.Create(s.ctx, refused)
	note(err)
	refused.Password, refused.Attributes = plugin.NewSecret(mark+"\x00"), a.Attributes
	_, err = s.Create(s.ctx, refused)
	note(err)
	_, err = s.Lookup(s.ctx, s.email(mark))
	note(err)
	_, err = s.Resolve(s.ctx, freshAttempt(), a.Keys)
	note(err)
	if s.Authenticator != nil {
		_, err = s.Authenticator.Authenticate(s.ctx, a.Keys[0], plugin.NewSecret("wrong "+mark))
		note(err)
		_, err = s.Authenticator.Authenticate(s.ctx, s.email(mark), a.Password)
		note(err)
	}
	if s.PasswordSetter != nil {
		note(s.PasswordSetter.SetPassword(s.ctx, made.ID, plugin.NewSecret(mark+"\x00")))
		note(s.PasswordSetter.SetPassword(s.ctx, absentID(), a.Password))
	}
	if s.Updater != nil {
		_, err = s.Updater.Update(s.ctx, made.ID, replace(s.names.FamilyName, texts("Byron "+mark), texts("King "+mark)))
		note(err)
		drop := s.email(mark)
		_, err = s.Updater.Update(s.ctx, made.ID, exchange(nil, &drop, 0))
		note(err)
	}
	secrets := []string{mark, a.Keys[0].Value, a.Keys[1].Value, a.Keys[1].Canonical}
	for _, err := range errs {
		for _, secret := range secrets {
			if err != nil && strings.Contains(strings.ToLower(err.Error()), strings.ToLower(secret)) {
				t.Errorf("an error tells what somebody typed: %v", err)
				break
			}
		}
	}
}

func nothingShared(t TB, s *store) {
	a := s.person()
	a.Attributes[s.names.Notes] = texts("one", "two")
	want := a.Account("", s.person().NotAfter)
	made := s.create(t, a)
	want.ID, want.CreatedAt = made.ID, made.CreatedAt
	spoil := func(p plugin.Attributes) {
		for name, values := range p {
			for i := range values {
				values[i] = plugin.StringValue("spoiled")
			}
			p[name] = append(values[:0], plugin.StringValue("spoiled"))
		}
		p["spoiled"] = texts("spoiled")
	}
	spoil(a.Attributes)
	spoil(made.Attributes)
	for range 2 {
		found, err := s.Get(s.ctx, want.ID)
		must(t, "Get", err)
		equal(t, "after the caller changed what was its own", found, want)
		if len(found.Attributes["spoiled"]) > 0 {
			t.Errorf("an attribute that a caller added to its copy is in the store")
		}
		spoil(found.Attributes)
	}
	if s.Lister != nil {
		page, err := s.Lister.List(s.ctx, plugin.ListQuery{Limit: plugin.MaxPage})
		must(t, "List", err)
		for _, listed := range page.Accounts {
			spoil(listed.Attributes)
		}
		s.is(t, "after the caller changed a page", want)
	}
}

func manyCalls(t TB, s *store) {
	errs := atOnce(8, func(int) error {
		for range 3 {
			if err := s.oneLife(); err != nil {
				return err
			}
		}
		return nil
	})
	for _, err := range errs {
		if err != nil {
			t.Errorf("one of eight callers: %v", err)
		}
	}
}

// oneLife takes an account through everything that the store can do with it.
func (s *store) oneLife() error {
	a := s.person()
	made, err := s.Create(s.ctx, a)
	if err != nil {
		return fmt.Errorf("create: %w", err)
	}
	for _, k := range a.Keys {
		found, err := s.Lookup(s.ctx, k)
		if err := about("lookup", found.ID, made.ID, err); err != nil {
			return err
		}
	}
	if s.Updater != nil {
		after, err := s.Updater.Update(s.ctx, made.ID, replace(s.names.FamilyName, texts("Lovelace"), texts(fresh())))
		if err := about("update", after.ID, made.ID, err); err != nil {
			return err
		}
	}
	if s.PasswordSetter != nil {
		a.Password = newPassword()
		if err := s.PasswordSetter.SetPassword(s.ctx, made.ID, a.Password); err != nil {
			return fmt.Errorf("set the password: %w", err)
		}
	}
	if s.Authenticator != nil {
		found, err := s.Authenticator.Authenticate(s.ctx, a.Keys[1], a.Password)
		if err := about("authenticate", found.ID, made.ID, err); err != nil {
			return err
		}
	}
	if s.Statuses != nil {
		list, err := s.Statuses.Statuses(s.ctx, []plugin.ID{made.ID})
		if err != nil {
			return fmt.Errorf("statuses: %w", err)
		}
		if len(list) != 1 || !list[0].Usable {
			return fmt.Errorf("the status is %v", list)
		}
	}
	if err := s.Delete(s.ctx, made.ID); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	if found, err := s.Get(s.ctx, made.ID); !errors.Is(err, plugin.ErrNotFound) {
		return fmt.Errorf("get after delete finds %q, with the error %v", found.ID, err) //nolint:errorlint // there may be none
	}
	return nil
}

// about is the error of a call that should have answered about an account.
func about(call string, got, want plugin.ID, err error) error {
	if err != nil {
		return fmt.Errorf("%s: %w", call, err)
	}
	if got != want {
		return fmt.Errorf("%s answers about account %q, want %q", call, got, want)
	}
	return nil
}
