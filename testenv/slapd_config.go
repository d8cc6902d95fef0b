package testenv

import (
	"fmt"
	"strings"
)

// slapdConfig is the content of cn=config.
func (d *Directory) slapdConfig(o directoryOptions) string {
	hash, modules := "{SSHA}", []string{}
	if o.argon2 {
		hash, modules = "{ARGON2}", append(modules, "argon2")
	}
	overlays := slapdOverlays(o)
	var added strings.Builder
	for i, overlay := range overlays {
		modules = append(modules, overlay.name)
		fmt.Fprintf(&added, "\ndn: olcOverlay={%d}%s,olcDatabase={1}mdb,cn=config\nobjectClass: olcOverlayConfig\nolcOverlay: {%d}%s\n%s",
			i, overlay.name, i, overlay.name, overlay.settings)
	}
	var loaded strings.Builder
	for _, module := range modules {
		fmt.Fprintf(&loaded, "olcModuleLoad: %s\n", module)
	}
	nosync := "TRUE"
	if o.sync {
		nosync = "FALSE"
	}
	return d.fill(strings.NewReplacer("AUTHORITYFILE", d.CAFile, "MODULES\n", loaded.String(), "OVERLAYS\n", added.String(),
		"PASSWORDHASH", hash, "NOSYNC", nosync, "INDEXES", o.indexes).Replace(slapdConfigLDIF))
}

type slapdOverlay struct{ name, settings string }

// slapdOverlays are in the order in which they were tried together.
func slapdOverlays(o directoryOptions) []slapdOverlay {
	var all []slapdOverlay
	if o.policy {
		all = append(all, slapdOverlay{"ppolicy", "objectClass: olcPPolicyConfig\nolcPPolicyDefault: cn=default,ou=policies,BASE\nolcPPolicyHashCleartext: TRUE\n"})
	}
	if len(o.unique) > 0 {
		all = append(all, slapdOverlay{"unique", fmt.Sprintf("objectClass: olcUniqueConfig\nolcUniqueURI: serialize ldap:///?%s?sub?(objectClass=inetOrgPerson)\n", strings.Join(o.unique, ","))})
	}
	if o.memberOf {
		all = append(all,
			slapdOverlay{"memberof", "objectClass: olcMemberOf\nolcMemberOfRefInt: TRUE\n"},
			slapdOverlay{"refint", "objectClass: olcRefintConfig\nolcRefintAttribute: member memberOf\n"})
	}
	return all
}
