//go:build !linux || race

package sqlstore

// mayReserve is false where nobody has measured, and under the race detector, whose shadow of the memory would be there.
func mayReserve() bool { return false }

func untouched([]byte) bool { return false }
