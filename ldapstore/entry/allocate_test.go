package entry_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/entry"
	"github.com/narthex/narthex/plugin"
)

const numbers = "people: {object_classes: [inetOrgPerson, posixAccount]}\nnumbers: {uidNumber: {from: %d, to: %d, block: %d}}\n"

// ways are the two that numbers are taken from a counter.
var ways = map[string]directory.Server{
	"increment":        {Kind: directory.OpenLDAP, Increment: true, PreRead: true},
	"compare-and-swap": {Kind: directory.OpenLDAP},
}

// take has callers of several processes take numbers at once, and returns how often each was taken.
func take(t *testing.T, allocators []*entry.Allocator, callers, each int) map[int64]int {
	t.Helper()
	var mu sync.Mutex
	var all sync.WaitGroup
	taken := map[int64]int{}
	for i := range callers {
		all.Go(func() {
			for range each {
				numbers, err := allocators[i%len(allocators)].Next(t.Context())
				for errors.Is(err, directory.ErrUnanswered) && errors.Is(err, plugin.ErrUnavailable) {
					numbers, err = allocators[i%len(allocators)].Next(t.Context())
				}
				if err != nil {
					t.Errorf("no number: %v", err)
					return
				}
				mu.Lock()
				taken[numbers["uidNumber"]]++
				mu.Unlock()
			}
		})
	}
	all.Wait()
	return taken
}

func once(t *testing.T, taken map[int64]int, want int, from, to int64) {
	t.Helper()
	if len(taken) != want {
		t.Errorf("%d different numbers, want %d", len(taken), want)
	}
	for n, times := range taken {
		if times != 1 || n < from || n > to {
			t.Errorf("%d was taken %d times, want once and within %d to %d", n, times, from, to)
		}
	}
}

func TestAllocate(t *testing.T) {
	for way, server := range ways {
		t.Run(way+"/no number is given twice, however many ask and whichever answers are lost", func(t *testing.T) {
			s := decode(t, directory.OpenLDAP, fmt.Sprintf(numbers, 10_000, 59_999, 7))
			m := newMemory()
			m.before = func(string) error {
				time.Sleep(100 * time.Microsecond) // so that others come between
				return nil
			}
			m.after = func(string) error {
				if rand.IntN(10) == 0 {
					return directory.ErrUnanswered
				}
				return nil
			}
			var allocators []*entry.Allocator
			for range 3 {
				allocators = append(allocators, entry.NewAllocator(s, server, m))
			}
			once(t, take(t, allocators, 50, 20), 1000, 10_000, 59_999)
		})
		t.Run(way+"/numbers in use and those that mean nobody are left out", func(t *testing.T) {
			s := decode(t, directory.OpenLDAP, fmt.Sprintf(numbers, 65_530, 65_540, 4))
			m := newMemory()
			for _, used := range []int64{65_531, 65_537} {
				must(t, m.Add(t.Context(), base.Child("cn", strconv.FormatInt(used, 10)), []directory.Attribute{{Name: "uidNumber", Values: []string{strconv.FormatInt(used, 10)}}}))
			}
			taken := take(t, []*entry.Allocator{entry.NewAllocator(s, server, m)}, 1, 7)
			once(t, taken, 7, 65_530, 65_540)
			for _, not := range []int64{65_531, 65_534, 65_535, 65_537} {
				if taken[not] > 0 {
					t.Errorf("%d was given", not)
				}
			}
		})
		t.Run(way+"/a range that is used up says so, and goes on when it is wider", func(t *testing.T) {
			m := newMemory()
			a := entry.NewAllocator(decode(t, directory.OpenLDAP, fmt.Sprintf(numbers, 2000, 2002, 2)), server, m)
			once(t, take(t, []*entry.Allocator{a}, 1, 3), 3, 2000, 2002)
			for range 3 {
				if _, err := a.Next(t.Context()); !errors.Is(err, entry.ErrExhausted) || !errors.Is(err, plugin.ErrUnavailable) {
					t.Fatalf("the error is %v", err)
				}
			}
			wider := entry.NewAllocator(decode(t, directory.OpenLDAP, fmt.Sprintf(numbers, 2000, 2100, 2)), server, m)
			once(t, take(t, []*entry.Allocator{wider}, 1, 3), 3, 2003, 2100)
		})
		t.Run(way+"/a counter below the range is raised to it", func(t *testing.T) {
			m := newMemory()
			take(t, []*entry.Allocator{entry.NewAllocator(decode(t, directory.OpenLDAP, fmt.Sprintf(numbers, 2000, 2100, 5)), server, m)}, 1, 1)
			raised := entry.NewAllocator(decode(t, directory.OpenLDAP, fmt.Sprintf(numbers, 9000, 9100, 5)), server, m)
			once(t, take(t, []*entry.Allocator{raised}, 4, 5), 20, 9000, 9100)
		})
	}

	t.Run("a counter with something else in it is not believed", func(t *testing.T) {
		s, m := decode(t, directory.OpenLDAP, fmt.Sprintf(numbers, 2000, 2100, 5)), newMemory()
		must(t, m.Add(t.Context(), s.Numbers["uidNumber"].Counter, []directory.Attribute{{Name: "uidNumber", Values: []string{"many"}}}))
		if _, err := entry.NewAllocator(s, ways["compare-and-swap"], m).Next(t.Context()); !errors.Is(err, plugin.ErrUnavailable) {
			t.Errorf("the error is %v", err)
		}
	})
	t.Run("whoever waits gives up when the call ends", func(t *testing.T) {
		s, m := decode(t, directory.OpenLDAP, fmt.Sprintf(numbers, 2000, 2100, 5)), newMemory()
		ctx, cancel := context.WithCancel(t.Context())
		m.before = func(string) error { cancel(); return ctx.Err() }
		if _, err := entry.NewAllocator(s, ways["increment"], m).Next(ctx); !errors.Is(err, context.Canceled) {
			t.Errorf("the error is %v", err)
		}
	})
}

// numbers has several processes fight for one counter of a real server.
func (l *lab) numbers(t *testing.T) {
	t.Run("no number is given twice, whatever the server's way", func(t *testing.T) {
		s, err := entry.Decode("directory.yaml", []byte("numbers: {uidNumber: {from: 40000, to: 49999, block: 3}}"), l.server.Kind, directory.DN(l.dir.Base))
		must(t, err)
		var allocators []*entry.Allocator
		for range 4 {
			allocators = append(allocators, entry.NewAllocator(s, l.server, l.admin))
		}
		once(t, take(t, allocators, 50, 3), 150, 40_000, 49_999)
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
