package directory

import (
	"errors"
	"strings"
)

// definition is one value of attributeTypes, objectClasses or dITContentRules (RFC 4512, section 4.1): an object identifier
// and keywords, each with the words that follow it.
type definition struct {
	oid   string
	words map[string][]string // by keyword, upper case; a flag has none
}

var errDefinition = errors.New("not a definition of a schema")

// flags are the keywords that no word follows.
var flags = map[string]bool{"OBSOLETE": true, "SINGLE-VALUE": true, "COLLECTIVE": true, "NO-USER-MODIFICATION": true,
	"ABSTRACT": true, "STRUCTURAL": true, "AUXILIARY": true}

// parseDefinition reads a definition. It is broad-minded: servers quote words that the RFC does not, and have keywords of
// their own.
func parseDefinition(text string) (definition, error) {
	s := scanner{text}
	if s.next().text != "(" {
		return definition{}, errDefinition
	}
	oid := s.next()
	if oid.kind != word && oid.kind != quoted {
		return definition{}, errDefinition
	}
	d := definition{oid: oid.text, words: make(map[string][]string)}
	for {
		t := s.next()
		switch {
		case t.kind == mark && t.text == ")":
			return d, nil
		case t.kind != word:
			return definition{}, errDefinition
		}
		keyword := strings.ToUpper(t.text)
		if flags[keyword] {
			d.words[keyword] = nil
			continue
		}
		words, err := s.words()
		if err != nil {
			return definition{}, err
		}
		d.words[keyword] = words
	}
}

func (d definition) flag(keyword string) bool {
	_, ok := d.words[keyword]
	return ok
}

func (d definition) first(keyword string) string {
	if words := d.words[keyword]; len(words) > 0 {
		return words[0]
	}
	return ""
}

// The kinds of token.
const (
	end    = iota
	mark   // ( ) $
	word   // without quotes
	quoted // between single quotes
)

type token struct {
	kind int
	text string
}

type scanner struct{ rest string }

// words reads one word, or a list of them in parentheses, with or without $ between them.
func (s *scanner) words() ([]string, error) {
	t := s.next()
	if t.kind == word || t.kind == quoted {
		return []string{t.text}, nil
	}
	if t.text != "(" {
		return nil, errDefinition
	}
	var all []string
	for {
		switch t := s.next(); {
		case t.kind == word || t.kind == quoted:
			all = append(all, t.text)
		case t.text == ")":
			return all, nil
		case t.text != "$":
			return nil, errDefinition
		}
	}
}

func (s *scanner) next() token {
	s.rest = strings.TrimLeft(s.rest, " \t\r\n")
	if s.rest == "" {
		return token{}
	}
	switch s.rest[0] {
	case '(', ')', '$':
		return token{mark, s.take(1)}
	case '\'':
		closing := strings.IndexByte(s.rest[1:], '\'')
		if closing < 0 {
			s.rest = ""
			return token{}
		}
		text := s.take(closing + 2)
		return token{quoted, unquote(text[1 : len(text)-1])}
	}
	length := strings.IndexAny(s.rest, " \t\r\n()$'")
	if length < 0 {
		length = len(s.rest)
	}
	return token{word, s.take(length)}
}

func (s *scanner) take(length int) string {
	text := s.rest[:length]
	s.rest = s.rest[length:]
	return text
}

// unquote resolves the two escapes of a quoted string (RFC 4512, section 4.1).
func unquote(text string) string {
	return strings.NewReplacer(`\27`, `'`, `\5c`, `\`, `\5C`, `\`).Replace(text)
}
