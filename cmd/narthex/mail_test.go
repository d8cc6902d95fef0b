package main

import "testing"

func TestWhoMailsComeFromAndWhoSaysHello(t *testing.T) {
	for host, want := range map[string]struct{ sender, hello string }{
		"login.example.org": {"narthex@login.example.org", "login.example.org"},
		"localhost":         {"narthex@localhost", "localhost"},
		"127.0.0.1":         {"narthex@localhost", "[127.0.0.1]"},
		"2001:db8::1":       {"narthex@localhost", "[IPv6:2001:db8::1]"},
	} {
		if s, h := sender(host), hello(host); s != want.sender || h != want.hello {
			t.Errorf("at %s: %q, %q; want %q, %q", host, s, h, want.sender, want.hello)
		}
	}
}
