package ldapstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/plugin"
)

// needs are the rights that a capability of the contract takes, those of them that the settings have a use for.
var needs = map[plugin.Capability][]doctor.Capability{
	plugin.CapPasswordSetter: {doctor.SetPassword},
	plugin.CapUpdater:        {doctor.ChangeAliases, doctor.ChangeAttributes, doctor.Lock, doctor.ChangeGroups},
}

// tryRights finds out by trying what the service account may do. Without the rights to create accounts the store does not
// open, and the error says which are missing; other capabilities are withheld, and the log says for the lack of what.
func (s *Store) tryRights(ctx context.Context, o Options) error {
	plan := doctor.Plan{Settings: s.settings, Service: directory.DN(o.Directory.BindDN), Uses: o.Uses, Schema: s.schema}
	s.deletion.plan = plan
	somebody, err := s.somebody(ctx)
	if err != nil {
		return err
	}
	allowed, report, err := doctor.Rights(ctx, s.pool, plan)
	if err != nil {
		return err
	}
	if !allowed[doctor.Create] {
		return rightsError(append(s.settingsFaults(), report...))
	}
	lacking := func(c doctor.Capability) bool {
		may, used := allowed[c]
		return used && !may
	}
	for capability, rights := range needs {
		if slices.ContainsFunc(rights, lacking) {
			s.withheld = append(s.withheld, capability)
		}
	}
	slices.Sort(s.withheld)
	s.deletion.tried, s.deletion.allowed = somebody, !lacking(doctor.Delete)
	for _, c := range doctor.Capabilities() {
		if lacking(c) {
			s.log.WarnContext(ctx, "the service account lacks a right", "for", c, "withheld", s.withheld)
		}
	}
	for _, f := range report {
		if f.Fix != "" {
			s.log.WarnContext(ctx, "the directory is not as it should be: 'narthex directory check' looks at everything", "found", f.Text, "fix", f.Fix)
		}
	}
	return nil
}

// somebody tells whether there is an account that rights could be tried on.
func (s *Store) somebody(ctx context.Context) (bool, error) {
	found, err := s.pool.Search(ctx, s.settings.People.Base, directory.OneLevel, s.accounts(directory.Present("objectClass")), 1, "1.1")
	if err != nil && !directory.Refused(err) {
		return false, fmt.Errorf("look for an account: %w", err)
	}
	return len(found) > 0, nil
}

// deletion is whether the service account may delete accounts. Other changes that are refused leave nothing behind; a
// deletion is committed first, and would neither end nor be undone.
type deletion struct {
	mu             sync.Mutex
	plan           doctor.Plan
	tried, allowed bool
}

// mayDelete tries the right where nobody was there to try it on before.
func (s *Store) mayDelete(ctx context.Context) error {
	d := &s.deletion
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.tried {
		somebody, err := s.somebody(ctx)
		if err != nil || !somebody {
			return err
		}
		d.plan.Capabilities = []doctor.Capability{doctor.Create, doctor.Delete}
		allowed, _, err := doctor.Rights(ctx, s.pool, d.plan)
		if err != nil {
			return err
		}
		d.tried, d.allowed = true, allowed[doctor.Delete]
	}
	if !d.allowed {
		return fmt.Errorf("%w: the service account lacks the right: 'narthex directory check' tells which", errors.ErrUnsupported)
	}
	return nil
}

// settingsFaults tells what the directory does not know of what the settings use: the tries may have failed of that.
func (s *Store) settingsFaults() (report doctor.Report) {
	for _, f := range s.settings.CheckSettings(s.schema) {
		report = append(report, doctor.Finding{Text: f.Problem, Fix: f.Fix})
	}
	return report
}

// rightsError lists what is missing, each with what to do.
func rightsError(report doctor.Report) error {
	var lines []string
	for _, f := range report {
		if f.Fix != "" {
			lines = append(lines, f.Text+": "+f.Fix)
		}
	}
	if len(lines) == 0 {
		return errors.New("the service account may not create accounts: run 'narthex directory check'")
	}
	return fmt.Errorf("the service account may not create accounts; 'narthex directory check' looks at everything, and with --ldif prints what to load; it was found:\n%s", strings.Join(lines, "\n"))
}
