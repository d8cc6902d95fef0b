package plugintest

import (
	"time"

	"github.com/narthex/narthex/plugin"
)

func likenessRules() []rule {
	needs := []plugin.Capability{plugin.CapAuthenticator}
	return []rule{
		{
			name:  "Authenticate/every refusal looks like every other",
			law:   "a wrong password, an unknown name, a locked account and one without a password are answered in the same words, so that nobody can ask who has an account",
			needs: needs, check: refusalsLookAlike,
		},
		{
			name:  "Authenticate/every refusal costs as much as every other",
			law:   "an answer that comes at once tells that there is no account: an unknown name costs a hash as well",
			needs: needs, check: refusalsCostAlike,
		},
	}
}

// refusals returns keys and passwords that must be denied, each for another reason.
func (s *store) refusals(t TB) map[string]func() error {
	t.Helper()
	a, locked, without := s.person(), s.person(), s.person()
	locked.State = plugin.State{Locked: true}
	without.Password = plugin.Secret{}
	unique := s.unique()
	a.Keys = append(a.Keys, unique)
	s.create(t, a)
	s.create(t, locked)
	s.create(t, without)
	wrong := plugin.NewSecret("another sentence")
	try := func(k plugin.Key, p plugin.Secret) func() error {
		return func() error {
			_, err := s.Authenticator.Authenticate(s.ctx, k, p)
			return err
		}
	}
	return map[string]func() error{
		"a wrong password":                   try(a.Keys[0], wrong),
		"an unknown username":                try(s.username(fresh()), wrong),
		"an unknown email address":           try(s.email(fresh()), wrong),
		"a locked account":                   try(locked.Keys[0], locked.Password),
		"a locked account, a wrong password": try(locked.Keys[0], wrong),
		"an account without a password":      try(without.Keys[0], wrong),
		"a merely unique key":                try(unique, a.Password),
	}
}

func refusalsLookAlike(t TB, s *store) {
	text, of := "", ""
	for what, try := range s.refusals(t) {
		err := try()
		fails(t, "Authenticate with "+what, err, plugin.ErrDenied)
		if err == nil {
			continue
		}
		if of != "" && err.Error() != text {
			t.Errorf("%s says %q, and %s says %q", what, err, of, text)
		}
		text, of = err.Error(), what
	}
}

// refusalsCostAlike compares the quickest of several tries, and of many more where they differ: a machine that is busy
// with other things can slow all tries of one kind. It only means something where a refusal takes its time.
func refusalsCostAlike(t TB, s *store) {
	const fewest, most = 5, 40
	refusals := s.refusals(t)
	quickest := map[string]time.Duration{}
	for n := 1; n <= most; n++ {
		for what, try := range refusals {
			began := time.Now()
			fails(t, "Authenticate with "+what, try(), plugin.ErrDenied)
			took := time.Since(began)
			if before, ok := quickest[what]; !ok || took < before {
				quickest[what] = took
			}
		}
		if n >= fewest && tooQuick(quickest) == "" {
			return
		}
	}
	if what := tooQuick(quickest); what != "" {
		t.Errorf("%s is denied after %v, and a wrong password after %v", what, quickest[what], quickest["a wrong password"])
	}
}

// tooQuick names a refusal that tells by its speed that nothing was compared.
func tooQuick(quickest map[string]time.Duration) string {
	const tolerance, worthTelling = 4, 2 * time.Millisecond
	usual := quickest["a wrong password"]
	for what, took := range quickest {
		if usual > worthTelling && took < usual/tolerance {
			return what
		}
	}
	return ""
}
