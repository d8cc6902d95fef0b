package testenv

import (
	"embed"
	"fmt"
	"strings"
)

//go:embed directory/openldap-overlay-*.ldif
var slapdOverlayLDIF embed.FS

// slapdConfig is the content of cn=config.
func (d *Directory) slapdConfig(o directoryOptions) (string, error) {
	hash, modules := "{SSHA}", slapdOverlays(o)
	var overlays strings.Builder
	for _, name := range modules {
		overlay, err := slapdOverlayLDIF.ReadFile("directory/openldap-overlay-" + name + ".ldif")
		if err != nil {
			return "", err
		}
		overlays.Write(overlay)
	}
	if o.argon2 {
		hash, modules = "{ARGON2}", append(modules, "argon2")
	}
	var loaded strings.Builder
	for _, name := range modules {
		fmt.Fprintf(&loaded, "olcModuleLoad: %s\n", name)
	}
	nosync := "TRUE"
	if o.sync {
		nosync = "FALSE"
	}
	whole := strings.NewReplacer("MODULES\n", loaded.String(), "OVERLAYS\n", overlays.String()).Replace(slapdConfigLDIF)
	return d.fill(strings.NewReplacer("AUTHORITYFILE", d.CAFile, "PASSWORDHASH", hash, "NOSYNC", nosync, "INDEXES", o.indexes,
		"UNIQUE", strings.Join(o.unique, ",")).Replace(whole)), nil
}

// slapdOverlays are in the order in which they were tried together.
func slapdOverlays(o directoryOptions) []string {
	var names []string
	if o.policy {
		names = append(names, "ppolicy")
	}
	if len(o.unique) > 0 {
		names = append(names, "unique")
	}
	if o.memberOf {
		names = append(names, "memberof", "refint")
	}
	if o.provider {
		names = append(names, "syncprov")
	}
	return names
}
