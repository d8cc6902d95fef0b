package doctor

import (
	"context"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/plugin"
)

// entries looks for what everything stands below.
func (e *examination) entries(ctx context.Context) bool {
	const check = "entries"
	s, whole := e.plan.Settings, true
	var there []string
	for _, wanted := range []struct {
		dn    directory.DN
		level Level
		fix   string
	}{
		{s.Base, Failure, "correct NARTHEX_LDAP_BASE, or " + e.plan.fix(toFindByID)},
		{s.People.Base, Failure, "make it, or correct people.base in the persister's file, or " + e.plan.fix(toFindByID)},
		{s.Identifiers, Failure, "load what 'narthex directory check --ldif' prints: entries and rights"},
		{s.Pending, Failure, "load what 'narthex directory check --ldif' prints: entries and rights"},
		{Decoy(s), Warning, "load what 'narthex directory check --ldif' prints: without it, names that nobody has are refused faster than others"},
		{Probe(s), Warning, "load what 'narthex directory check --ldif' prints: without it, nobody knows whether passwords and locks work"},
	} {
		if s.Kind == directory.ActiveDirectory && wanted.level == Warning {
			continue
		}
		_, err := e.pool.Read(ctx, wanted.dn, "objectClass")
		switch {
		case err == nil:
			there = append(there, string(wanted.dn))
		case !directory.Refused(err):
			return e.lost(err)
		default:
			whole = whole && wanted.level != Failure
			e.report = append(e.report, Finding{Check: check, Level: wanted.level, Text: fmt.Sprintf("there is no %s, or the service account may not see it", wanted.dn), Fix: wanted.fix})
		}
	}
	if len(there) > 0 {
		e.report.note(check, "there: "+strings.Join(there, "; "))
	}
	return whole
}

// schema looks whether the settings and the flows fit the server's schema, and whether the mark is free.
func (e *examination) schema(ctx context.Context) bool {
	const check = "schema"
	s := e.plan.Settings
	findings := s.CheckSchema(e.plan.Schema, e.Uses).Findings
	for _, f := range findings {
		var at []string
		for _, part := range []struct{ what, name string }{{"flow", f.Flow}, {"step", f.Step}, {"item", f.Item}, {"attribute", f.Attribute}} {
			if part.name != "" {
				at = append(at, part.what+" "+part.name)
			}
		}
		e.report.fail(check, strings.Join(at, ", ")+": "+f.Problem, f.Fix)
	}
	if len(findings) == 0 {
		e.report.note(check, fmt.Sprintf("accounts are %s; every attribute that these demand is supplied", strings.Join(s.People.ObjectClasses, ", ")))
	}
	e.demands(check)
	if err := e.mark(ctx, check); err != nil {
		return e.lost(err)
	}
	return true
}

// demands tells, for each flow, what supplies every attribute that the classes demand.
func (e *examination) demands(check string) {
	flows := map[string][]plugin.AttributeUse{}
	for _, u := range e.Uses {
		flows[u.Flow] = append(flows[u.Flow], u)
	}
	for _, flow := range slices.Sorted(maps.Keys(flows)) {
		var all []string
		for _, demanded := range e.plan.Settings.Demands(e.plan.Schema, flows[flow]) {
			if demanded.By != "" { // otherwise it is a failure, told before
				all = append(all, demanded.Attribute+" by "+demanded.By)
			}
		}
		if len(all) > 0 {
			e.report.note(check, fmt.Sprintf("flow %s: %s", flow, strings.Join(all, ", ")))
		}
	}
}

// aMark is what the persister writes as a mark: a run, and the claim of the username.
var aMark = regexp.MustCompile(`^[0-9a-f]{20}(-[0-9a-f]{40})?$`)

// mark looks whether anybody else uses the attribute of the mark.
func (e *examination) mark(ctx context.Context, check string) error {
	const enough = 200
	s := e.plan.Settings
	found, err := e.pool.Search(ctx, s.People.Base, directory.OneLevel, directory.Present(s.Mark), enough, s.Mark)
	if err != nil {
		if directory.Refused(err) {
			return nil
		}
		return err
	}
	for _, entry := range found {
		for _, v := range entry.Values(s.Mark) {
			if !aMark.MatchString(v) {
				e.report.fail(check, fmt.Sprintf("the mark %s is used for something else, by %s for one: every change of an account would overwrite it", s.Mark, entry.DN),
					"name another attribute with mark in the persister's file: single-valued, text, and used by nothing else")
				return nil
			}
		}
	}
	return nil
}
