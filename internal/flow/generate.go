package flow

import (
	"crypto/rand"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/sethvargo/go-password/password"
)

// alphabets of the placeholders in a pattern for generated usernames.
var alphabets = map[string]string{
	"alnum": password.LowerLetters + password.Digits,
	"alpha": password.LowerLetters,
	"digit": password.Digits,
	"hex":   password.Digits + "abcdef",
}

// Bounds of a pattern: the shortest random part is enough for a directory of millions, and in a stealth flow says
// nothing about who is there.
const (
	leastRandomBits  = 20
	longestGenerated = 64
	generateUUID     = "uuid"
)

var placeholder = regexp.MustCompile(`\{([a-z]+):([0-9]{1,2})\}`)

// generator makes usernames. It is compiled when the flows file is read.
type generator struct {
	uuid  bool
	parts []generatorPart
}

// generatorPart is a literal text or random characters of one alphabet.
type generatorPart struct {
	literal string
	length  int
	from    *password.Generator
}

// newGenerator reads "uuid", or a pattern such as "u{alnum:11}".
func newGenerator(pattern string) (*generator, error) {
	if pattern == generateUUID {
		return &generator{uuid: true}, nil
	}
	g := &generator{}
	bits, length, rest := 0, 0, pattern
	for rest != "" {
		at := placeholder.FindStringSubmatchIndex(rest)
		if at == nil {
			at = []int{len(rest), len(rest)}
		}
		if literal := rest[:at[0]]; literal != "" {
			if strings.ContainsAny(literal, "{}") {
				return nil, errors.New("a placeholder looks like {alnum:11}; there are alnum, alpha, digit and hex")
			}
			if strings.Trim(literal, "abcdefghijklmnopqrstuvwxyz0123456789._-") != "" || g.parts == nil && strings.ContainsAny(literal[:1], "._-") {
				return nil, errors.New("a username has lower-case letters, digits and . _ - and begins with a letter or digit")
			}
			g.parts = append(g.parts, generatorPart{literal: literal})
			length += len(literal)
		}
		if len(at) > 2 {
			name := rest[at[2]:at[3]]
			part, perCharacter, err := randomPart(name, rest[at[4]:at[5]])
			if err != nil {
				return nil, err
			}
			g.parts = append(g.parts, part)
			bits += part.length * perCharacter / 100
			length += part.length
		}
		rest = rest[at[1]:]
	}
	switch {
	case bits < leastRandomBits:
		return nil, fmt.Errorf("a username needs %d random bits, such as {alnum:6}", leastRandomBits)
	case length > longestGenerated:
		return nil, fmt.Errorf("a username has %d characters at most", longestGenerated)
	}
	return g, nil
}

// randomPart returns a placeholder's part and the bits of each of its characters in hundredths.
func randomPart(name, digits string) (generatorPart, int, error) {
	bits, known := map[string]int{"alnum": 516, "alpha": 470, "digit": 332, "hex": 400}[name]
	length, err := strconv.Atoi(digits)
	if !known || err != nil || length == 0 {
		return generatorPart{}, 0, fmt.Errorf("there is no placeholder {%s:%s}; there are alnum, alpha, digit and hex", name, digits)
	}
	from, err := password.NewGenerator(&password.GeneratorInput{LowerLetters: alphabets[name]})
	if err != nil {
		return generatorPart{}, 0, fmt.Errorf("make a generator: %w", err)
	}
	return generatorPart{length: length, from: from}, bits, nil
}

// draw makes a username, uniformly over what the pattern allows.
func (g *generator) draw() (string, error) {
	if g.uuid {
		return newUUID(), nil
	}
	var b strings.Builder
	for _, p := range g.parts {
		b.WriteString(p.literal)
		if p.from == nil {
			continue
		}
		s, err := p.from.Generate(p.length, 0, 0, true, true)
		if err != nil {
			return "", fmt.Errorf("draw a username: %w", err)
		}
		b.WriteString(s)
	}
	return b.String(), nil
}

// newUUID returns a random UUID (RFC 9562, version 4).
func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}
