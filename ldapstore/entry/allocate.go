package entry

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// ErrExhausted says that every number of a range is taken. It comes with plugin.ErrUnavailable: when the admin has widened
// the range, the same account can be made.
var ErrExhausted = errors.New("the range of numbers is used up")

// Allocator hands out numbers that no other account has, of each of Settings.Numbers. It takes them in blocks from a
// counter entry, by increment with pre-read (RFC 4525, RFC 4527) where the server has both, else by compare-and-swap.
// A number that was handed out is never handed out again; those of a block that a process does not use are lost.
type Allocator struct {
	counters map[string]*counter
}

// NewAllocator returns an allocator for a server. All processes that write to it share its counters.
func NewAllocator(s *Settings, server directory.Server, ops directory.Operations) *Allocator {
	a := &Allocator{counters: map[string]*counter{}}
	for name, numbers := range s.Numbers {
		a.counters[name] = &counter{
			Numbers: numbers, attribute: name, base: s.Base, kind: s.Kind, ops: ops,
			increments: server.Increment && server.PreRead, turn: make(chan struct{}, 1),
		}
	}
	return a
}

// Next returns a new number of each kind, by directory attribute. Errors are plugin.ErrUnavailable.
func (a *Allocator) Next(ctx context.Context) (map[string]int64, error) {
	numbers := map[string]int64{}
	for name, c := range a.counters {
		n, err := c.next(ctx)
		if err != nil {
			return nil, fmt.Errorf("allocate a number for %s: %w", name, errors.Join(plugin.ErrUnavailable, err))
		}
		numbers[name] = n
	}
	return numbers, nil
}

// counter is one counter entry and what is left of the block that was taken from it last.
type counter struct {
	Numbers
	attribute  string
	base       directory.DN
	kind       directory.Kind
	ops        directory.Operations
	increments bool
	turn       chan struct{} // whoever has put something in may use what follows
	left       []int64
}

func (c *counter) next(ctx context.Context) (int64, error) {
	select {
	case c.turn <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-c.turn }()
	for len(c.left) == 0 {
		if err := c.refill(ctx); err != nil {
			return 0, err
		}
	}
	n := c.left[0]
	c.left = c.left[1:]
	return n, nil
}

// nobody has two numbers that mean "nobody" or "none" on many systems.
func nobody(n int64) bool { return n == 1<<16-2 || n == 1<<16-1 }

// refill takes a block and keeps the numbers of it that are in the range and that nobody uses. It may keep none.
func (c *counter) refill(ctx context.Context) error {
	from, err := c.reserve(ctx)
	if err != nil {
		return err
	}
	if from > c.To {
		return ErrExhausted
	}
	used, err := c.used(ctx, from)
	if err != nil {
		return err
	}
	for n := from; n < from+c.Block && n <= c.To; n++ {
		if n >= c.From && !nobody(n) && !used[n] {
			c.left = append(c.left, n)
		}
	}
	return nil
}

// used finds the numbers of a block that entries have already, made by hand or by another program.
func (c *counter) used(ctx context.Context, from int64) (map[int64]bool, error) {
	var any []directory.Filter
	for n := from; n < from+c.Block; n++ {
		any = append(any, directory.Equal(c.attribute, strconv.FormatInt(n, 10)))
	}
	found, err := c.ops.Search(ctx, c.base, directory.Subtree, directory.Or(any...), 0, c.attribute)
	if err != nil {
		return nil, fmt.Errorf("look for numbers in use: %w", err)
	}
	used := map[int64]bool{}
	for _, e := range found {
		for _, v := range e.Values(c.attribute) {
			if n, err := strconv.ParseInt(v, 10, 64); err == nil && !e.DN.Equal(c.Counter) {
				used[n] = true
			}
		}
	}
	return used, nil
}

// reserveTries bounds how often a block is fought for; each lost try is another process's block.
const reserveTries = 200

// reserve moves the counter on by one block and returns the first number of it.
func (c *counter) reserve(ctx context.Context) (int64, error) {
	for range reserveTries {
		from, taken, err := c.try(ctx)
		switch {
		case directory.Refused(err, directory.NoSuchObject):
			if err := c.create(ctx); err != nil {
				return 0, err
			}
		case err != nil:
			return 0, err
		case taken:
			return from, nil
		}
		if err := ctx.Err(); err != nil {
			return 0, err
		}
	}
	return 0, errors.New("others were faster at the counter every time")
}

// try reserves once. A counter below the range, which an admin has moved, is raised to it.
func (c *counter) try(ctx context.Context) (from int64, taken bool, err error) {
	if c.increments {
		from, err = c.ops.Increment(ctx, c.Counter, c.CounterAttribute, c.Block)
		if err != nil {
			return 0, false, fmt.Errorf("increment the counter: %w", err)
		}
		if from+c.Block > c.From {
			return from, true, nil
		}
	}
	e, err := c.ops.Read(ctx, c.Counter, c.CounterAttribute)
	if err != nil {
		return 0, false, fmt.Errorf("read the counter: %w", err)
	}
	text := e.Value(c.CounterAttribute)
	now, err := strconv.ParseInt(text, 10, 64)
	if err != nil || len(e.Values(c.CounterAttribute)) != 1 || now < 0 {
		return 0, false, fmt.Errorf("the counter does not hold one number in %s", c.CounterAttribute)
	}
	if now > c.To {
		return now, true, nil // exhausted: nothing to write
	}
	from = max(now, c.From)
	err = c.ops.Modify(ctx, c.Counter, swap(c.CounterAttribute, []string{text}, []string{strconv.FormatInt(from+c.Block, 10)}), directory.Filter{})
	if directory.Refused(err, directory.NoSuchAttribute, directory.AttributeOrValueExists, directory.Busy) {
		return 0, false, nil // another process was faster
	}
	if err != nil {
		return 0, false, fmt.Errorf("move the counter on: %w", err)
	}
	return from, true, nil
}

// create makes the counter. Being there already is success: 389 Directory Server answers a false "no such object" for an
// entry that is being changed a lot.
func (c *counter) create(ctx context.Context) error {
	err := c.ops.Add(ctx, c.Counter, c.entry())
	if err != nil && !directory.Refused(err, directory.EntryAlreadyExists) {
		return fmt.Errorf("make the counter: %w", err)
	}
	return nil
}

// entry is a counter that has handed out nothing yet.
func (c *counter) entry() []directory.Attribute {
	name, value := c.Counter.RDN()
	classes := []string{"device", "extensibleObject"}
	if c.kind == directory.ActiveDirectory {
		classes = []string{"serviceConnectionPoint"}
	}
	return []directory.Attribute{
		{Name: "objectClass", Values: classes},
		{Name: name, Values: []string{value}},
		{Name: c.CounterAttribute, Values: []string{strconv.FormatInt(c.From, 10)}},
	}
}

// CounterEntries returns the counters as they are before the first account, for an admin to make beforehand.
func (s *Settings) CounterEntries() []directory.Entry {
	var entries []directory.Entry
	for _, name := range sortedNames(s.Numbers) {
		c := counter{Numbers: s.Numbers[name], kind: s.Kind}
		entries = append(entries, directory.Entry{DN: c.Counter, Attributes: c.entry()})
	}
	return entries
}
