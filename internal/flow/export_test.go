package flow

// Target is target, for tests.
func (r Returns) Target(wish string) (string, bool) { return r.target(wish) }
