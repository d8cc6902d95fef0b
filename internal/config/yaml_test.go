package config_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/narthex/narthex/internal/config"
)

func TestAStrangeDocumentIsRefusedWithItsPlace(t *testing.T) {
	for name, c := range map[string]struct{ text, want string }{
		"no YAML":              {"a: [1, 2\n", "f.yaml:1:"},
		"a key twice":          {"a: 1\nb: 2\na: 3\n", "f.yaml:3:1: no valid YAML"},
		"two documents":        {"a: 1\n---\nb: 2\n", "holds 2 documents"},
		"an empty file":        {"", "holds 0 documents"},
		"only a comment":       {"# nothing\n", "holds 0 documents"},
		"an anchor":            {"a: &x 1\nb: 2\n", "f.yaml:1:4: an anchor is not allowed here"},
		"an alias":             {"a: &x 1\nb: *x\n", "an alias is not allowed here"},
		"a tag":                {"a: !!str 1\n", "a tag is not allowed here"},
		"no UTF-8":             {"a: \xff\n", "not UTF-8"},
		"more than a megabyte": {"a: " + strings.Repeat("x", 1<<20), "more than 1048576 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			top, err := config.ParseYAML("f.yaml", []byte(c.text))
			if err == nil {
				err = top.Err()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func TestEveryFaultIsReportedAtOnceInOrder(t *testing.T) {
	top, err := config.ParseYAML("f.yaml", []byte(`title: 5
opne: true
count: many
span: 3
list: {a: 1}
inner:
  max: 9000000
  mix: 1
`))
	if err != nil {
		t.Fatal(err)
	}
	m := top.Mapping()
	m.Str("title", "")
	m.Bool("open", true)
	m.Int("count", 1, 0, 10)
	m.Duration("span", time.Minute, time.Second, time.Hour)
	for range m.Get("list").Sequence() {
		t.Error("a mapping is read as a list")
	}
	inner := m.Need("inner").Mapping()
	inner.Int("max", 1, 0, 4096)
	inner.Need("type")
	inner.Done()
	m.Done()
	var faults config.Faults
	if !errors.As(top.Err(), &faults) {
		t.Fatal("no faults")
	}
	want := []string{
		`f.yaml:1:8: title: this is a number, not a text; put it in quotes: "5"`,
		`f.yaml:2:1: opne: unknown key "opne"; did you mean "open"? Known here: title, open, count, span, list, inner`,
		`f.yaml:3:8: count: this is a text, not a whole number; write a whole number`,
		`f.yaml:4:7: span: this is a number, not a time span such as "90s" or "10m"; write a time span such as "90s" or "10m"`,
		`f.yaml:5:8: list: this is a mapping, not a list; write a list`,
		`f.yaml:7:3: inner: the key "type" is missing; add "type: …"`,
		`f.yaml:7:8: inner.max: this number is out of range; choose one from 0 to 4096, written in decimal`,
		`f.yaml:8:3: inner.mix: unknown key "mix"; did you mean "max"? Known here: max, type`,
	}
	if got := faults.Error(); got != strings.Join(want, "\n") {
		t.Errorf("faults:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestValuesAreReadAsTheyStand(t *testing.T) {
	top, err := config.ParseYAML("f.yaml", []byte(`
title: {en: "Create: it", de: Konto}
text: |
  two
  lines
open: false
span: 90s
names: [a, b]
single: c
nothing:
`))
	if err != nil {
		t.Fatal(err)
	}
	m := top.Mapping()
	var titles []string
	for _, e := range m.Get("title").Entries() {
		titles = append(titles, e.Key+"="+e.Value.Str())
	}
	if got := strings.Join(titles, ","); got != "en=Create: it,de=Konto" {
		t.Errorf("title = %s", got)
	}
	if got := m.Str("text", ""); got != "two\nlines\n" {
		t.Errorf("text = %q", got)
	}
	if m.Bool("open", true) || m.Duration("span", 0, 0, time.Hour) != 90*time.Second {
		t.Error("open or span is read wrongly")
	}
	if a, b := m.Strings("names"), m.Strings("single"); len(a) != 2 || a[1] != "b" || len(b) != 1 || b[0] != "c" {
		t.Errorf("names %v, single %v", a, b)
	}
	if n := m.Get("nothing"); n == nil || !n.Null() || len(n.Mapping().Strings("x")) != 0 {
		t.Error("an empty value is not null")
	}
	if m.Str("absent", "default") != "default" || m.Get("absent") != nil {
		t.Error("an absent key is not absent")
	}
	m.Done()
	if err := top.Err(); err != nil {
		t.Error(err)
	}
}

func FuzzParseYAML(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "- a\n", "a: {b: [1, \"x\"]}\n", "? a\n: b\n", "a: &x 1\nb: *x\n", "<<: {a: 1}\n", "a:\n\tb: 1\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		top, err := config.ParseYAML("f.yaml", data)
		if err != nil {
			return
		}
		var walk func(n *config.Node, depth int)
		walk = func(n *config.Node, depth int) {
			if depth > 50 {
				return
			}
			for _, e := range n.Entries() {
				walk(e.Value, depth+1)
			}
			if n.IsSequence() {
				for _, item := range n.Sequence() {
					walk(item, depth+1)
				}
			}
			n.Str()
		}
		walk(top, 0)
		_ = top.Err()
	})
}
