package config

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
)

// maxDocument bounds a YAML file, in bytes.
const maxDocument = 1 << 20

// Node is one place in a YAML document. Its methods that read a value add a fault when the value is of another kind, and
// answer with a zero value, so that a reader can go on and find the next fault.
type Node struct {
	doc  *document
	node ast.Node
	path string
}

// document is what all nodes of one file share.
type document struct {
	file   string
	faults Faults
}

// ParseYAML reads a document whose top is a mapping. file is its name for messages. A document that is no YAML has one
// fault only. Anchors, aliases, merge keys, tags and further documents are refused: what stands there is what counts.
func ParseYAML(file string, data []byte) (*Node, error) {
	doc := &document{file: file}
	top := &Node{doc: doc}
	switch {
	case len(data) > maxDocument:
		top.Fault(fmt.Sprintf("the file has more than %d bytes", maxDocument), "split it, or remove what it does not need")
	case !utf8.Valid(data):
		top.Fault("the file is not UTF-8", "save it as UTF-8")
	}
	if len(doc.faults) > 0 {
		return nil, doc.faults
	}
	file2, err := parser.ParseBytes(data, 0)
	if err != nil {
		return nil, Faults{syntaxFault(file, err)}
	}
	if len(file2.Docs) != 1 || file2.Docs[0].Body == nil {
		top.Fault(fmt.Sprintf("the file holds %d documents", documents(file2)), "keep exactly one, and no '---' between its parts")
		return nil, doc.faults
	}
	top.node = file2.Docs[0].Body
	ast.Walk(&simple{doc}, top.node)
	return top, nil
}

func documents(f *ast.File) int {
	n := 0
	for _, d := range f.Docs {
		if d.Body != nil {
			n++
		}
	}
	return n
}

func syntaxFault(file string, err error) Fault {
	f := Fault{File: file, Line: 1, Column: 1, Problem: "no valid YAML: " + err.Error(), Fix: "mend it there"}
	var syntax yaml.Error
	if errors.As(err, &syntax) {
		f.Problem = "no valid YAML: " + syntax.GetMessage()
		if t := syntax.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Column = t.Position.Line, t.Position.Column
		}
	}
	return f
}

// simple refuses what would make a document mean something else than what it shows.
type simple struct{ doc *document }

func (s *simple) Visit(n ast.Node) ast.Visitor {
	var what string
	switch n.(type) {
	case *ast.AnchorNode:
		what = "an anchor"
	case *ast.AliasNode:
		what = "an alias"
	case *ast.MergeKeyNode:
		what = "a merge key"
	case *ast.TagNode:
		what = "a tag"
	default:
		return s
	}
	at := &Node{doc: s.doc, node: n}
	at.Fault(what+" is not allowed here", "write the value out")
	return nil
}

// Err returns all faults found in the document so far, in its order; nil when there are none.
func (n *Node) Err() error { return n.doc.faults.Err() }

// Fault adds a fault at this place.
func (n *Node) Fault(problem, fix string) {
	f := Fault{File: n.doc.file, Path: n.path, Problem: problem, Fix: fix}
	if n.node != nil {
		if t := n.node.GetToken(); t != nil && t.Position != nil {
			f.Line, f.Column = t.Position.Line, t.Position.Column
		}
	}
	// A mapping's own token is the colon behind its first key.
	if m, ok := n.node.(ast.MapNode); ok {
		if it := m.MapRange(); it.Next() {
			if t := it.Key().GetToken(); t != nil && t.Position != nil {
				f.Line, f.Column = t.Position.Line, t.Position.Column
			}
		}
	}
	n.doc.faults = append(n.doc.faults, f)
}

// Path tells where in the document the node is.
func (n *Node) Path() string { return n.path }
