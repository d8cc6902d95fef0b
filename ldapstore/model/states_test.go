package model_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// statesOfCode are the first letters of the states in package claim: its constants of type phase.
func statesOfCode(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../claim/*.go")
	if err != nil {
		t.Fatal(err)
	}
	var letters []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			c, ok := n.(*ast.ValueSpec)
			if !ok {
				return true
			}
			if kind, ok := c.Type.(*ast.Ident); !ok || kind.Name != "phase" {
				return true
			}
			for _, v := range c.Values {
				if l, ok := v.(*ast.BasicLit); ok {
					letters = append(letters, strings.Trim(l.Value, `'"`))
				}
			}
			return true
		})
	}
	return letters
}

func TestStates(t *testing.T) {
	text, err := os.ReadFile("claim.pml")
	if err != nil {
		t.Fatal(err)
	}
	var modelled []string
	numbers := map[int]string{0: "ABSENT"}
	for _, m := range regexp.MustCompile(`(?m)^#define STATE_([A-Z]) (\d+) `).FindAllStringSubmatch(string(text), -1) {
		n, _ := strconv.Atoi(m[2])
		if numbers[n] != "" {
			t.Errorf("%s and %s have one number", numbers[n], m[1])
		}
		numbers[n] = m[1]
		modelled = append(modelled, m[1])
	}
	t.Run("a claim in the model can say what it can say in a directory, and nothing else", func(t *testing.T) {
		code := statesOfCode(t)
		slices.Sort(code)
		slices.Sort(modelled)
		if len(code) == 0 || !slices.Equal(code, modelled) {
			t.Errorf("the code has %q, the model %q", code, modelled)
		}
	})
}
