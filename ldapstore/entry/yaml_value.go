package entry

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// pair is one key of a mapping with its value; at is the place of the key.
type pair struct {
	key       string
	at, value *node
}

// pairs reads a mapping whose keys are free, in the file's order. Keys that are refused already are left out.
func (n *node) pairs() []pair {
	if n.null() {
		return nil
	}
	m, ok := n.node.(ast.MapNode)
	if !ok {
		n.wrongKind("a mapping")
		return nil
	}
	var all []pair
	seen := map[string]bool{}
	for it := m.MapRange(); it.Next(); {
		key, isText := it.Key().(*ast.StringNode)
		if !isText || seen[key.Value] {
			continue
		}
		seen[key.Value] = true
		all = append(all, pair{key.Value, n.at(key, key), n.at(key, it.Value())})
	}
	return all
}

// fields reads a mapping whose keys are known: those asked for by get. done adds a fault for every other one.
type fields struct {
	left  []pair
	asked []string
}

func (n *node) fields() *fields { return &fields{left: n.pairs()} }

// get returns the value of a key, or nil where the file has none.
func (f *fields) get(key string) *node {
	f.asked = append(f.asked, key)
	for i, p := range f.left {
		if p.key == key {
			f.left = append(f.left[:i:i], f.left[i+1:]...)
			return p.value
		}
	}
	return nil
}

func (f *fields) done() {
	for _, p := range f.left {
		fix := "remove it; known here: " + strings.Join(f.asked, ", ")
		for _, known := range f.asked {
			if strings.EqualFold(known, strings.NewReplacer("-", "_", " ", "_").Replace(p.key)) {
				fix = fmt.Sprintf("write %q", known)
			}
		}
		p.at.fault(fmt.Sprintf("unknown key %q", short(p.key)), fix)
	}
}

// null tells whether there is nothing here.
func (n *node) null() bool {
	if n == nil || n.node == nil {
		return true
	}
	_, null := n.node.(*ast.NullNode)
	return null
}

// text reads a text that is not empty. A number or a boolean must be quoted to be one.
func (n *node) text(absent string) string {
	if n == nil {
		return absent
	}
	switch v := n.node.(type) {
	case *ast.StringNode:
		return n.filled(v.Value)
	case *ast.LiteralNode:
		return n.filled(v.Value.Value)
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		n.fault("this is "+n.kind()+", not a text", fmt.Sprintf("put it in quotes: %q", short(n.node.GetToken().Value)))
	default:
		n.wrongKind("a text")
	}
	return ""
}

func (n *node) filled(text string) string {
	if text == "" {
		n.fault("this text is empty", "write one, or remove the key")
	}
	return text
}

// oneOf reads one of several words.
func (n *node) oneOf(absent string, words ...string) string {
	text := n.text(absent)
	for _, w := range words {
		if text == w {
			return text
		}
	}
	if text != "" && n != nil {
		n.fault(fmt.Sprintf("%q is not possible here", short(text)), "choose one of "+strings.Join(words, ", "))
	}
	return absent
}

var decimal = regexp.MustCompile(`^(0|[1-9][0-9]*)$`)

// int reads a whole number between low and high.
func (n *node) int(absent, low, high int64) int64 {
	if n == nil {
		return absent
	}
	v, ok := n.node.(*ast.IntegerNode)
	if !ok {
		n.wrongKind("a whole number")
		return absent
	}
	text := v.GetToken().Value
	i, err := strconv.ParseInt(text, 10, 64)
	if !decimal.MatchString(text) || err != nil || i < low || i > high { // others read 010 as eight
		n.fault("this number is not possible here", fmt.Sprintf("choose a plain decimal one from %d to %d", low, high))
		return absent
	}
	return i
}

// duration reads a time span such as "90s" or "12h" between low and high.
func (n *node) duration(absent, low, high time.Duration) time.Duration {
	if n == nil {
		return absent
	}
	v, ok := n.node.(*ast.StringNode)
	if !ok {
		n.wrongKind(`a time span such as "90s" or "12h"`)
		return absent
	}
	d, err := time.ParseDuration(v.Value)
	if err != nil || d < low || d > high {
		n.fault(fmt.Sprintf("%q is not a time span that is possible here", short(v.Value)), fmt.Sprintf("choose one from %v to %v", low, high))
		return absent
	}
	return d
}

// list reads a list; anything else is a list of one.
func (n *node) list() []*node {
	if n.null() {
		return nil
	}
	seq, ok := n.node.(*ast.SequenceNode)
	if !ok {
		return []*node{n}
	}
	nodes := make([]*node, len(seq.Values))
	for i, v := range seq.Values {
		nodes[i] = &node{doc: n.doc, node: v, path: fmt.Sprintf("%s[%d]", n.path, i)}
	}
	return nodes
}

// texts reads a list of texts, or one text.
func (n *node) texts(absent []string) []string {
	if n == nil {
		return absent
	}
	var all []string
	for _, item := range n.list() {
		if text := item.text(""); text != "" {
			all = append(all, text)
		}
	}
	return all
}

// wrongKind adds the fault for a node of another kind than wanted. What is refused already has its fault.
func (n *node) wrongKind(want string) {
	switch n.node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return
	}
	n.fault("this is "+n.kind()+", not "+want, "write "+want)
}

// kind names what the node is, for messages.
func (n *node) kind() string {
	switch n.node.(type) {
	case nil, *ast.NullNode:
		return "nothing"
	case *ast.StringNode, *ast.LiteralNode:
		return "a text"
	case *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return "a number"
	case *ast.BoolNode:
		return "true or false"
	case *ast.SequenceNode:
		return "a list"
	case ast.MapNode:
		return "a mapping"
	default:
		return "something else"
	}
}
