package plugintest

import (
	"context"
	"fmt"
	"time"

	"github.com/narthex/narthex/plugin"
)

func listRules() []rule {
	needs := []plugin.Capability{plugin.CapLister}
	return []rule{
		{
			name:  "List/every account once while others come and go",
			law:   "walking all pages returns every account that exists during the whole walk exactly once, whatever is added and deleted meanwhile",
			needs: needs, check: listWhileOthersComeAndGo,
		},
		{
			name:  "List/shows accounts as Get does",
			law:   "an account looks the same to every call",
			needs: needs, check: listShowsTheSame,
		},
		{
			name:  "List/a page has at most as many accounts as asked for",
			law:   "the limit bounds a page, and lies between 1 and the contract's highest",
			needs: needs, check: listLimit,
		},
		{
			name:  "List/a token that the store did not make is ErrInvalid",
			law:   "a token comes back from outside: a store that cannot have made it says so, and never takes it for a part of a query",
			needs: needs, check: forgedToken,
		},
	}
}

// walkFor bounds the walk through a large store.
const walkFor = 30 * time.Second

// walk goes through all pages. small pages are only for a store with few accounts: others are walked in large ones.
func (s *store) walk(t TB, between func(page int), see func(plugin.Account)) {
	t.Helper()
	ctx, cancel := context.WithTimeout(s.ctx, walkFor)
	defer cancel()
	q := plugin.ListQuery{Limit: 2}
	if first, err := s.Lister.List(ctx, plugin.ListQuery{Limit: plugin.MaxPage}); err == nil && first.Next != "" {
		q.Limit = plugin.MaxPage
	}
	for page := 1; ; page++ {
		answer, err := s.Lister.List(ctx, q)
		if ctx.Err() != nil && s.ctx.Err() == nil {
			t.Skipf("the store has too many accounts to walk through all of them within %v", walkFor)
		}
		must(t, fmt.Sprintf("List of page %d", page), err)
		if len(answer.Accounts) > q.Limit {
			t.Errorf("page %d has %d accounts, asked for were %d", page, len(answer.Accounts), q.Limit)
		}
		for _, a := range answer.Accounts {
			see(a)
		}
		if answer.Next == "" {
			return
		}
		if answer.Next == q.After {
			t.Fatalf("the page after page %d is that page again", page)
		}
		q.After = answer.Next
		between(page)
	}
}

func listWhileOthersComeAndGo(t TB, s *store) {
	var passing []plugin.ID
	want := map[plugin.ID]bool{}
	for range 9 {
		want[s.create(t, s.person()).ID] = true
		passing = append(passing, s.create(t, s.person()).ID)
	}
	seen := map[plugin.ID]int{}
	s.walk(t, func(page int) {
		if page > len(passing) {
			return
		}
		must(t, "Delete of an account while others are listed", s.Delete(s.ctx, passing[page-1]))
		s.create(t, s.person())
	}, func(a plugin.Account) { seen[a.ID]++ })
	for id := range want {
		if seen[id] == 0 {
			t.Errorf("account %s was there during the whole walk and is not listed", id)
		}
	}
	for id, n := range seen {
		if n > 1 {
			t.Errorf("account %s is listed %d times", id, n)
		}
	}
}

func listShowsTheSame(t TB, s *store) {
	a, b := s.person(), s.person()
	a.Keys = append(a.Keys, s.phone(), s.unique())
	a.Attributes[s.names.Notes] = texts("one", "two")
	b.State = plugin.State{Locked: true, Reason: "abuse"}
	want := map[plugin.ID]plugin.Account{}
	for _, p := range []plugin.NewAccount{a, b} {
		made := s.create(t, p)
		want[made.ID] = made
	}
	s.walk(t, func(int) {}, func(found plugin.Account) {
		if w, mine := want[found.ID]; mine {
			equal(t, "List", found, w)
			delete(want, found.ID)
		}
	})
	if len(want) > 0 {
		t.Errorf("%d accounts are not listed", len(want))
	}
}

func listLimit(t TB, s *store) {
	for range 3 {
		s.create(t, s.person())
	}
	for _, limit := range []int{1, 2, plugin.MaxPage} {
		page, err := s.Lister.List(s.ctx, plugin.ListQuery{Limit: limit})
		must(t, fmt.Sprintf("List with limit %d", limit), err)
		if n := len(page.Accounts); n > limit || n == 0 {
			t.Errorf("List with limit %d returns %d accounts", limit, n)
		}
	}
	for _, limit := range []int{-1, 0, plugin.MaxPage + 1} {
		_, err := s.Lister.List(s.ctx, plugin.ListQuery{Limit: limit})
		fails(t, fmt.Sprintf("List with limit %d", limit), err, plugin.ErrInvalid)
	}
}

func forgedToken(t TB, s *store) {
	s.create(t, s.person())
	for _, token := range []string{"no token of this store", "1 OR 1=1", "' OR ''='", "*)(uid=*", "\xff", "../../etc/passwd", "-1", "ｔ"} {
		_, err := s.Lister.List(s.ctx, plugin.ListQuery{After: token, Limit: 10})
		fails(t, fmt.Sprintf("List after the token %q", token), err, plugin.ErrInvalid)
	}
}
