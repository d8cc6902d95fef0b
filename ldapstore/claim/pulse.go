package claim

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

// PulseName is the claim that tells how old a copy of the directory is: the first 40 hexadecimal digits of the SHA-256 of
// "narthex directory pulse", which no identifier has as its hash. It says free for ever; the run in it begins with a time.
const PulseName = "50261c28f482eaa4e749bcdf122c68e08957eb8c"

// pulseDigits are those of the time, in milliseconds; the others tell two processes apart that write at once.
const pulseDigits = 12

// Pulse writes the time into the directory, unless somebody has done so no longer than every ago, and returns what stands
// there.
func (s *Store) Pulse(ctx context.Context, every time.Duration) (time.Time, error) {
	for range 4 {
		st, err := s.read(ctx, PulseName)
		if err != nil {
			return time.Time{}, fmt.Errorf("read the pulse: %w", err)
		}
		if last := beat(st); s.Clock().Sub(last) < every {
			return last, nil
		}
		next := state{phase: free, run: fmt.Sprintf("%0*x", pulseDigits, s.Clock().UnixMilli()) + newRun()[pulseDigits:]}
		done := true
		if st == nil {
			err = s.add(ctx, PulseName, next)
		} else {
			done, err = s.swapText(ctx, PulseName, st.text, next.String(), nil)
		}
		switch {
		case directory.Refused(err, directory.EntryAlreadyExists), err == nil && !done: // another was quicker
		case err != nil:
			return time.Time{}, fmt.Errorf("write the pulse: %w", err)
		default:
			return beat(&next), nil
		}
	}
	return time.Time{}, fmt.Errorf("write the pulse: %w", ErrUnsettled)
}

// PulseAt reads the time that stands in a copy of the directory; the zero time where none does.
func (s *Store) PulseAt(ctx context.Context, from directory.Operations) (time.Time, error) {
	st, err := s.at(from).read(ctx, PulseName)
	if err != nil {
		return time.Time{}, fmt.Errorf("read the pulse: %w", err)
	}
	return beat(st), nil
}

// beat is the time in a pulse.
func beat(st *state) time.Time {
	if st == nil || len(st.run) != runDigits {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(st.run[:pulseDigits], 16, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}
