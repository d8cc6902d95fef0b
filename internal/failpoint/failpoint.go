// Package failpoint names the places where the crash tests kill a process. Without the build tag "failpoints" Hit is
// empty and costs nothing.
package failpoint
