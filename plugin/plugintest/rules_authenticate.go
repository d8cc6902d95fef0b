package plugintest

import (
	"fmt"
	"strings"

	"github.com/narthex/narthex/plugin"
)

func authenticateRules() []rule {
	needs := []plugin.Capability{plugin.CapAuthenticator}
	return []rule{
		{
			name:  "Authenticate/the password opens the account by every login key",
			law:   "an account can log in with each of its login keys, and the answer is the account",
			needs: needs, check: authenticateByEveryKey,
		},
		{
			name:  "Authenticate/a key that is merely unique does not log in",
			law:   "a key whose Login is false only keeps a value unique",
			needs: needs, check: authenticateMerelyUnique,
		},
		{
			name:  "Authenticate/a wrong password is ErrDenied",
			law:   "nothing but the whole password opens an account, to the last byte",
			needs: needs, check: authenticateWrong,
		},
		{
			name:  "Authenticate/an empty password is ErrDenied",
			law:   "an empty password opens nothing: directories take it for an anonymous bind that succeeds (RFC 4513, section 5.1.2)",
			needs: needs, check: authenticateEmpty,
		},
		{
			name:  "Authenticate/an account without a password denies everything",
			law:   "no password opens an account that has none",
			needs: needs, check: authenticateWithoutPassword,
		},
		{
			name:  "Authenticate/a locked account denies its own password",
			law:   "only an active account can be opened",
			needs: needs, check: authenticateLocked,
		},
		{
			name:  "Authenticate/passwords of every look open their account, byte for byte",
			law:   "a password is data: no prefix names a scheme, nothing is trimmed, folded or cut, up to the declared length",
			needs: needs, check: authenticateOddPasswords,
		},
		{
			name:  "Authenticate/a password that breaks a rule of the contract is ErrDenied",
			law:   "nobody has such a password, and who sends it hears what everybody hears",
			needs: needs, check: authenticateInvalid,
		},
	}
}

func authenticateByEveryKey(t TB, s *store) {
	a, other := s.person(), s.person()
	a.Keys = append(a.Keys, s.phone())
	made := s.create(t, a)
	s.create(t, other)
	for _, k := range a.Keys {
		found, err := s.Authenticator.Authenticate(s.ctx, k, a.Password)
		must(t, fmt.Sprintf("Authenticate by %s", k.Kind), err)
		equal(t, fmt.Sprintf("Authenticate by %s", k.Kind), found, made)
		s.denies(t, "another account's password", k, other.Password)
	}
}

func authenticateMerelyUnique(t TB, s *store) {
	a := s.person()
	a.Keys[1].Login = false
	a.Keys = append(a.Keys, s.unique())
	made := s.create(t, a)
	s.opens(t, "the username", made.ID, a.Keys[0], a.Password)
	for _, k := range a.Keys[1:] {
		s.denies(t, fmt.Sprintf("a %s that is merely unique", k.Kind), k, a.Password)
		k.Login = true // what the caller says does not count
		if k.Kind != plugin.KindUnique {
			s.denies(t, fmt.Sprintf("a %s that is merely unique, by a caller who says otherwise", k.Kind), k, a.Password)
		}
	}
}

func authenticateWrong(t TB, s *store) {
	a := s.person()
	right := strings.Repeat("long sentence ", 7) + "x" // 99 bytes: beyond where some hashes stop reading
	a.Password = plugin.NewSecret(right)
	made := s.create(t, a)
	for what, wrong := range map[string]string{
		"another one":       "another sentence",
		"in capitals":       strings.ToUpper(right),
		"without its end":   right[:len(right)-1],
		"with another end":  right[:len(right)-1] + "y",
		"with more":         right + "x",
		"with a blank":      right + " ",
		"the username":      a.Keys[0].Value,
		"the email address": a.Keys[1].Value,
		"a star":            "*",
	} {
		s.denies(t, "the wrong password "+what, a.Keys[0], plugin.NewSecret(wrong))
	}
	s.denies(t, "an unknown key", s.username(fresh()), a.Password)
	s.opens(t, "the right password after wrong ones", made.ID, a.Keys[0], a.Password)
}

func authenticateEmpty(t TB, s *store) {
	a, without := s.person(), s.person()
	without.Password = plugin.Secret{}
	s.create(t, a)
	s.create(t, without)
	for what, k := range map[string]plugin.Key{
		"for an account": a.Keys[0], "for an account without a password": without.Keys[0], "for an unknown key": s.username(fresh()),
	} {
		s.denies(t, "an empty password "+what, k, plugin.Secret{})
		s.denies(t, "an empty password "+what, k, plugin.NewSecret(""))
	}
}

func authenticateWithoutPassword(t TB, s *store) {
	a := s.person()
	a.Password = plugin.Secret{}
	s.create(t, a)
	for _, p := range []string{"", " ", "x", "*", "!", a.Keys[0].Value, "null", "{CLEARTEXT}", "a long sentence"} {
		s.denies(t, "an account without a password", a.Keys[0], plugin.NewSecret(p))
	}
}

func authenticateLocked(t TB, s *store) {
	a := s.person()
	a.State = plugin.State{Locked: true, Reason: "abuse"}
	s.create(t, a)
	for _, k := range a.Keys {
		s.denies(t, fmt.Sprintf("the right password of a locked account by %s", k.Kind), k, a.Password)
	}
}

func authenticateOddPasswords(t TB, s *store) {
	for _, clear := range []string{
		" a sentence with a blank before it", "a sentence with a blank after it ", "  ", "{SASL}somebody@example.org", "{SSHA}c29tZXRoaW5n", "{CRYPT}x",
		"$argon2id$v=19$m=8,t=1,p=1$AAAA$AAAA", "*)(uid=*))(|(uid=*", `back\slash "quotes" 'and' #more; --`, "пароль из слов", "Zoe\u0308 and Zoë", "🔑🔑🔑🔑",
		strings.Repeat("p", s.Description.Limits.MaxPasswordBytes),
	} {
		a := s.person()
		a.Password = plugin.NewSecret(clear)
		made, stored := s.createOdd(t, a)
		if !stored {
			continue
		}
		what := fmt.Sprintf("the password %.40q", clear)
		s.opens(t, what, made.ID, a.Keys[0], a.Password)
		for _, near := range []string{strings.TrimSpace(clear), strings.ToUpper(clear), clear[:len(clear)-1], strings.ReplaceAll(clear, "e\u0308", "ë")} {
			if near != clear {
				s.denies(t, fmt.Sprintf("%.40q for %s", near, what), a.Keys[0], plugin.NewSecret(near))
			}
		}
	}
}

// createOdd creates an account, or sees its password refused by a store that may.
func (s *store) createOdd(t TB, a plugin.NewAccount) (plugin.Account, bool) {
	t.Helper()
	if s.pickyPasswords {
		return s.createOrRefuse(t, a, plugin.PasswordField)
	}
	return s.create(t, a), true
}

func authenticateInvalid(t TB, s *store) {
	a := s.person()
	s.create(t, a)
	for what, clear := range badPasswords() {
		s.denies(t, "a password "+what, a.Keys[0], plugin.NewSecret(clear))
	}
	s.denies(t, "the password with NUL behind it", a.Keys[0], plugin.NewSecret(a.Password.Reveal()+"\x00"))
}
