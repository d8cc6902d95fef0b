package model

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Result is what a search found.
type Result struct {
	// States that are different, and the number of steps in the longest schedule.
	States int64
	Depth  int
	// Errors is 1 when a rule was violated: a search stops at the first. Violation is the assertion.
	Errors    int
	Violation string
	// Complete: every schedule was searched. An error, a limit or a crash of the search makes it false.
	Complete bool
	// Megabytes of memory in all.
	Megabytes float64
	Elapsed   time.Duration
}

var (
	// ErrViolated says that a rule does not hold.
	ErrViolated = errors.New("a rule of the protocol is violated")
	// ErrIncomplete says that the search was cut off; so far nothing was found.
	ErrIncomplete = errors.New("the search is not exhaustive")
	// ErrNotSeen says that a broken rule was not found, so that the search proves nothing about it.
	ErrNotSeen = errors.New("the broken rule was not found")
)

// Judge says whether the search gave what it must: nothing in every schedule, or, where a rule is broken on purpose,
// an error.
func (s Search) Judge(r Result) error {
	switch {
	case s.Broken() && r.Errors > 0:
		return nil
	case s.Broken():
		return fmt.Errorf("%s: %w", s.Name, ErrNotSeen)
	case r.Errors > 0:
		return fmt.Errorf("%s: %w: %s", s.Name, ErrViolated, r.Violation)
	case !r.Complete:
		return fmt.Errorf("%s: %w: %d states, %.0f MB, %s", s.Name, ErrIncomplete, r.States, r.Megabytes, r.Elapsed.Round(time.Second))
	}
	return nil
}

// cutOff is what the search says when it has not seen everything. An error is reported as not completed as well.
var cutOff = []string{
	"max search depth too small", "Search not completed", "out of memory", "MEMLIM bound", "interrupted", "VECTORSZ", "aborting",
}

var (
	statesLine    = regexp.MustCompile(`(?m)^\s*(\d+) states, stored`)
	depthLine     = regexp.MustCompile(`depth reached (\d+), errors: (\d+)`)
	memoryLine    = regexp.MustCompile(`([\d.]+)\s+total actual memory`)
	violationLine = regexp.MustCompile(`(?m)^pan:\d+: (.*)$`)
)

// parse reads the report of a search. What is not a report is not complete.
func parse(report string) Result {
	var r Result
	states, depth := statesLine.FindStringSubmatch(report), depthLine.FindStringSubmatch(report)
	r.Complete = states != nil && depth != nil
	if r.Complete {
		r.States, _ = strconv.ParseInt(states[1], 10, 64)
		r.Depth, _ = strconv.Atoi(depth[1])
		r.Errors, _ = strconv.Atoi(depth[2])
	}
	for _, sign := range cutOff {
		r.Complete = r.Complete && !strings.Contains(report, sign)
	}
	if m := memoryLine.FindStringSubmatch(report); m != nil {
		r.Megabytes, _ = strconv.ParseFloat(m[1], 64)
	}
	if m := violationLine.FindStringSubmatch(report); r.Errors > 0 && m != nil {
		r.Violation = m[1]
	}
	return r
}
