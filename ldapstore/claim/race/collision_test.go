package race

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// TestNamesElsewhere: where a server keeps names unique beyond people, a name that somebody has there is taken.
func TestNamesElsewhere(t *testing.T) {
	whole := func(t testing.TB, options ...testenv.DirectoryOption) *testenv.Directory {
		return testenv.StartSlapd(t, append(options, testenv.WithUnique("uid", "mail"))...)
	}
	for _, kind := range []testenv.DirectoryKind{{Kind: testenv.OpenLDAP, Start: whole}, {Kind: testenv.ActiveDirectory, Start: testenv.StartSamba}} {
		t.Run(kind.Kind, func(t *testing.T) {
			t.Parallel()
			a := enter(t, kind)
			names := tokens(3)
			people := a.settings.People.Base
			a.settings.People.Base = directory.DN(a.dir.Groups)
			(&byHand{arena: a}).person(t, names[0])
			a.settings.People.Base = people
			for _, user := range []token{names[0], names[2]} {
				p, s := a.spawn(luck{lease: a.lease})
				_, err := a.create(context.Background(), p, s, newAttempt(user, names[1], false))
				s.Wait()
				var field *plugin.FieldError
				if taken := errors.Is(err, plugin.ErrExists) && errors.As(err, &field) && field.Field == "uid"; taken != (user == names[0]) || !taken && err != nil {
					t.Errorf("%s: %v", user, err)
				}
			}
			time.Sleep(a.lease)
			left, err := a.admin.Search(t.Context(), a.settings.Pending, directory.OneLevel, directory.Filter{}, 0, "1.1")
			if len(left) > 0 || err != nil {
				t.Error("something is left below ou=pending", len(left), err)
			}
		})
	}
}
