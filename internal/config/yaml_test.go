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
		"no YAML":               {"a: [1, 2\n", "f.yaml:1:"},
		"a key twice":           {"a: 1\nb: 2\na: 3\n", `f.yaml:3:1: a: the key "a" stands here twice, first in line 1; keep one of the two`},
		"a key twice inside":    {"a: {b: [{c: 1, c: 2}]}\n", `f.yaml:1:16: a.b[0].c: the key "c" stands here twice`},
		"one key, two writings": {"a: 1\n\"\\x61\": 2\n", `f.yaml:2:1: a: the key "a" stands here twice`},
		"two documents":         {"a: 1\n---\nb: 2\n", "f.yaml:2:1: a second document begins here"},
		"a document after ...":  {"a: 1\n...\nb: 2\n", "f.yaml:3:1: a second document begins here"},
		"an empty second one":   {"a: 1\n---\n", "f.yaml:2:1: a second document begins here"},
		"an empty file":         {"", "f.yaml: the file is empty"},
		"only a comment":        {"# nothing\n", "f.yaml: the file is empty"},
		"no mapping":            {"- a\n", "f.yaml:1:1: this is a list, not a mapping"},
		"a directive":           {"%YAML 1.2\n---\na: 1\n", "f.yaml:1:1: a directive is not allowed here"},
		"an anchor":             {"a: &x 1\nb: 2\n", "f.yaml:1:4: a: an anchor is not allowed here"},
		"an alias":              {"a: &x 1\nb: [*x]\n", "f.yaml:2:5: b[0]: an alias is not allowed here"},
		"a merge key":           {"a:\n  <<: {b: 1}\n", "f.yaml:2:3: a.\"<<\": a merge key is not allowed here; write the keys out"},
		"a tag":                 {"a: !!str 1\n", "f.yaml:1:4: a: a tag is not allowed here"},
		"a number as key":       {"a: {1: x}\n", `f.yaml:1:5: a.1: this key is not a text; put it in quotes: "1"`},
		"true as key":           {"true: x\n", `f.yaml:1:1: true: this key is not a text; put it in quotes: "true"`},
		"nothing as key":        {"~: x\n", "f.yaml:1:1: "},
		"no UTF-8":              {"a: 1\nb: \xff\n", "f.yaml:2:4: the file is not UTF-8"},
		"NUL":                   {"a: 1\nb: x\x00y\n", "f.yaml:2:5: a control character (U+0000) stands here"},
		"an escape sequence":    {"a: \x1b[31m\n", "f.yaml:1:4: a control character (U+001B)"},
		"tabs for indentation":  {"a:\n\tb: 1\n", "f.yaml:2:1: no valid YAML"},
		"more than a megabyte":  {"a: " + strings.Repeat("x", 1<<20), "more than 1048576 bytes"},
		"a bottomless list":     {"a: " + strings.Repeat("[", 1<<20-3), "f.yaml:1:68: more than 64 lists and mappings"},
		"a bottomless mapping":  {strings.Repeat("{a: ", 1<<18), "f.yaml:1:257: more than 64 lists and mappings"},
		"a bottomless line":     {strings.Repeat("- ", 1<<19), "f.yaml:1:129: more than 64 lists and mappings"},
	} {
		t.Run(name, func(t *testing.T) {
			top, err := config.ParseYAML("f.yaml", []byte(c.text))
			if err == nil {
				top.Mapping()
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
		`f.yaml:7:8: inner.max: this number is out of range; choose one from 0 to 4096`,
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

func TestWhatIsRefusedIsReportedOnceAndWithAllTheRest(t *testing.T) {
	top, err := config.ParseYAML("f.yaml", []byte("a: &x 1\na: 2\n<<: {b: 1}\nb: *x\nc: 010\nnam: 1\n\"d\\n; \": 1\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := top.Mapping()
	m.Int("a", 0, 0, 10)
	m.Str("b", "")
	m.Int("c", 0, 0, 10)
	m.Str("name", "")
	m.Done()
	want := []string{
		"f.yaml:1:4: a: an anchor is not allowed here; write the value out where it is used",
		`f.yaml:2:1: a: the key "a" stands here twice, first in line 1; keep one of the two`,
		"f.yaml:3:1: \"<<\": a merge key is not allowed here; write the keys out",
		"f.yaml:4:4: b: an alias is not allowed here; write the value out",
		"f.yaml:5:4: c: this is not a plain decimal number; choose one from 0 to 10, without leading zeros",
		`f.yaml:6:1: nam: unknown key "nam"; did you mean "name"? Known here: a, b, c, name`,
		`f.yaml:7:1: "d\n; ": unknown key "d\n; "; remove it; known here: a, b, c, name`,
	}
	if got := top.Err().Error(); got != strings.Join(want, "\n") {
		t.Errorf("faults:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
	}
}

func TestNumbersAreDecimalAndInRange(t *testing.T) {
	for text, want := range map[string]int64{"0": 0, "7": 7, "-3": -3, "10": 10} {
		if got, err := readInt(t, text); err != nil || got != want {
			t.Errorf("%s = %d, %v", text, got, err)
		}
	}
	for _, text := range []string{"010", "0x5", "0o7", "0b1", "1_0", "+5", "-0", "00", "5.0", "1e1", ".inf", "11", "-11", "99999999999999999999", `"5"`, "five", "", "[5]"} {
		if got, err := readInt(t, text); err == nil {
			t.Errorf("%s is read as %d", text, got)
		}
	}
}

func readInt(t *testing.T, text string) (int64, error) {
	t.Helper()
	top, err := config.ParseYAML("f.yaml", []byte("n: "+text+"\n"))
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return top.Mapping().Int("n", 0, -10, 10), top.Err()
}

func TestAByteOrderMarkAndForeignLineEndsMeanNothing(t *testing.T) {
	top, err := config.ParseYAML("f.yaml", []byte("\ufeffa: x\r\nb: y\r\nc: 1\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	m := top.Mapping()
	if a, b := m.Str("a", ""), m.Str("b", ""); a != "x" || b != "y" {
		t.Errorf("a = %q, b = %q", a, b)
	}
	m.Done()
	if err := top.Err(); err == nil || !strings.HasPrefix(err.Error(), "f.yaml:3:1: c: unknown key") {
		t.Errorf("error %v", err)
	}
}

func FuzzParseYAML(f *testing.F) {
	for _, seed := range []string{"a: 1\n", "- a\n", "a: {b: [1, \"x\"]}\n", "? a\n: b\n", "a: &x 1\nb: *x\n", "<<: {a: 1}\n", "a:\n\tb: 1\n", "a: |\n  x\n  y\n", "- {a: b, ? c : d}\n- >-\n  x",
		"%YAML 1.2\n---\n!!map {a: !!str b}\n", "a: 1\na: 2\n", "1: x\n~: y\n", "a: 1\n---\n---\n", "\"\\n\": 1\n", "? [a]\n: b\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		top, err := config.ParseYAML("f.yaml", data)
		if err == nil {
			walk(t, top)
			err = top.Err()
		}
		var faults config.Faults
		if err != nil && !errors.As(err, &faults) {
			t.Fatalf("the error is no list of faults: %v", err)
		}
		for _, one := range faults {
			if one.Problem == "" || one.Fix == "" || strings.ContainsAny(one.String(), "\r\n\x00\x1b") {
				t.Errorf("a fault is not one line with a fix: %q", one.String())
			}
		}
	})
}

// walk reads everything below a node as everything it could be.
func walk(t *testing.T, n *config.Node) {
	t.Helper()
	keys := map[string]bool{}
	for _, e := range n.Entries() {
		if keys[e.Key] {
			t.Errorf("the key %q is given twice", e.Key)
		}
		keys[e.Key] = true
		walk(t, e.Value)
	}
	if n.IsSequence() {
		for _, item := range n.Sequence() {
			walk(t, item)
		}
	}
	n.Str()
	n.Bool()
	n.Int(0, 10)
	n.Duration(0, time.Hour)
	n.Mapping().Done()
}
