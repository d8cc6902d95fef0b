// Search makes every search of the claim protocol's model and prints a table; it exits 1 when one does not give what it
// must: a rule violated, a search cut off, or a broken rule not found.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"
	"time"

	"github.com/narthex/narthex/ldapstore/model"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := search(ctx); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1) //nolint:gocritic // nothing is left for the deferred call to do
	}
}

func search(ctx context.Context) error {
	var (
		match   = flag.String("match", "", "only searches whose name or switches match this regular `expression`")
		short   = flag.Bool("short", false, "the set of the tests alone")
		memory  = flag.Int("megabytes", 5500, "`limit` of memory for one search")
		maximum = flag.Duration("time", time.Hour, "`limit` of time for one search")
	)
	flag.Parse()
	wanted, err := regexp.Compile(*match)
	if err != nil {
		return fmt.Errorf("match: %w", err)
	}
	searches := model.Long()
	if *short {
		searches = model.Short()
	}
	fmt.Println("| search | switches | states | depth | seconds | MB | errors | result |\n|---|---|---|---|---|---|---|---|")
	failed := 0
	for _, s := range searches {
		if !wanted.MatchString(s.Name) && !wanted.MatchString(s.String()) {
			continue
		}
		err := one(ctx, s, model.Limits{Megabytes: *memory, Time: *maximum})
		if ctx.Err() != nil {
			return errors.New("interrupted")
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			failed++
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d searches did not give what they must", failed)
	}
	return nil
}

// one makes a search in a folder of its own and prints its line.
func one(ctx context.Context, s model.Search, l model.Limits) error {
	dir, err := os.MkdirTemp("", "search-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir) //nolint:errcheck // what is left of a temporary folder harms nobody
	r, err := s.Run(ctx, dir, l)
	if err != nil {
		return err
	}
	err = s.Judge(r)
	fmt.Printf("| %s | %s | %d | %d | %.0f | %.0f | %d | %s |\n", s.Name, s, r.States, r.Depth, r.Elapsed.Seconds(), r.Megabytes, r.Errors, verdict(s, r, err))
	return err
}

func verdict(s model.Search, r model.Result, err error) string {
	switch {
	case errors.Is(err, model.ErrViolated):
		return "**violated**"
	case errors.Is(err, model.ErrNotSeen):
		return "**not seen**"
	case err != nil:
		return "incomplete; none found"
	case s.Broken():
		return "seen"
	case r.Complete:
		return "exhaustive, holds"
	}
	return "?"
}
