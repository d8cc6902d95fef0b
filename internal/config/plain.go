package config

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"
)

// checkPlain refuses, below a node, what would make a document mean something else than what it shows.
func (n *Node) checkPlain() {
	switch v := n.node.(type) {
	case ast.MapNode:
		first := map[string]*Node{}
		for it := v.MapRange(); it.Next(); {
			n.checkKey(it.Key(), first)
			n.at(it.Key(), it.Value()).checkPlain()
		}
	case *ast.SequenceNode:
		for _, item := range n.Sequence() {
			item.checkPlain()
		}
	case *ast.AnchorNode:
		n.Fault("an anchor is not allowed here", "write the value out where it is used")
	case *ast.AliasNode:
		n.Fault("an alias is not allowed here", "write the value out")
	case *ast.TagNode:
		n.Fault("a tag is not allowed here", "remove it; quotes make a text of anything")
	}
}

// checkKey refuses a key that is no text, or that stands in the mapping twice.
func (n *Node) checkKey(key ast.MapKeyNode, first map[string]*Node) {
	at := n.at(key, key)
	switch key.(type) {
	case *ast.StringNode:
	case *ast.MergeKeyNode:
		at.Fault("a merge key is not allowed here", "write the keys out")
		return
	default:
		at.Fault("this key is not a text", fmt.Sprintf("put it in quotes: %q", short(key.GetToken().Value)))
		return
	}
	name := key.GetToken().Value
	if before, twice := first[name]; twice {
		at.Fault(fmt.Sprintf("the key %q stands here twice, first in line %d", short(name), before.line()), "keep one of the two")
		return
	}
	first[name] = at
}

func (n *Node) line() int { return n.node.GetToken().Position.Line }

// at returns a node below this one, under a key.
func (n *Node) at(key ast.MapKeyNode, node ast.Node) *Node {
	path := strings.TrimPrefix(n.path+"."+segment(key.GetToken().Value), ".")
	return &Node{doc: n.doc, node: node, path: path}
}

var plainSegment = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// segment is a key as a path shows it: always on one line, and never long.
func segment(key string) string {
	if plainSegment.MatchString(key) {
		return key
	}
	return strconv.Quote(short(key))
}

// short cuts what a message quotes from the document.
func short(text string) string {
	const enough = 60
	if runes := []rune(text); len(runes) > enough {
		return string(runes[:enough]) + "…"
	}
	return text
}
