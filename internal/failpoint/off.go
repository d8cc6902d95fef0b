//go:build !failpoints

package failpoint

// Environment is empty in this build.
func Environment() []string { return nil }

// Hit does nothing in this build.
func Hit(string) {}
