//go:build !failpoints

package failpoint

// Enabled is false in this build.
const Enabled = false

// Environment is empty in this build.
func Environment() []string { return nil }

// Hit does nothing in this build.
func Hit(string) {}
