package doctor

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/narthex/narthex/ldapstore/directory"
)

const overlayCheck = "plug-ins"

// overlays tells what shows of overlays and plug-ins.
func (e *examination) overlays(context.Context) error {
	s := e.plan.Settings
	_, policy := e.plan.Schema.Attribute("pwdStartTime")
	_, memberOf := e.plan.Schema.Attribute("memberOf")
	if s.Kind != directory.OpenLDAP {
		return nil
	}
	switch {
	case policy:
		e.report.note(overlayCheck, "the overlay ppolicy is loaded")
	default:
		e.report.note(overlayCheck, "the overlay ppolicy is not loaded: accounts cannot be locked, and no policy judges passwords")
	}
	if memberOf {
		e.report.note(overlayCheck, "the overlay memberof is loaded")
	} else if len(s.Groups) > 0 {
		e.report.note(overlayCheck, "the overlay memberof is not loaded: which groups an account is in is not shown")
	}
	return nil
}

// look is called while a staged entry is there.
func (e *examination) look(ctx context.Context, staged directory.DN) error {
	for _, look := range []func(context.Context, directory.DN) error{e.unseen, e.sevenBits, e.unique, e.created} {
		if err := look(ctx, staged); err != nil {
			return err
		}
	}
	return nil
}

// sevenBits finds the plug-in of 389 Directory Server that refuses everything but ASCII in some attributes.
func (e *examination) sevenBits(ctx context.Context, staged directory.DN) error {
	if e.server.Kind != directory.DS389 {
		return nil
	}
	name := e.plan.Settings.People.Username
	err := e.pool.Modify(ctx, staged, []directory.Change{replaced(name, "chäck-"+randomHex(8))}, directory.Filter{})
	if directory.Refused(err, directory.ConstraintViolation) {
		e.report.note(overlayCheck, "the 7-bit check refuses letters other than ASCII in "+name+", and perhaps elsewhere: "+answer(err))
	}
	if directory.Refused(err) {
		return nil
	}
	return err
}

// unique finds overlays and plug-ins that keep values unique, by giving the staged entry a value of somebody's.
func (e *examination) unique(ctx context.Context, staged directory.DN) error {
	s := e.plan.Settings
	if s.Kind == directory.ActiveDirectory {
		return nil // unique are sAMAccountName and userPrincipalName, always
	}
	names := append([]string{s.People.Username}, e.plan.aliases()...)
	found, err := e.pool.Search(ctx, s.People.Base, directory.OneLevel, directory.Equal("objectClass", s.People.AccountClass), 1, names...)
	if err != nil || len(found) == 0 {
		if directory.Refused(err) {
			err = nil
		}
		return err
	}
	var unique []string
	for _, name := range names {
		value := found[0].Value(name)
		if value == "" {
			continue
		}
		err := e.pool.Modify(ctx, staged, []directory.Change{replaced(name, value)}, directory.Filter{})
		if directory.Refused(err, directory.ConstraintViolation) {
			unique = append(unique, name)
		} else if err != nil && !directory.Refused(err) {
			return err
		}
	}
	if len(unique) > 0 {
		e.report.note(overlayCheck, "the server itself keeps these unique: "+strings.Join(unique, ", "))
	}
	return nil
}

// skewed is how far clocks may be apart without harm.
const skewed = 30 * time.Second

// created compares the server's clock with this machine's by when a staged entry was made.
func (e *examination) created(ctx context.Context, staged directory.DN) error {
	if e.server.Kind == directory.ActiveDirectory {
		return nil // see clock
	}
	entry, err := e.pool.Read(ctx, staged, "createTimestamp")
	if err != nil {
		if directory.Refused(err) {
			return nil
		}
		return err
	}
	e.compare(entry.Value("createTimestamp"))
	return nil
}

// clock asks Active Directory for the time.
func (e *examination) clock(ctx context.Context) error {
	if e.server.Kind != directory.ActiveDirectory {
		return nil
	}
	root, err := e.pool.Read(ctx, "", "currentTime")
	if err != nil {
		if directory.Refused(err) {
			return nil
		}
		return err
	}
	e.compare(root.Value("currentTime"))
	return nil
}

// compare takes a time as servers write it (RFC 4517, section 3.3.13).
func (e *examination) compare(text string) {
	const check = "clock"
	theirs, err := time.Parse("20060102150405Z", strings.Replace(text, ".0Z", "Z", 1))
	if err != nil {
		return
	}
	off := time.Since(theirs).Round(time.Second)
	if off.Abs() <= skewed {
		e.report.note(check, "the server's clock and this machine's agree")
		return
	}
	who := "behind"
	if off < 0 {
		who = "ahead of"
	}
	e.report.warn(check, fmt.Sprintf("the server's clock is %s %s this machine's", off.Abs(), who), "let both machines follow a time server")
}
