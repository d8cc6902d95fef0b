package testenv

import "testing"

// LoadOffline adds entries with slapadd, which is how a large tree comes in soon, and starts the server again. slapd only.
func (d *Directory) LoadOffline(t testing.TB, ldif string) {
	t.Helper()
	d.Kill()
	if err := d.slapadd("1", ldif); err != nil {
		t.Fatalf("load into %s: %v", d.Kind, err)
	}
	if err := d.begin(); err != nil {
		t.Fatalf("start %s again: %v", d.Kind, err)
	}
}
