package web_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// seen is a page in front of the person.
type seen struct {
	t      testing.TB
	status int
	path   string
	text   string
	header http.Header
	root   *html.Node
}

func (s *seen) must(status int, path string, texts ...string) *seen {
	s.t.Helper()
	if s.status != status || s.path != path {
		s.t.Fatalf("want %d at %s, got %d at %s:\n%s", status, path, s.status, s.path, s.text)
	}
	for _, text := range texts {
		if !strings.Contains(s.text, text) {
			s.t.Errorf("the page does not say %q:\n%s", text, s.text)
		}
	}
	return s
}

func (s *seen) mustNot(texts ...string) *seen {
	s.t.Helper()
	for _, text := range texts {
		if strings.Contains(s.text, text) {
			s.t.Errorf("the page says %q:\n%s", text, s.text)
		}
	}
	return s
}

// mustBeSound holds for every page: nothing runs, nothing comes from elsewhere, every input has a label and a
// description that exists, ids stand once, no browser keeps it, and no script of another site may read it.
func (s *seen) mustBeSound() {
	s.t.Helper()
	want := "default-src 'none'; style-src 'self'; img-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
	if s.header.Get("Content-Security-Policy") != want || s.header.Get("Cache-Control") != "no-store" || s.header.Get("Etag") != "" ||
		s.header.Get("Referrer-Policy") != "no-referrer" || s.header.Get("X-Content-Type-Options") != "nosniff" {
		s.t.Errorf("the headers of %s are %v", s.path, s.header)
	}
	for name := range s.header {
		if strings.HasPrefix(name, "Access-Control-") {
			s.t.Errorf("%s has %s", s.path, name)
		}
	}
	ids := map[string]int{}
	labels := map[string]bool{}
	for n := range s.root.Descendants() {
		if id := attr(n, "id"); id != "" {
			ids[id]++
		}
		if n.Data == "label" {
			labels[attr(n, "for")] = true
		}
	}
	for n := range s.root.Descendants() {
		if n.Type != html.ElementNode {
			continue
		}
		switch n.Data {
		case "script", "iframe", "object", "style", "base":
			s.t.Errorf("there is a %s on %s", n.Data, s.path)
		case "input", "select":
			if attr(n, "type") != "hidden" && !labels[attr(n, "id")] {
				s.t.Errorf("the field %q has no label", attr(n, "name"))
			}
		case "html":
			if attr(n, "lang") == "" {
				s.t.Error("the page has no language")
			}
		}
		for _, a := range n.Attr {
			if strings.HasPrefix(a.Key, "on") || a.Key == "style" {
				s.t.Errorf("there is a %s in a %s", a.Key, n.Data)
			}
		}
		for _, about := range strings.Fields(attr(n, "aria-describedby")) {
			if ids[about] != 1 {
				s.t.Errorf("%q is described by %q, which stands %d times", attr(n, "name"), about, ids[about])
			}
		}
		if target, inside := strings.CutPrefix(attr(n, "href"), "#"); inside && ids[target] != 1 {
			s.t.Errorf("a link leads to %q, which stands %d times", target, ids[target])
		}
	}
}

func attr(n *html.Node, name string) string {
	if n == nil {
		return ""
	}
	for _, a := range n.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

func has(n *html.Node, name string) bool {
	for _, a := range n.Attr {
		if a.Key == name {
			return true
		}
	}
	return false
}

func textOf(n *html.Node) string {
	var b strings.Builder
	for d := range n.Descendants() {
		if d.Type == html.TextNode {
			b.WriteString(d.Data)
		}
	}
	return strings.TrimSpace(b.String())
}

func (s *seen) byID(id string) *html.Node {
	for n := range s.root.Descendants() {
		if id != "" && attr(n, "id") == id {
			return n
		}
	}
	return nil
}

// labelled returns the id of the field with this label.
func (s *seen) labelled(text string) string {
	for n := range s.root.Descendants() {
		if n.Data == "label" && strings.HasPrefix(textOf(n), text) {
			return attr(n, "for")
		}
	}
	return ""
}

func (s *seen) formOf(button string) *html.Node {
	for n := range s.root.Descendants() {
		if n.Data != "button" || textOf(n) != button {
			continue
		}
		for up := n.Parent; up != nil; up = up.Parent {
			if up.Data == "form" {
				return up
			}
		}
	}
	return nil
}

// defaults are the values that a form is sent with when nobody touches it.
func defaults(form *html.Node) url.Values {
	values := url.Values{}
	for n := range form.Descendants() {
		name := attr(n, "name")
		switch {
		case n.Data == "input" && attr(n, "type") == "checkbox":
			if has(n, "checked") {
				values.Set(name, attr(n, "value"))
			}
		case n.Data == "input":
			values.Set(name, attr(n, "value"))
		case n.Data == "select":
			values.Set(name, "")
			for o := range n.Descendants() {
				if o.Data == "option" && has(o, "selected") {
					values.Set(name, attr(o, "value"))
				}
			}
		}
	}
	return values
}
