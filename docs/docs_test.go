// Package docs_test owns the proof that the documents beside it tell the truth: their files are read and built by the
// code that they are about, and their tables are compared with it.
package docs_test

import (
	"os"
	"strings"
	"testing"
)

// block is one fenced block of a document: "```language mark words" and what is inside.
type block struct {
	language string
	marks    []string
	text     string
	// after is the indented text that follows, what a terminal would show.
	after string
}

// blocks reads the fenced blocks of a document.
func blocks(t *testing.T, document string) []block {
	t.Helper()
	var all []block
	for rest := read(t, document); ; {
		_, from, found := strings.Cut(rest, "\n```")
		if !found {
			return all
		}
		info, inside, _ := strings.Cut(from, "\n")
		text, next, closed := strings.Cut(inside, "\n```\n")
		if !closed {
			t.Fatalf("%s: a block is not closed", document)
		}
		b := block{text: text + "\n", after: indented(next)}
		if words := strings.Fields(info); len(words) > 0 {
			b.language, b.marks = words[0], words[1:]
		}
		all = append(all, b)
		rest = "\n" + next
	}
}

// indented returns the indented lines that a text begins with.
func indented(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimLeft(text, "\n")) {
		inner, is := strings.CutPrefix(line, "    ")
		if !is {
			break
		}
		b.WriteString(inner)
	}
	return b.String()
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// tableRows returns the cells of every row of the document's tables that has n of them, heads and rules left out.
func tableRows(text string, n int) [][]string {
	var rows [][]string
	for line := range strings.Lines(text) {
		cells := strings.Split(strings.TrimSpace(line), "|")
		if len(cells) != n+2 || cells[0] != "" || strings.HasPrefix(cells[1], "---") {
			continue
		}
		row := make([]string, n)
		for i := range row {
			row[i] = strings.TrimSpace(cells[i+1])
		}
		rows = append(rows, row)
	}
	return rows
}
