package plugintest

import (
	"reflect"
)

func describeRules() []rule {
	return []rule{
		{
			name:  "Describe/says the same every time",
			law:   "what a store is and can do does not change while its process lives: the host has planned with it",
			check: describeSaysTheSame,
		},
		{
			name:  "Ping/a store that can be reached answers without an error",
			law:   "Ping is nil while the store can be reached, because a host that hears anything else takes itself out of service",
			check: func(t TB, s *store) { must(t, "Ping", s.Ping(s.ctx)) },
		},
	}
}

func describeSaysTheSame(t TB, s *store) {
	first, err := s.Describe(s.ctx)
	must(t, "Describe", err)
	s.create(t, s.person())
	second, err := s.Describe(s.ctx)
	must(t, "Describe", err)
	if !reflect.DeepEqual(first, second) {
		t.Errorf("Describe says %+v, and a moment later %+v", first, second)
	}
	if err := s.Description.Validate(); err != nil {
		t.Errorf("the description is not valid: %v", err)
	}
}
