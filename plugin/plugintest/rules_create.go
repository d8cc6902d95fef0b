package plugintest

import (
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

func createRules() []rule {
	return []rule{
		{
			name:  "Create/returns the account as it was given, and so do Get and Lookup",
			law:   "an account shows everything that the store was given, the values of its keys under their attributes, and shows the same to every call",
			check: createShowsEverything,
		},
		{
			name:  "Create/the time of creation is that of the commit",
			law:   "CreatedAt is when the account was committed, to the second, in UTC, or zero when the store cannot tell",
			check: createdNow,
		},
		{
			name:  "Create/a locked account is locked from its first moment",
			law:   "the state of a new account is the one that was asked for: an account that waits for approval must never be usable",
			check: createLocked,
		},
		{
			name:   "Create/an account is put into its groups",
			law:    "a new account is in the groups that were named, by the names that the store's own configuration gives them",
			groups: true,
			check:  createInGroups,
		},
		{
			name:  "Create/an account that breaks a rule of the contract is ErrInvalid and leaves nothing",
			law:   "arguments that NewAccount.Validate refuses are ErrInvalid before anything is written",
			check: createInvalid,
		},
		{
			name:  "Create/a password that breaks a rule of the contract is ErrInvalid and names the password",
			law:   "a password with NUL, with bad UTF-8 or with more bytes than allowed is refused and never cut",
			check: createInvalidPassword,
		},
	}
}

func createShowsEverything(t TB, s *store) {
	a := s.person()
	a.Keys = append(a.Keys, s.phone(), s.unique())
	made := s.create(t, a)
	if err := made.Validate(); err != nil {
		t.Errorf("what Create returns is not valid: %v", err)
	}
	equal(t, "Create", made, a.Account(made.ID, made.CreatedAt))
	s.is(t, "after Create", made)
	s.holds(t, "after Create", made, a.Keys...)
}

func createdNow(t TB, s *store) {
	before := time.Now()
	made := s.create(t, s.person())
	if made.CreatedAt.IsZero() {
		return
	}
	if made.CreatedAt.Before(before.Add(-plugin.ClockSlack)) || made.CreatedAt.After(time.Now().Add(plugin.ClockSlack)) {
		t.Errorf("Create at %v says that the account was created at %v", before.UTC(), made.CreatedAt)
	}
	if made.CreatedAt.Nanosecond() != 0 || made.CreatedAt.Location() != time.UTC {
		t.Errorf("the time of creation is %v, want a whole second in UTC", made.CreatedAt)
	}
	s.is(t, "after Create", made)
}

func createLocked(t TB, s *store) {
	a := s.person()
	a.State = plugin.State{Locked: true, Reason: "waits for approval"}
	made := s.create(t, a)
	equal(t, "Create", made, a.Account(made.ID, made.CreatedAt))
	s.is(t, "after Create", a.Account(made.ID, made.CreatedAt))
	if s.Authenticator != nil {
		s.denies(t, "a locked account", a.Keys[0], a.Password)
	}
}

func createInGroups(t TB, s *store) {
	a := s.person()
	a.Groups = s.groups(t)
	made := s.create(t, a)
	equal(t, "Create", made, a.Account(made.ID, made.CreatedAt))
	s.is(t, "after Create", a.Account(made.ID, made.CreatedAt))
}

func createInvalid(t TB, s *store) {
	for what, spoil := range map[string]func(*plugin.NewAccount){
		"no attempt":                     func(a *plugin.NewAccount) { a.Attempt = "" },
		"an attempt in upper case":       func(a *plugin.NewAccount) { a.Attempt = plugin.Attempt(strings.Repeat("A", 32)) },
		"no time after which it is late": func(a *plugin.NewAccount) { a.NotAfter = time.Time{} },
		"no username":                    func(a *plugin.NewAccount) { a.Keys = a.Keys[1:] },
		"two usernames":                  func(a *plugin.NewAccount) { a.Keys = append(a.Keys, s.username(fresh())) },
		"a key twice":                    func(a *plugin.NewAccount) { a.Keys = append(a.Keys, a.Keys[1]) },
		"an empty canonical key":         func(a *plugin.NewAccount) { a.Keys[1].Canonical = "" },
		"a key without a value":          func(a *plugin.NewAccount) { a.Keys[1].Value = "" },
		"a key with NUL":                 func(a *plugin.NewAccount) { a.Keys[1].Value += "\x00" },
		"a value of a key stated twice":  func(a *plugin.NewAccount) { a.Attributes[s.names.Email] = texts("x") },
		"an empty text":                  func(a *plugin.NewAccount) { a.Attributes[s.names.Notes] = texts("") },
		"a text with NUL":                func(a *plugin.NewAccount) { a.Attributes[s.names.Notes] = texts("a\x00b") },
		"a text that is no UTF-8":        func(a *plugin.NewAccount) { a.Attributes[s.names.Notes] = texts("a\xffb") },
		"a value twice":                  func(a *plugin.NewAccount) { a.Attributes[s.names.Notes] = texts("a", "a") },
		"a text longer than any store has": func(a *plugin.NewAccount) {
			a.Attributes[s.names.Notes] = texts(strings.Repeat("x", plugin.MaxValueBytes+1))
		},
		"an unknown type": func(a *plugin.NewAccount) { a.Attributes[s.names.Notes] = []plugin.Value{{Type: "blob", Text: "x"}} },
		"a number that is none": func(a *plugin.NewAccount) {
			a.Attributes[s.names.Notes] = []plugin.Value{{Type: plugin.TypeInteger, Text: "one"}}
		},
		"a group without a name":            func(a *plugin.NewAccount) { a.Groups = []string{""} },
		"an active account with a reason":   func(a *plugin.NewAccount) { a.State.Reason = "why" },
		"a unique value that is to log in":  func(a *plugin.NewAccount) { k := s.unique(); k.Login = true; a.Keys = append(a.Keys, k) },
		"an attribute without a usual name": func(a *plugin.NewAccount) { a.Attributes["a\nb"] = texts("x") },
	} {
		a := s.person()
		keys := append([]plugin.Key(nil), a.Keys...)
		spoil(&a)
		_, err := s.Create(s.ctx, a)
		fails(t, "Create with "+what, err, plugin.ErrInvalid)
		s.absent(t, "after Create with "+what, keys...)
	}
}

func createInvalidPassword(t TB, s *store) {
	for what, clear := range badPasswords() {
		a := s.person()
		a.Password = plugin.NewSecret(clear)
		_, err := s.Create(s.ctx, a)
		blames(t, "Create with a password "+what, err, plugin.ErrInvalid, plugin.PasswordField)
		s.absent(t, "after Create with a password "+what, a.Keys...)
	}
}

// badPasswords are those that no store may take.
func badPasswords() map[string]string {
	return map[string]string{
		"with NUL":                   "a long sentence\x00 and more",
		"that is no UTF-8":           "a long sentence \xff and more",
		"longer than a password can": strings.Repeat("x", plugin.MaxPasswordBytes+1),
	}
}

func texts(list ...string) []plugin.Value {
	values := make([]plugin.Value, len(list))
	for i, text := range list {
		values[i] = plugin.StringValue(text)
	}
	return values
}
