package identifier

import (
	_ "embed" // the list of common words
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

//go:embed common.txt
var commonWords string

// Bounds of the search for common parts, so that its cost does not grow with what is typed, in bytes.
const (
	maxCommon    = 128
	maxBeginning = 4
	maxEnding    = 12
	shortestPart = 3
)

// commonParts knows what passwords are made of most often: words and runs along the alphabet, the digits or the keyboard.
// With it a few kilobytes stand for some millions of passwords.
type commonParts map[string]bool

// tracks are what fingers run along.
var tracks = []string{"01234567890123456789", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn", "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik9ol0p"}

func newCommonParts() commonParts {
	parts := commonParts{}
	for line := range strings.Lines(commonWords) {
		if word := strings.TrimSpace(line); word != "" && !strings.HasPrefix(word, "#") {
			parts[squeeze(foldCase(word))] = true
		}
	}
	for _, track := range tracks {
		for _, along := range []string{track, reverse(track)} {
			for from := range along {
				for to := from + shortestPart; to <= len(along); to++ {
					parts[along[from:to]] = true
				}
			}
		}
	}
	return parts
}

// has tells whether a folded text is, from its first character to its last, one or two common parts with at most a
// usual number or sign before and behind, whatever stands between its words, and also in the spelling that puts digits
// and signs for letters.
func (c commonParts) has(text string) bool {
	text = squeeze(text)
	if len(text) > maxCommon || !utf8.ValidString(text) {
		return false
	}
	for from := 0; from <= min(maxBeginning, len(text)); from++ {
		if !usualEnding.MatchString(text[:from]) {
			continue
		}
		for to := len(text); to > from && to >= len(text)-maxEnding; to-- {
			if usualEnding.MatchString(text[to:]) && slices.ContainsFunc(spellings(text[from:to]), c.oneOrTwo) {
				return true
			}
		}
	}
	return false
}

// usualEnding is what people put around a word until it is long enough: a number of one or two digits, a year, one
// digit over and over, a run of digits, then signs.
var usualEnding = regexp.MustCompile(`^([0-9]{0,2}|(19|20)[0-9]{2}|0{3,}|1{3,}|2{3,}|3{3,}|4{3,}|5{3,}|6{3,}|7{3,}|8{3,}|9{3,}|` +
	`0?12(3(4(5(6(7(8(90?)?)?)?)?)?)?)?|0?123123|(9?8?7?6?5?4)?321|0?007|4711|0815)[!?.,*#$%&+=@]{0,3}$`)

// squeeze leaves out what stands between words.
func squeeze(text string) string {
	return strings.Map(func(c rune) rune {
		if strings.ContainsRune(" -_.,'", c) {
			return -1
		}
		return c
	}, text)
}

// The digits and signs that stand for letters; a one stands for two.
var (
	asI = strings.NewReplacer("0", "o", "1", "i", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "8", "b")
	asL = strings.NewReplacer("0", "o", "1", "l", "!", "i", "3", "e", "4", "a", "@", "a", "5", "s", "$", "s", "7", "t", "8", "b")
)

// spellings returns a text as it is, and as it is meant if it has such digits or signs.
func spellings(text string) []string {
	all := []string{text}
	for _, meant := range []string{asI.Replace(text), asL.Replace(text)} {
		if !slices.Contains(all, meant) {
			all = append(all, meant)
		}
	}
	return all
}

func (c commonParts) oneOrTwo(text string) bool {
	if c[text] {
		return true
	}
	for i := shortestPart; i <= len(text)-shortestPart; i++ {
		if c[text[:i]] && c[text[i:]] {
			return true
		}
	}
	return false
}

// repeats tells whether the text is one piece of up to a third of its length, over and over.
func repeats(text string) bool {
	for size := 1; size <= len(text)/3; size++ {
		if text[size:] == text[:len(text)-size] {
			return true
		}
	}
	return false
}

func reverse(s string) string {
	b := []byte(s)
	slices.Reverse(b)
	return string(b)
}
