//go:build !linux

package timerslack

// Relax does nothing where nobody can choose how much timers may be put off.
func Relax() {}
