package doctor

import (
	"context"
	"fmt"
	"strings"

	"github.com/narthex/narthex/ldapstore/directory"
)

// learnDomain asks Active Directory for the identifiers that its rights are written with.
func learnDomain(ctx context.Context, ops *directory.Pool, p *Plan) error {
	p.SchemaIDs, p.Descriptors = map[string]string{}, map[directory.DN]string{}
	places := []directory.DN{p.Settings.People.Base}
	for _, g := range p.groups() {
		places = append(places, g.DN)
	}
	for _, dn := range places {
		sd, err := ops.Descriptor(ctx, dn)
		if err != nil && !directory.Refused(err) {
			return fmt.Errorf("read the rights on %s: %w", dn, err)
		}
		p.Descriptors[dn] = sd
	}
	who, err := serviceEntry(ctx, ops, p)
	if err != nil {
		return err
	}
	p.Service, p.ServiceSID = who.DN, sidText(who.Value("objectSid"))
	root, err := ops.Read(ctx, "", "schemaNamingContext")
	if err != nil {
		return fmt.Errorf("ask the domain for its schema: %w", err)
	}
	var any []directory.Filter
	for _, name := range append(p.written(), p.Settings.People.AccountClass) {
		if domainSchema[strings.ToLower(name)] == "" {
			any = append(any, directory.Equal("lDAPDisplayName", name))
		}
	}
	if len(any) == 0 {
		return nil
	}
	found, err := ops.Search(ctx, directory.DN(root.Value("schemaNamingContext")), directory.OneLevel, directory.Or(any...), 0, "lDAPDisplayName", "schemaIDGUID")
	if err != nil {
		return fmt.Errorf("ask the domain for its schema: %w", err)
	}
	for _, e := range found {
		p.SchemaIDs[strings.ToLower(e.Value("lDAPDisplayName"))] = guidText(e.Value("schemaIDGUID"))
	}
	return nil
}

// serviceEntry finds the service account, whose name may be a DN or a userPrincipalName.
func serviceEntry(ctx context.Context, ops directory.Operations, p *Plan) (directory.Entry, error) {
	if strings.Contains(string(p.Service), "=") {
		e, err := ops.Read(ctx, p.Service, "objectSid")
		if err != nil {
			return e, fmt.Errorf("read the service account: %w", err)
		}
		return e, nil
	}
	found, err := ops.Search(ctx, p.Settings.Base, directory.Subtree, directory.Equal("userPrincipalName", string(p.Service)), 1, "objectSid")
	if err != nil {
		return directory.Entry{}, fmt.Errorf("find the service account: %w", err)
	}
	if len(found) == 0 {
		return directory.Entry{}, fmt.Errorf("find the service account: %w", &directory.Error{Operation: "search", Code: directory.NoSuchObject})
	}
	return found[0], nil
}
