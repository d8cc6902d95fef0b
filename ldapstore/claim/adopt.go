package claim

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// Person is an account that stands in the directory, whoever made it.
type Person struct {
	ID plugin.ID
	DN directory.DN
	// Keys has one of KindUsername. Value and Attribute are as in the entry.
	Keys []plugin.Key
}

// Adoption is what became of a person's keys.
type Adoption struct {
	// Claimed counts the claims that were written.
	Claimed int
	// Taken are keys that another account has, or that are held back for one. Nothing is changed about them.
	Taken []plugin.Key
	// Busy tells that somebody is just changing one of the claims: adopt again later.
	Busy bool
}

// Adopt writes the claims of a person that are missing, and is done again without harm. A value that an admin has given a
// known account by hand gets its claim as if the account had added it; what a claim says of an account that is nowhere any
// more is put right first (see Review), so that the key is free a day later. A census saves looking at most claims.
func (s *Store) Adopt(ctx context.Context, p Person, census *Census) (Adoption, error) {
	a := adopting{Store: s, Person: p, census: census}
	for _, k := range p.Keys {
		if k.Kind == plugin.KindUsername {
			a.anchor, a.anchorName = k, Name(k.Canonical)
		} else {
			a.others = append(a.others, k)
		}
	}
	if a.anchorName == "" {
		return Adoption{}, fmt.Errorf("adopt: %w: no username", plugin.ErrInvalid)
	}
	if err := a.run(ctx); err != nil {
		return a.Adoption, fmt.Errorf("adopt: %w", err)
	}
	return a.Adoption, nil
}

type adopting struct {
	*Store
	Person
	Adoption
	anchor     plugin.Key
	anchorName string
	others     []plugin.Key
	census     *Census
	written    map[string]state // by name: to be taken back if the entry is gone
}

func (a *adopting) run(ctx context.Context) error {
	a.census.meet(a.anchorName, a.ID)
	if !a.census.lacks(a.anchorName) {
		anchor, err := a.settled(ctx, a.anchorName)
		if err != nil || a.Busy {
			return err
		}
		if anchor != nil && anchor.phase == held && anchor.id == a.ID {
			return a.runKnown(ctx, anchor)
		}
	}
	a.written = map[string]state{}
	var names []string
	for _, k := range a.others {
		a.census.meet(Name(k.Canonical), a.ID)
		mine, err := a.claim(ctx, k, notes{})
		if err != nil || a.Busy {
			return err
		}
		if mine {
			names = append(names, Name(k.Canonical))
		}
	}
	// The anchor comes last: once it stands, its list is complete.
	if _, err := a.claim(ctx, a.anchor, notes{dn: a.DN, others: names}); err != nil {
		return err
	}
	return a.confirm(ctx)
}

// claim makes one claim the person's, at rest. mine is false when somebody else has it.
func (a *adopting) claim(ctx context.Context, k plugin.Key, n notes) (mine bool, err error) {
	name := Name(k.Canonical)
	to := state{phase: held, kind: kindOf(k), run: newRun(), id: a.ID, notes: n}
	err = a.add(ctx, name, to)
	if err == nil {
		a.wrote(name, to)
		return true, nil
	}
	if !directory.Refused(err, directory.EntryAlreadyExists) {
		return false, err
	}
	for range 8 {
		st, err := a.settled(ctx, name)
		if err != nil || a.Busy {
			return false, err
		}
		switch {
		case st == nil:
			return false, plugin.ErrUnavailable // somebody deletes claims by hand
		case st.isAnchorOf(a.ID):
			return true, nil
		case !a.mayTake(st):
			a.Taken = append(a.Taken, k)
			return false, nil
		}
		ok, err := a.swap(ctx, name, st.text, to)
		if err != nil {
			return false, err
		}
		if ok {
			a.wrote(name, to)
			return true, nil
		}
	}
	a.Busy = true
	return false, nil
}

func (a *adopting) wrote(name string, to state) {
	to.text = to.String()
	a.written[name] = to
	a.Claimed++
}

// mayTake tells whether a claim is free for the person: nobody's, held back for this account, or long enough for another.
func (a *adopting) mayTake(st *state) bool {
	return st.phase == free || st.phase == reserved && (st.id == a.ID || st.dn == "" && a.Clock().After(st.until))
}

// settled reads a claim once whatever was begun with it is finished or undone, and an account that is nowhere has lost it.
func (a *adopting) settled(ctx context.Context, name string) (*state, error) {
	visited := false
	for range 4 {
		st, err := a.read(ctx, name)
		if err != nil || st == nil {
			return nil, err
		}
		switch {
		case st.phase == held:
			if st.id == a.ID {
				return st, nil
			}
			freed, err := a.freeIfGone(ctx, name, st)
			if err != nil || !freed {
				return st, err
			}
			continue
		case st.phase == free, st.phase == reserved && (visited || st.dn == ""):
			return st, nil
		case visited:
			a.Busy = true
			return st, nil
		}
		if _, err := a.visit(ctx, name); err != nil {
			return nil, err
		}
		visited = true
	}
	a.Busy = true
	return nil, nil
}

// confirm takes back what was written when the entry is gone by now, or has lost a value: a deletion, or an admin, was
// quicker and did not see the claims.
func (a *adopting) confirm(ctx context.Context) error {
	if len(a.written) == 0 {
		return nil
	}
	e, err := a.byID(ctx, a.ID, a.readOfEntries()...)
	if err != nil {
		return err
	}
	for _, k := range a.Keys {
		name := Name(k.Canonical)
		st, wrote := a.written[name]
		if !wrote || e != nil && a.has(*e, k) {
			continue
		}
		if _, err := a.swap(ctx, name, st.text, state{phase: free, run: st.run}); err != nil {
			return err
		}
		a.Claimed--
	}
	return nil
}

// newAttempt is an attempt of nobody's registration.
func newAttempt() plugin.Attempt {
	b := make([]byte, 16)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return plugin.Attempt(hex.EncodeToString(b))
}
