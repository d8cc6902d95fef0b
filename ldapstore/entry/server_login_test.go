package entry_test

import (
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

func (l *lab) locks(t *testing.T, name string) {
	t.Run(string(l.Lock.Method)+": a locked account stays locked through its creation, and both states can be set twice", func(t *testing.T) {
		a := account(name)
		a.State = plugin.State{Locked: true}
		d, err := l.create(t, a, map[string]int64{"uidNumber": 20_000})
		must(t, err)
		for round, lock := range []bool{true, false, false, true, true, false} {
			if round > 0 {
				must(t, l.admin.Modify(t.Context(), d.DN, l.LockChanges(l.read(t, d.DN), plugin.State{Locked: lock}), directory.Filter{}))
			}
			_, err := l.dir.LDAPWhoAmI(string(d.DN), a.Password.Reveal())
			if got := l.parse(t, d.DN).State.Locked; got != lock || (err != nil) != lock {
				t.Errorf("round %d: locked reads as %v, the bind says %v, want locked %v", round, got, err, lock)
			}
		}
	})
}

func (l *lab) withoutPassword(t *testing.T) {
	t.Run("an account without a password is not usable until it gets one", func(t *testing.T) {
		a := account("unset")
		a.Password = plugin.Secret{}
		d, err := l.create(t, a, map[string]int64{"uidNumber": 20_005})
		must(t, err)
		usable := func() bool {
			stored, err := l.admin.Read(t.Context(), d.DN, "userPassword")
			must(t, err)
			hidden := l.server.Kind == directory.ActiveDirectory // nobody may see one there
			return (hidden || stored.Value("userPassword") != "") && l.Usable(l.read(t, d.DN), time.Now())
		}
		if usable() || l.parse(t, d.DN).State.Locked {
			t.Errorf("before: usable %v, %+v", usable(), l.parse(t, d.DN).State)
		}
		must(t, l.admin.SetPassword(t.Context(), d.DN, "Thirsty fjord by 4 quick howls"))
		if _, err := l.dir.LDAPWhoAmI(string(d.DN), "Thirsty fjord by 4 quick howls"); err != nil || !usable() {
			t.Errorf("afterwards: usable %v, the bind says %v", usable(), err)
		}
	})
}
