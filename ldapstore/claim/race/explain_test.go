package race

import (
	"testing"
	"time"
)

// deed is what somebody tried to do to an account, all executions of its attempt together.
type deed struct {
	kind       string // exchange, add, drop, delete
	old, new   int    // the numbers of names; a bit each in a set of aliases
	certain    bool   // it was answered ok; otherwise it may have happened
	start, end time.Time
}

// gone is the state of an account that is no more.
const gone = -1

// explains tells whether some of the deeds, in an order that respects time, lead from one set of aliases to another, the
// certain ones among them. Too many deeds are not searched.
func explains(deeds []deed, from, to int) bool {
	if len(deeds) > 20 {
		return true
	}
	must := 0
	for i, d := range deeds {
		if d.certain {
			must |= 1 << i
		}
	}
	type place struct{ done, set int }
	been := map[place]bool{}
	var search func(at place) bool
	search = func(at place) bool {
		if at.done&must == must && at.set == to {
			return true
		}
		if been[at] {
			return false
		}
		been[at] = true
		for i, d := range deeds {
			if at.done&(1<<i) != 0 || !inTime(deeds, at.done, must, i) {
				continue
			}
			if set, ok := d.applied(at.set); ok && search(place{at.done | 1<<i, set}) {
				return true
			}
		}
		return false
	}
	return search(place{0, from})
}

// inTime: nothing certain that ended before deed i began is still to come, and nothing done began after it ended.
func inTime(deeds []deed, done, must, i int) bool {
	for j, other := range deeds {
		if must&^done&(1<<j) != 0 && other.end.Before(deeds[i].start) || done&(1<<j) != 0 && deeds[i].end.Before(other.start) {
			return false
		}
	}
	return true
}

func (d deed) applied(set int) (int, bool) {
	if set == gone {
		return gone, d.kind == "delete"
	}
	lacks, brings := 1<<d.old, 1<<d.new
	switch d.kind {
	case "exchange":
		return set&^lacks | brings, set&lacks != 0 && set&brings == 0
	case "add":
		return set | brings, set&brings == 0
	case "drop":
		return set &^ lacks, set&lacks != 0
	default:
		return gone, true
	}
}

func TestExplains(t *testing.T) {
	at := func(ms int) time.Time { return time.UnixMilli(int64(ms)) }
	change := func(old, new int, certain bool, start, end int) deed {
		return deed{"exchange", old, new, certain, at(start), at(end)}
	}
	for name, c := range map[string]struct {
		deeds    []deed
		from, to int
		want     bool
	}{
		"nothing happened":                            {nil, 1, 1, true},
		"a change that was answered is seen":          {[]deed{change(0, 1, true, 0, 1)}, 1, 1, false},
		"a change that was not answered may be":       {[]deed{change(0, 1, false, 0, 1)}, 1, 2, true},
		"a change of nobody's is not explained":       {nil, 1, 2, false},
		"an order against time is none":               {[]deed{change(1, 2, true, 0, 1), change(0, 1, true, 2, 3)}, 1, 4, false},
		"at the same time any order is good":          {[]deed{change(1, 2, true, 0, 3), change(0, 1, true, 2, 3)}, 1, 4, true},
		"what is deleted stays deleted":               {[]deed{{"delete", 0, 0, true, at(0), at(1)}}, 1, 1, false},
		"a second deletion is answered as well":       {[]deed{{"delete", 0, 0, true, at(0), at(1)}, {"delete", 0, 0, true, at(2), at(3)}}, 1, gone, true},
		"a change after a deletion cannot have been":  {[]deed{{"delete", 0, 0, true, at(0), at(1)}, change(0, 1, true, 2, 3)}, 1, gone, false},
		"a drop takes one of two, an addition brings": {[]deed{{"add", 0, 1, true, at(0), at(1)}, {"drop", 0, 0, true, at(2), at(3)}}, 1, 2, true},
	} {
		if got := explains(c.deeds, c.from, c.to); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
