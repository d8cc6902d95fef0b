package plugintest_test

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/narthex/narthex/plugin"
)

// pages is the reference store with another way to cut the list into pages.
type pages struct {
	*memory
	page func(ctx context.Context, m *memory, q plugin.ListQuery) (plugin.Page, error)
}

func (s pages) List(ctx context.Context, q plugin.ListQuery) (plugin.Page, error) {
	return s.page(ctx, s.memory, q)
}

// byOffset counts accounts that exist now, so that a deletion moves everything.
func byOffset(ctx context.Context, m *memory, q plugin.ListQuery) (plugin.Page, error) {
	all, err := m.List(ctx, plugin.ListQuery{Limit: plugin.MaxPage})
	if err != nil {
		return plugin.Page{}, err
	}
	from, _ := strconv.Atoi(q.After)
	from = min(from, len(all.Accounts))
	to := min(from+q.Limit, len(all.Accounts))
	page := plugin.Page{Accounts: all.Accounts[from:to]}
	if to < len(all.Accounts) {
		page.Next = strconv.Itoa(to)
	}
	return page, nil
}

// overlaps begins a page with the last account of the one before.
func overlaps(ctx context.Context, m *memory, q plugin.ListQuery) (plugin.Page, error) {
	page, err := m.List(ctx, q)
	var next int
	if _, scanned := fmt.Sscanf(page.Next, "after:%d", &next); scanned == nil && q.Limit > 1 {
		page.Next = fmt.Sprintf("after:%d", next-1)
	}
	return page, err
}

// skips leaves the first account of every page but the first out.
func skips(ctx context.Context, m *memory, q plugin.ListQuery) (plugin.Page, error) {
	page, err := m.List(ctx, q)
	if q.After != "" && len(page.Accounts) > 0 {
		page.Accounts = page.Accounts[1:]
	}
	return page, err
}

// ignoresTheLimit has pages of its own size.
func ignoresTheLimit(ctx context.Context, m *memory, q plugin.ListQuery) (plugin.Page, error) {
	return m.List(ctx, plugin.ListQuery{After: q.After, Limit: plugin.MaxPage})
}

// takesAnyToken begins from the start where it does not understand.
func takesAnyToken(ctx context.Context, m *memory, q plugin.ListQuery) (plugin.Page, error) {
	page, err := m.List(ctx, q)
	if err != nil && q.Limit > 0 && q.Limit <= plugin.MaxPage && ctx.Err() == nil {
		return m.List(ctx, plugin.ListQuery{Limit: q.Limit})
	}
	return page, err
}

// listsNamesOnly leaves the attributes out.
func listsNamesOnly(ctx context.Context, m *memory, q plugin.ListQuery) (plugin.Page, error) {
	page, err := m.List(ctx, q)
	for i := range page.Accounts {
		page.Accounts[i].Attributes = nil
	}
	return page, err
}

// reports is the reference store with another Statuses.
type reports struct {
	*memory
	alter func([]plugin.Status) []plugin.Status
}

func (s reports) Statuses(ctx context.Context, ids []plugin.ID) ([]plugin.Status, error) {
	list, err := s.memory.Statuses(ctx, ids)
	return s.alter(list), err
}

func allUsable(list []plugin.Status) []plugin.Status {
	for i := range list {
		list[i].Usable = true
	}
	return list
}

func atMostHundred(list []plugin.Status) []plugin.Status { return list[:min(len(list), 100)] }

// sweeps removes accounts that nobody can use.
type sweeps struct{ *memory }

func (s sweeps) Maintain(ctx context.Context) (plugin.MaintainReport, error) {
	if err := ctx.Err(); err != nil {
		return plugin.MaintainReport{}, err
	}
	s.mu.Lock()
	var unused []plugin.ID
	for id, e := range s.accounts {
		if e.password.Empty() {
			unused = append(unused, id)
		}
	}
	s.mu.Unlock()
	for _, id := range unused {
		if err := s.Delete(ctx, id); err != nil {
			return plugin.MaintainReport{}, err
		}
	}
	return plugin.MaintainReport{Removed: len(unused)}, nil
}

// neverDone always has more to do.
type neverDone struct{ *memory }

func (neverDone) Maintain(ctx context.Context) (plugin.MaintainReport, error) {
	return plugin.MaintainReport{More: true}, ctx.Err()
}

// likesEverything finds nothing wrong with any flow.
type likesEverything struct{ *memory }

func (likesEverything) CheckSchema(ctx context.Context, _ []plugin.AttributeUse) (plugin.SchemaReport, error) {
	return plugin.SchemaReport{}, ctx.Err()
}

// likesNothing knows no attribute.
type likesNothing struct{ *memory }

func (likesNothing) CheckSchema(ctx context.Context, uses []plugin.AttributeUse) (plugin.SchemaReport, error) {
	var report plugin.SchemaReport
	for _, u := range uses {
		report.Findings = append(report.Findings, plugin.SchemaFinding{Item: u.Item, Flow: u.Flow, Step: u.Step, Problem: "unknown", Fix: "leave it out"})
	}
	return report, ctx.Err()
}

// mixesUp answers about another account while it is busy.
type mixesUp struct{ *memory }

func (s mixesUp) Lookup(ctx context.Context, k plugin.Key) (plugin.Account, error) {
	time.Sleep(time.Millisecond)
	a, err := s.memory.Lookup(ctx, k)
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range s.accounts {
		if err == nil && id != a.ID {
			return s.show(id)
		}
	}
	return a, err
}
