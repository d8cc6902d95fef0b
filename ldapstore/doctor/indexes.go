package doctor

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

const indexCheck = "indexes"

// indexes finds attributes that are searched for values and have no index: where the service account may read the server's
// own settings, they say so; elsewhere only slow searches, or a limit that only searches without index meet, give it away.
func (e *examination) indexes(ctx context.Context) error {
	s := e.plan.Settings
	if s.Kind == directory.ActiveDirectory {
		return nil
	}
	wanted := e.plan.slapdIndexes()
	if s.Kind == directory.DS389 {
		wanted = append([]string{"uid", "mail"}, e.plan.ds389Indexes()...)
	}
	known, indexed, err := e.configured(ctx)
	if err != nil {
		return err
	}
	var lacking []string
	for _, name := range wanted {
		slow := !slices.ContainsFunc(indexed, func(i string) bool { return strings.EqualFold(i, name) })
		if !known {
			if strings.EqualFold(name, "objectClass") {
				continue // a class that nobody knows is not searched for
			}
			if slow, err = e.slow(ctx, name); err != nil {
				return err
			}
		}
		if slow {
			lacking = append(lacking, name)
		}
	}
	switch {
	case len(lacking) > 0:
	case known:
		e.report.note(indexCheck, "there is one for everything that is searched for")
		return nil
	default:
		e.report.note(indexCheck, "no search is slow; a missing one shows only in a tree of some thousand entries")
		return nil
	}
	e.report.warn(indexCheck, "there is no index for "+strings.Join(lacking, ", ")+": every registration and login reads the whole tree", "load the indexes that 'narthex directory check --ldif' prints")
	return nil
}

// configured reads OpenLDAP's own list.
func (e *examination) configured(ctx context.Context) (known bool, indexed []string, err error) {
	if e.plan.Settings.Kind != directory.OpenLDAP {
		return false, nil, nil
	}
	found, err := e.pool.Search(ctx, "cn=config", directory.Subtree, directory.Equal("olcSuffix", string(e.Base)), 1, "olcSuffix", "olcDbIndex")
	if err != nil || len(found) == 0 || found[0].Value("olcSuffix") == "" {
		if directory.Refused(err) {
			err = nil
		}
		return false, nil, err
	}
	for _, value := range found[0].Values("olcDbIndex") {
		attributes, kinds, _ := strings.Cut(value, " ")
		if strings.Contains(kinds, "eq") {
			indexed = append(indexed, strings.Split(attributes, ",")...)
		}
	}
	return true, indexed, nil
}

const (
	// A search with an index takes about as long as reading one entry, however large the tree is.
	slowFactor = 8
	slowAtAll  = time.Millisecond
	slowTries  = 10
)

// slow tells whether a search for a value that nobody has takes much longer than reading an entry.
func (e *examination) slow(ctx context.Context, name string) (bool, error) {
	s := e.plan.Settings
	quickest := func(do func() error) (time.Duration, error) {
		best := time.Hour
		for range slowTries {
			began := time.Now()
			if err := do(); err != nil {
				return 0, err
			}
			best = min(best, time.Since(began))
		}
		return best, nil
	}
	value := (&prober{plan: e.plan}).impossible(name)
	search, err := quickest(func() error {
		_, err := e.pool.Search(ctx, s.Base, directory.Subtree, directory.Equal(name, value), 1)
		return err
	})
	if directory.Refused(err, directory.AdminLimitExceeded) {
		return true, nil
	}
	if err != nil {
		if directory.Refused(err) {
			return false, nil
		}
		return false, err
	}
	read, err := quickest(func() error {
		_, err := e.pool.Read(ctx, s.People.Base, "objectClass")
		return err
	})
	if err != nil {
		return false, fmt.Errorf("read an entry: %w", err)
	}
	return search > slowAtAll && search > slowFactor*read, nil
}
