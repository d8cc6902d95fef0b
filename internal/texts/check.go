package texts

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/narthex/narthex/internal/config"
)

// nameOfLanguage is the text by which people choose a language. A new language cannot go without.
const nameOfLanguage = "language_name"

// Gaps are the ids that a theme's language lacks, by locale; they are said in English.
type Gaps map[string][]string

// Check holds a theme's texts against the built-in texts of all parts: an id that nobody says, a place for a value that
// is never there, and a new language without a name are config.Faults, all at once. theme may be nil.
func Check(theme fs.FS, parts ...fs.FS) (Gaps, error) {
	english, builtin := map[string]message{}, map[string]bool{}
	for _, p := range parts {
		files, err := builtinFiles(p)
		if err != nil {
			return nil, err
		}
		maps.Copy(english, files[English].texts)
		for locale := range files {
			builtin[locale] = true
		}
	}
	themed, err := themeFiles(theme)
	if err != nil {
		return nil, err
	}
	gaps := Gaps{}
	var faults config.Faults
	for _, locale := range slices.Sorted(maps.Keys(themed)) {
		f := themed[locale]
		faults = append(faults, f.misfits(english)...)
		if builtin[locale] {
			continue
		}
		if _, named := f.texts[nameOfLanguage]; !named {
			faults = append(faults, config.Fault{File: "texts/" + locale + ".yaml", Problem: "the language has no name",
				Fix: fmt.Sprintf("add %q, as its speakers call it", nameOfLanguage+": …")})
		}
		root := base(locale)
		if _, themedRoot := themed[root]; root != locale && (builtin[root] || themedRoot) {
			continue // it says what its base language says
		}
		for _, id := range slices.Sorted(maps.Keys(english)) {
			if _, there := f.texts[id]; !there {
				gaps[locale] = append(gaps[locale], id)
			}
		}
	}
	return gaps, faults.Err()
}

// misfits are the texts that nobody would ever say like this.
func (f file) misfits(english map[string]message) config.Faults {
	if f.top == nil {
		return nil
	}
	known := slices.Sorted(maps.Keys(english))
	for id, m := range f.texts {
		ours, said := english[id]
		if !said {
			fix := "remove it"
			if like := config.Nearest(id, known); like != "" {
				fix = fmt.Sprintf("did you mean %q?", like)
			}
			m.at.Fault("there is no such text", fix)
			continue
		}
		for _, name := range m.places() {
			if !slices.Contains(ours.places(), name) {
				m.at.Fault(fmt.Sprintf("there is no value {{.%s}} for this text", name), values(ours))
			}
		}
		if len(m.forms) > 1 && len(ours.forms) == 1 {
			m.at.Fault("nothing is counted in this text", "write one text instead of its forms")
		}
	}
	var faults config.Faults
	errors.As(f.top.Err(), &faults)
	return faults
}

func values(m message) string {
	names := m.places()
	if len(names) == 0 {
		return "it has none"
	}
	return "it has {{." + strings.Join(names, "}} and {{.") + "}}"
}

// Compare tells where the built-in languages of a part differ: ids that one of them lacks, values that one leaves out,
// and plurals that only one has. It is for tests.
func Compare(builtin fs.FS) error {
	files, err := builtinFiles(builtin)
	if err != nil {
		return err
	}
	var errs []error
	for locale, f := range files {
		for id, ours := range files[English].texts {
			theirs, there := f.texts[id]
			if !there || !slices.Equal(theirs.places(), ours.places()) || (len(theirs.forms) > 1) != (len(ours.forms) > 1) {
				errs = append(errs, fmt.Errorf("texts of %s: %q differs from English", locale, id))
			}
		}
		errs = append(errs, f.misfits(files[English].texts).Err())
	}
	return errors.Join(errs...)
}
