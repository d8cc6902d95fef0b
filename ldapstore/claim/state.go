package claim

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/narthex/narthex/plugin"
)

// phase is the first letter of a claim's state.
type phase string

// The phases of a claim. The anchor is the claim of an account's username.
const (
	wanted    phase = "P" // <kind> <attempt> <run> <primary> <deadline>: taken by a run that has not committed
	committed phase = "C" // <kind> <attempt> <run> <id>: committed and not finished; a run's primary only
	held      phase = "A" // <kind> <attempt> <run> <id>: held by the account
	free      phase = "F" // <run>: nobody's
	locked    phase = "M" // <kind> <attempt> <run> <id> <change> <claim>: an anchor, locked by a change with that primary
	abandoned phase = "X" // <kind> <attempt> <run> <id>: a committed change that is being undone
	deleted   phase = "D" // <kind> <attempt> <run> <id>: an anchor whose account's deletion is committed
	reserved  phase = "R" // <kind> <id> <until> [<attempt>]: held back for the account that had it
	losing    phase = "L" // as M: an anchor whose account is about to lose a claim; committed
	keeping   phase = "K" // as M: that is being undone
)

// errCorrupt is a claim that says nothing we ever wrote. Nobody touches it; an admin has to look.
var errCorrupt = errors.New("a claim has no state that can be read")

// state is what one claim says.
type state struct {
	text string // as it stands in the directory: what a compare-and-swap compares

	phase   phase
	kind    kind
	attempt plugin.Attempt
	run     string
	id      plugin.ID
	// primary and deadline are those of a wanted claim's run.
	primary  string
	deadline time.Time
	// change is the run that has locked an anchor, and of the claim that it is about: the run's primary, or the one lost.
	change, of string
	// until ends a reservation.
	until time.Time

	notes
}

// kind is a key's kind, and whether it is good for logging in.
type kind struct {
	of    plugin.KeyKind
	login bool
}

func kindOf(k plugin.Key) kind { return kind{k.Kind, k.Login} }

// mereMark ends the kind of a key that is merely unique.
const mereMark = "-"

func (k kind) String() string {
	if k.login {
		return string(k.of)
	}
	return string(k.of) + mereMark
}

func parseKind(text string) (kind, error) {
	name, mere := strings.CutSuffix(text, mereMark)
	switch of := plugin.KeyKind(name); of {
	case plugin.KindUsername, plugin.KindEmail, plugin.KindPhone, plugin.KindUnique:
		return kind{of, !mere}, nil
	}
	return kind{}, errCorrupt
}

// nobodysAttempt stands for the attempt of a claim that no attempt made: an adopted one.
const nobodysAttempt = "-"

func attemptText(a plugin.Attempt) string {
	if a == "" {
		return nobodysAttempt
	}
	return string(a)
}

// String writes the state as a claim says it.
func (s state) String() string {
	k, a := s.kind.String(), attemptText(s.attempt)
	switch s.phase {
	case wanted:
		return fmt.Sprintf("P %s %s %s %s %d", k, a, s.run, s.primary, s.deadline.UnixMilli())
	case locked, losing, keeping:
		return fmt.Sprintf("%s %s %s %s %s %s %s", s.phase, k, a, s.run, s.id, s.change, s.of)
	case reserved:
		text := fmt.Sprintf("R %s %s %d", k, s.id, s.until.UnixMilli())
		if s.attempt != "" {
			text += " " + string(s.attempt)
		}
		return text
	case free:
		return "F " + s.run
	default: // committed, held, abandoned, deleted
		return fmt.Sprintf("%s %s %s %s %s", s.phase, k, a, s.run, s.id)
	}
}

// lengths are how many words a state of each phase has, the phase included.
var lengths = map[phase]int{wanted: 6, committed: 5, held: 5, abandoned: 5, deleted: 5, locked: 7, losing: 7, keeping: 7, free: 2, reserved: 4}

// parse reads a state. Anything that String would not write is errCorrupt.
func parse(text string) (state, error) {
	words := strings.Split(text, " ")
	s := state{text: text, phase: phase(words[0])}
	if want, known := lengths[s.phase]; !known || len(words) != want && (s.phase != reserved || len(words) != want+1) {
		return state{}, errCorrupt
	}
	if err := s.read(words[1:]); err != nil || s.String() != text {
		return state{}, errCorrupt
	}
	return s, nil
}

func (s *state) read(words []string) (err error) {
	if s.phase == free {
		s.run = words[0]
		return runFault(s.run)
	}
	if s.kind, err = parseKind(words[0]); err != nil {
		return err
	}
	if s.phase == reserved {
		return s.readReserved(words[1:])
	}
	if words[1] != nobodysAttempt {
		s.attempt = plugin.Attempt(words[1])
		if err := s.attempt.Validate(); err != nil {
			return err
		}
	}
	s.run = words[2]
	if err := runFault(s.run); err != nil {
		return err
	}
	if s.phase == wanted {
		s.primary = words[3]
		if s.deadline, err = parseTime(words[4]); err != nil {
			return err
		}
		return nameFault(s.primary)
	}
	s.id = plugin.ID(words[3])
	if len(words) > 4 {
		s.change, s.of = words[4], words[5]
		if err := errors.Join(runFault(s.change), nameFault(s.of)); err != nil {
			return err
		}
	}
	return s.id.Validate()
}

func (s *state) readReserved(words []string) (err error) {
	s.id = plugin.ID(words[0])
	if s.until, err = parseTime(words[1]); err != nil {
		return err
	}
	if len(words) > 2 {
		s.attempt = plugin.Attempt(words[2])
		if err := s.attempt.Validate(); err != nil {
			return err
		}
	}
	return s.id.Validate()
}

func parseTime(text string) (time.Time, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	return time.UnixMilli(n), err
}

const (
	runDigits  = 20 // 80 random bits: no two runs ever share them
	nameDigits = 40 // of SHA-256; with a run and a hyphen they fit into the 64 characters of Active Directory's cn
)

func runFault(text string) error  { return hexFault(text, runDigits) }
func nameFault(text string) error { return hexFault(text, nameDigits) }

func hexFault(text string, digits int) error {
	if len(text) != digits || strings.Trim(text, "0123456789abcdef") != "" {
		return errCorrupt
	}
	return nil
}

// isAnchorOf tells whether a claim is the anchor of an account that stands: at rest, or locked by whatever happens to it.
func (s *state) isAnchorOf(id plugin.ID) bool {
	return s != nil && s.id == id && (s.phase == held || s.phase == locked || s.phase == losing || s.phase == keeping)
}

// sayOwn tells whether an anchor, or any claim, carries the run of a change that has happened.
func (s *state) carries(run string) bool {
	return s != nil && s.run == run && (s.phase == held || s.phase == locked || s.phase == losing || s.phase == keeping || s.phase == deleted)
}

// as returns the state of another phase with the same kind, attempt, run and id, and no notes.
func (s state) as(p phase) state {
	return state{phase: p, kind: s.kind, attempt: s.attempt, run: s.run, id: s.id}
}
