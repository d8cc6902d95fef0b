package flow_test

import "testing"

func TestPasswordManagersLearnWhatTheAccountIsCalled(t *testing.T) {
	w := newWorld(t, "")
	p := w.begin()
	if got := p.last.Identifier; got != "" {
		t.Errorf("before anything is entered it is %q", got)
	}
	if got := p.toPassword(ada).last.Identifier; got != ada {
		t.Errorf("at the password it is %q", got)
	}
	if got := p.finish().last.Identifier; got != "" {
		t.Errorf("a completed registration still tells %q", got)
	}
}
