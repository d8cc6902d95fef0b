package doctor

import (
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// grant names a part of the rights, so that a refusal can be answered with the line that is missing.
type grant string

const (
	toAddClaims       grant = "add claims"
	toChangeClaims    grant = "change claims"
	toReadClaims      grant = "read claims"
	toStage           grant = "add and remove unfinished accounts"
	toChangeStaged    grant = "read and change unfinished accounts"
	toSetStaged       grant = "set the password of unfinished accounts"
	toMoveIn          grant = "move a finished account into its place"
	toTakeStagedName  grant = "take its waiting name off an account"
	toReadPeople      grant = "read accounts"
	toFindByID        grant = "find entries by their id"
	toWritePeople     grant = "change accounts"
	toSetPasswords    grant = "set passwords"
	toAskPasswords    grant = "ask whether accounts have a password" //nolint:gosec // it is none
	toTakeAway        grant = "take accounts away"
	toChangeGroups    grant = "change groups"
	toSetDecoy        grant = "set the decoy's password"
	toUseProbe        grant = "try passwords and locks"
	toChangeCounters  grant = "take numbers"
	toHideFromOthers  grant = "hide unfinished accounts from others"
	toReadLargeResult grant = "read large results"
)

// line returns what the plan has for a grant, in one line; empty where the server needs nothing for it.
func (p Plan) line(g grant) string {
	var found []string
	switch p.Settings.Kind {
	case directory.OpenLDAP:
		for _, r := range p.slapdRules() {
			if r.has(g) {
				found = append(found, strings.ReplaceAll(r.text(), "\n", " "))
			}
		}
	case directory.DS389:
		if g == toHideFromOthers {
			return p.aciHidden()
		}
		for _, a := range p.aciInstructions() {
			if a.grant == g || a.grant == oneOn389[g] {
				found = append(found, a.text(p.Service))
			}
		}
	default:
		found = p.domainLines(g)
	}
	return strings.Join(found, "\n")
}

// oneOn389 are grants that one instruction of 389 Directory Server gives together with another.
var oneOn389 = map[grant]grant{toChangeStaged: toStage, toSetStaged: toStage, toSetPasswords: toWritePeople, toTakeStagedName: toMoveIn}

// fix says what to load for a grant.
func (p Plan) fix(g grant) string { return p.fixFor(g, "") }

// fixFor keeps to the lines that name something.
func (p Plan) fixFor(g grant, name string) string {
	var lines []string
	for line := range strings.SplitSeq(p.line(g), "\n") {
		if strings.Contains(line, name) {
			lines = append(lines, line)
		}
	}
	line := strings.Join(lines, "\n")
	if line == "" {
		return "load what 'narthex directory check --ldif' prints"
	}
	return "load what 'narthex directory check --ldif' prints; what is missing, or comes too late, is\n" + line
}
