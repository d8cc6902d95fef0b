package message

import (
	"cmp"
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/narthex/narthex/internal/config"
)

// CheckTheme tells everything that is wrong with a theme's mails, as config.Faults.
func CheckTheme(theme fs.FS) error {
	_, err := NewRenderer(theme)
	return err
}

func (l *loader) fault(file string, line int, problem, fix string) {
	f := config.Fault{File: file, Line: line, Problem: problem, Fix: fix}
	if line > 0 {
		f.Column = 1
	}
	if !slices.Contains(l.faults, f) { // the frame is looked at for every letter
		l.faults = append(l.faults, f)
	}
}

// sample is a code that stands in no template.
const sample = "90817263"

// lookAt renders a letter in every state that templates may ask for.
func (l *loader) lookAt(whole letter, kind, locale string, text, html file) {
	for _, loginURL := range []string{"https://login.example.org/", ""} {
		v := values{Until: "15:04", LoginURL: loginURL, Locale: locale, Code: sample}
		subject, plain, err := whole.inText(v)
		l.report(text, err)
		v.Subject = subject
		page, errPage := whole.inHTML(v)
		l.report(html, errPage)
		if err != nil || errPage != nil {
			continue
		}
		if strings.TrimSpace(subject) == "" || strings.ContainsFunc(subject, unicode.IsControl) {
			l.fault(text.name, 0, "the subject is not one line of text", `write it on one line, like {{define "subject"}}Your code{{end}}`)
		}
		for in, content := range map[file]string{text: plain, html: page} {
			switch has := strings.Contains(content, sample); {
			case kind == kindCode && !has:
				l.fault(in.name, 0, "the code is not in it", "put {{.Code}} where people look for it")
			case kind == kindNotice && has:
				l.fault(in.name, 0, "there is a code in a mail that has none", "remove {{.Code}}: the owner of an account gets no code for another one")
			}
		}
	}
}

// place is how template packages say where an error is.
var place = regexp.MustCompile(`template: ?([^\s:]+):(\d+)(?::\d+)?: (.*)$`)

// report tells a template's error as a fault at its place; in is where it was noticed.
func (l *loader) report(in file, err error) {
	if err == nil {
		return
	}
	const fix = "compare it with the built-in template of this name"
	text := strings.Join(strings.Fields(err.Error()), " ")
	if found := place.FindStringSubmatch(text); found != nil {
		line, _ := strconv.Atoi(found[2]) // digits
		l.fault(found[1], line, found[3], fix)
		return
	}
	l.fault(cmp.Or(in.name, themeFolder), 0, text, fix)
}
