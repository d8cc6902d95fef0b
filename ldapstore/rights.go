package ldapstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
	"github.com/narthex/narthex/ldapstore/doctor"
	"github.com/narthex/narthex/plugin"
)

// tryRights finds out by trying what the service account may do. Without the rights to create accounts the store does not
// open, and the error says which are missing; other capabilities are withheld, and the log says why.
func (s *Store) tryRights(ctx context.Context, service string) error {
	allowed, report, err := doctor.Rights(ctx, s.pool, doctor.Plan{Settings: s.settings, Service: directory.DN(service), Schema: s.schema})
	if err != nil {
		return err
	}
	if !allowed[doctor.Create] {
		return rightsError(append(s.settingsFaults(), report...))
	}
	for capability, needs := range map[plugin.Capability][]doctor.Capability{
		plugin.CapPasswordSetter: {doctor.SetPassword},
		plugin.CapUpdater:        {doctor.ChangeAttributes, doctor.ChangeAliases},
	} {
		for _, need := range needs {
			if allowed[need] || !tried(allowed, need) {
				continue
			}
			s.withheld = append(s.withheld, capability)
			s.log.WarnContext(ctx, "the service account lacks rights: 'narthex directory check' tells which", "withheld", capability, "lacks", need)
			break
		}
	}
	return nil
}

// tried tells whether the settings have a use for a capability at all.
func tried(allowed map[doctor.Capability]bool, c doctor.Capability) bool {
	_, there := allowed[c]
	return there
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
