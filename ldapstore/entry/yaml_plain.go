package entry

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// checkPlain refuses, below a node, what would make a document mean something else than what it shows.
func (n *node) checkPlain() {
	switch v := n.node.(type) {
	case ast.MapNode:
		first := map[string]int{}
		for it := v.MapRange(); it.Next(); {
			n.checkKey(it.Key(), first)
			n.at(it.Key(), it.Value()).checkPlain()
		}
	case *ast.SequenceNode:
		for i, item := range v.Values {
			(&node{doc: n.doc, node: item, path: fmt.Sprintf("%s[%d]", n.path, i)}).checkPlain()
		}
	case *ast.AnchorNode:
		n.fault("an anchor is not allowed here", "write the value out where it is used")
	case *ast.AliasNode:
		n.fault("an alias is not allowed here", "write the value out")
	case *ast.TagNode:
		n.fault("a tag is not allowed here", "remove it; quotes make a text of anything")
	}
}

// checkKey refuses a key that is no text, or that stands in the mapping twice.
func (n *node) checkKey(key ast.MapKeyNode, first map[string]int) {
	at := n.at(key, key)
	switch key.(type) {
	case *ast.StringNode:
	case *ast.MergeKeyNode:
		at.fault("a merge key is not allowed here", "write the keys out")
		return
	default:
		at.fault("this key is not a text", fmt.Sprintf("put it in quotes: %q", short(key.GetToken().Value)))
		return
	}
	name := key.GetToken().Value
	if line, twice := first[name]; twice {
		at.fault(fmt.Sprintf("the key %q stands here twice, first in line %d", short(name), line), "keep one of the two")
		return
	}
	first[name] = key.GetToken().Position.Line
}

// at returns a node below this one, under a key.
func (n *node) at(key ast.MapKeyNode, value ast.Node) *node {
	path := strings.TrimPrefix(n.path+"."+segment(key.GetToken().Value), ".")
	return &node{doc: n.doc, node: value, path: path}
}

var plainSegment = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// segment is a key as a path shows it: always on one line, and never long.
func segment(key string) string {
	if plainSegment.MatchString(key) {
		return key
	}
	return strconv.Quote(short(key))
}

// short cuts what a message quotes from the file.
func short(text string) string {
	const enough = 60
	if runes := []rune(text); len(runes) > enough {
		return string(runes[:enough]) + "…"
	}
	return text
}
