package entry

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// Bounds of the file: its bytes, and how deep its lists and mappings may stand in one another. The parser's time grows
// with the square of the depth.
const (
	maxDocument = 1 << 20
	maxDepth    = 32
)

// node is one place in the file. Its methods that read a value add a fault when the value is of another kind, and answer
// with a zero value, so that a reader can go on and find the next fault.
type node struct {
	doc  *document
	node ast.Node
	path string
}

// document is what all nodes of one file share.
type document struct {
	file   string
	faults Faults
}

// parseYAML reads a document whose top is a mapping; an empty one is an empty mapping. Anchors, aliases, merge keys, tags,
// repeated keys, keys that are no texts and further documents are refused: what stands there is what counts.
func parseYAML(file string, data []byte) (*node, error) {
	text := strings.TrimPrefix(string(data), "\ufeff")
	if f, bad := checkText(text); bad {
		f.File = file
		return nil, Faults{f}
	}
	tokens := lexer.Tokenize(text)
	if t := tooDeep(tokens); t != nil {
		return nil, Faults{{File: file, Line: t.Position.Line, Column: t.Position.Column,
			Problem: fmt.Sprintf("more than %d lists and mappings stand in one another here", maxDepth), Fix: "close some before"}}
	}
	// Repeated keys are found by the check below, all of them and with their paths.
	parsed, err := parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		return nil, Faults{syntaxFault(file, err)}
	}
	doc := &document{file: file}
	top := &node{doc: doc, node: doc.only(parsed)}
	if doc.faults != nil {
		return nil, doc.faults
	}
	top.checkPlain()
	return top, nil
}

// checkText finds what no YAML file may hold (YAML 1.2, section 5.1), with its place.
func checkText(text string) (f Fault, bad bool) {
	if len(text) > maxDocument {
		return Fault{Problem: fmt.Sprintf("the file has more than %d bytes", maxDocument), Fix: "remove what it does not need"}, true
	}
	line, column := 1, 1
	for i, c := range text {
		switch {
		case c == '\n':
			line, column = line+1, 0
		case c == utf8.RuneError && !strings.HasPrefix(text[i:], string(utf8.RuneError)):
			return Fault{Line: line, Column: column, Problem: "the file is not UTF-8", Fix: "save it as UTF-8"}, true
		case c < ' ' && c != '\t' && c != '\r', c >= 0x7F && c < 0xA0 && c != 0x85:
			return Fault{Line: line, Column: column, Problem: fmt.Sprintf("a control character (%U) stands here", c), Fix: "remove it"}, true
		}
		column++
	}
	return Fault{}, false
}

// tooDeep returns the token that goes deeper than a document may, or nil.
func tooDeep(tokens token.Tokens) *token.Token {
	open, inLine, line := 0, 0, 0
	for _, t := range tokens {
		if t.Position.Line != line {
			inLine, line = 0, t.Position.Line
		}
		switch t.Type { //nolint:exhaustive // the other tokens open nothing
		case token.SequenceStartType, token.MappingStartType:
			open++
		case token.SequenceEndType, token.MappingEndType:
			open--
		case token.SequenceEntryType, token.MappingKeyType:
			inLine++
		}
		if open > maxDepth || inLine > maxDepth {
			return t
		}
	}
	return nil
}

func syntaxFault(file string, err error) Fault {
	f := Fault{File: file, Line: 1, Column: 1, Problem: "no valid YAML", Fix: "mend it there"}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		f.Problem += ": " + short(syntax.GetMessage())
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Column = t.Position.Line, t.Position.Column
		}
	}
	return f
}

// only returns the top of the file's one document; nil for an empty one.
func (d *document) only(f *ast.File) ast.Node {
	var body ast.Node
	for _, one := range f.Docs {
		switch {
		case one.Body == nil:
		case one.Body.Type() == ast.DirectiveType:
			d.fault("", one.Body.GetToken(), "a directive is not allowed here", "remove the line")
		case body != nil:
			d.fault("", one.Body.GetToken(), "a second document begins here", "keep exactly one, and no '---' between its parts")
			return nil
		default:
			body = one.Body
		}
	}
	return body
}

func (d *document) fault(path string, at *token.Token, problem, fix string) {
	f := Fault{File: d.file, Path: path, Problem: problem, Fix: fix}
	if at != nil && at.Position != nil {
		f.Line, f.Column = at.Position.Line, at.Position.Column
	}
	d.faults = append(d.faults, f)
}

// or is the place to blame where the file does not have the nearer one.
func (n *node) or(further *node) *node {
	if n == nil {
		return further
	}
	return n
}

// fault adds a fault at this place. On nil, which stands for what the file does not have, it adds none: defaults are right.
func (n *node) fault(problem, fix string) {
	if n == nil {
		return
	}
	var at *token.Token
	if n.node != nil {
		at = n.node.GetToken()
	}
	if m, ok := n.node.(ast.MapNode); ok { // its own token is the colon behind its first key
		if it := m.MapRange(); it.Next() {
			at = it.Key().GetToken()
		}
	}
	n.doc.fault(n.path, at, problem, fix)
}
