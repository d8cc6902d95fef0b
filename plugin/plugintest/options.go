package plugintest

import (
	"slices"
	"time"

	"github.com/narthex/narthex/plugin"
)

// Option tells the suite what a store cannot do, or how to run. The default is everything.
type Option func(*settings)

type settings struct {
	names          Names
	without        []plugin.Capability
	noGroups       bool
	holdsUsername  bool
	pickyPasswords bool
	serial         bool
	direct         bool
	callers        int
	rounds         int
	patience       time.Duration
	only           []string
	each           func(Result)
}

func newSettings(options []Option) settings {
	s := settings{names: DefaultNames(), callers: 20, rounds: 3, patience: 2 * time.Minute, each: func(Result) {}}
	for _, o := range options {
		o(&s)
	}
	return s
}

// Without disclaims capabilities. Run fails for a store that lacks one without saying so, and for one that has what it
// disclaims.
func Without(capabilities ...plugin.Capability) Option {
	return func(s *settings) { s.without = append(s.without, capabilities...) }
}

// WithoutGroups disclaims groups.
func WithoutGroups() Option { return func(s *settings) { s.noGroups = true } }

// HoldsDeletedUsernames is for a store that keeps the username of a deleted account out of reach for a while.
func HoldsDeletedUsernames() Option { return func(s *settings) { s.holdsUsername = true } }

// RefusesPasswords is for a store whose server takes some passwords for something else, such as a hash, and refuses them.
func RefusesPasswords() Option { return func(s *settings) { s.pickyPasswords = true } }

// Serial has Run judge one rule after the other.
func Serial() Option { return func(s *settings) { s.serial = true } }

// Races sets how many callers want the same key in a race and how often. The default is 20 and 3.
func Races(callers, rounds int) Option {
	return func(s *settings) { s.callers, s.rounds = callers, rounds }
}

// Patience bounds one rule. The default is two minutes.
func Patience(d time.Duration) Option { return func(s *settings) { s.patience = d } }

// Only picks rules by name. A name that no rule has is a failure.
func Only(names ...string) Option { return func(s *settings) { s.only = append(s.only, names...) } }

// Each has Check tell every result as soon as it is known.
func Each(tell func(Result)) Option { return func(s *settings) { s.each = tell } }

// Direct tells Check that the backend is the store itself and no connection, so that rules can hold it up in the middle of
// a call.
func Direct() Option { return func(s *settings) { s.direct = true } }

// Use replaces DefaultNames, for a store whose schema has others.
func Use(names Names) Option { return func(s *settings) { s.names = names } }

// Names are the attributes and groups that the rules use.
type Names struct {
	// Username, Email, Phone and Unique hold the values of keys of each kind.
	Username, Email, Phone, Unique string
	// GivenName and FamilyName hold one text each, and every account has both.
	GivenName, FamilyName string
	// Notes holds several texts.
	Notes string
	// Typed holds values of the types that are not texts, where the store keeps such.
	Typed map[plugin.ValueType]string
	// Groups are two groups of the store. Without them the rules make up names, and a store that refuses those as unknown
	// is not judged by its groups.
	Groups []string
}

// DefaultNames are those of an inetOrgPerson (RFC 2798), so that a usual directory knows them.
func DefaultNames() Names {
	return Names{
		Username: "uid", Email: "mail", Phone: "mobile", Unique: "employeeNumber",
		GivenName: "givenName", FamilyName: "sn", Notes: "description",
		Typed: map[plugin.ValueType]string{
			plugin.TypeBoolean: "suiteBoolean", plugin.TypeInteger: "suiteInteger",
			plugin.TypeDate: "suiteDate", plugin.TypeDateTime: "suiteDateTime",
		},
	}
}

// picked returns the rules that the settings ask for.
func (s settings) picked() []rule {
	return slices.DeleteFunc(rules(), func(r rule) bool {
		return len(s.only) > 0 && !slices.Contains(s.only, r.name)
	})
}

// unknown returns the names that the settings ask for and no rule has: whoever mistypes one must not take it for passed.
func (s settings) unknown() []string {
	known := Rules()
	return slices.DeleteFunc(slices.Clone(s.only), func(name string) bool { return slices.Contains(known, name) })
}
