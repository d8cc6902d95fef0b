package testenv_test

import (
	"encoding/base64"
	"slices"
	"strings"
)

// isExactly looks whether the entry has the name as typed, nothing that was typed into it as attributes, and values that
// passwd can hold.
func (h hostileDirectory) isExactly(username, email, name string) {
	h.Helper()
	entry := h.directory.LDAPSearch(h, h.directory.Base, "(mail="+email+")")
	if strings.Count("\n"+entry, "\ndn") != 1 || !strings.HasPrefix(entry, "dn: uid="+username+","+h.directory.People+"\n") {
		h.Errorf("%q makes\n%s", name, entry)
		return
	}
	values := map[string][]string{}
	for line := range strings.Lines(entry) {
		attribute, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), ":")
		if encoded, ok := strings.CutPrefix(value, ":"); ok {
			octets, err := base64.StdEncoding.DecodeString(strings.TrimSpace(encoded))
			if err != nil {
				h.Fatal(err)
			}
			value = string(octets)
		} else {
			value = strings.TrimPrefix(value, " ")
		}
		values[attribute] = append(values[attribute], value)
	}
	for attribute, want := range map[string]string{"givenName": name, "sn": name, "displayName": name + " " + name, "uid": username, "mail": email, "homeDirectory": "/home/" + username} {
		if !slices.Equal(values[attribute], []string{want}) {
			h.Errorf("%q: %s is %q", name, attribute, values[attribute])
		}
	}
	if gecos := strings.Join(values["gecos"], ""); gecos == "" || strings.ContainsAny(gecos, ":\n") {
		h.Errorf("%q: gecos is %q", name, gecos)
	}
}

// group is somebody who wants the name of a group of the directory.
func (h hostileDirectory) group() {
	c, _ := h.begin("crew@example.org", "Ada", "Lovelace")
	if r, err := c.Step("username", map[string]any{"items": map[string]any{"username": "crew"}}); err != nil || r.StepName() != "verify-email" {
		h.Fatalf("username: %d %s %v", r.Status, r.Raw, err)
	}
	r := h.finish(c, "crew@example.org", victim.Password)
	if r.Code != "identifier_taken" || len(r.Violations) != 1 || r.Violations[0].Field != "username" {
		h.Errorf("%d %s", r.Status, r.Raw)
	}
	if found := h.directory.LDAPSearch(h, h.directory.People, "(uid=crew)"); found != "" {
		h.Errorf("there is\n%s", found)
	}
}
