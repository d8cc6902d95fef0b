package config

import (
	"fmt"
	"regexp"
	"strconv"
	"time"

	"github.com/goccy/go-yaml/ast"
)

// Null tells whether the node is empty or null.
func (n *Node) Null() bool {
	_, null := n.node.(*ast.NullNode)
	return null || n.node == nil
}

// IsText tells whether the node is a text.
func (n *Node) IsText() bool {
	switch n.node.(type) {
	case *ast.StringNode, *ast.LiteralNode:
		return true
	}
	return false
}

// IsMapping tells whether the node is a mapping.
func (n *Node) IsMapping() bool {
	_, ok := n.node.(ast.MapNode)
	return ok
}

// IsSequence tells whether the node is a sequence.
func (n *Node) IsSequence() bool {
	_, ok := n.node.(*ast.SequenceNode)
	return ok
}

// Str reads a string. A number or a boolean must be quoted to be one.
func (n *Node) Str() string {
	switch v := n.node.(type) {
	case *ast.StringNode:
		return v.Value
	case *ast.LiteralNode:
		return v.Value.Value
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		n.Fault("this is "+n.kind()+", not a text", fmt.Sprintf("put it in quotes: %q", short(n.node.GetToken().Value)))
	default:
		n.wrongKind("a text")
	}
	return ""
}

// Bool reads true or false.
func (n *Node) Bool() bool {
	if v, ok := n.node.(*ast.BoolNode); ok {
		return v.Value
	}
	n.wrongKind("true or false")
	return false
}

var decimal = regexp.MustCompile(`^(0|-?[1-9][0-9]*)$`)

// Int reads a whole number between low and high.
func (n *Node) Int(low, high int64) int64 {
	v, ok := n.node.(*ast.IntegerNode)
	if !ok {
		n.wrongKind("a whole number")
		return low
	}
	text := v.GetToken().Value
	// Others read 010 as eight, and 1_000 or 0x10 is not what an operator means either.
	if !decimal.MatchString(text) {
		n.Fault("this is not a plain decimal number", fmt.Sprintf("choose one from %d to %d, without leading zeros", low, high))
		return low
	}
	i, err := strconv.ParseInt(text, 10, 64)
	if err != nil || i < low || i > high {
		n.Fault("this number is out of range", fmt.Sprintf("choose one from %d to %d", low, high))
		return low
	}
	return i
}

// Duration reads a time span such as "90s" or "10m" between low and high.
func (n *Node) Duration(low, high time.Duration) time.Duration {
	v, ok := n.node.(*ast.StringNode)
	if !ok {
		n.wrongKind(`a time span such as "90s" or "10m"`)
		return low
	}
	d, err := time.ParseDuration(v.Value)
	if err != nil || d < low || d > high {
		n.Fault(fmt.Sprintf("%q is not a time span that is possible here", short(v.Value)), fmt.Sprintf("choose one from %v to %v, such as %q", low, high, low.String()))
		return low
	}
	return d
}

// Strings reads a sequence of texts; a single text is a sequence of one.
func (n *Node) Strings() []string {
	if !n.IsSequence() {
		return []string{n.Str()}
	}
	var all []string
	for _, item := range n.Sequence() {
		all = append(all, item.Str())
	}
	return all
}

// Sequence reads a sequence.
func (n *Node) Sequence() []*Node {
	seq, ok := n.node.(*ast.SequenceNode)
	if !ok {
		n.wrongKind("a list")
		return nil
	}
	nodes := make([]*Node, len(seq.Values))
	for i, v := range seq.Values {
		nodes[i] = &Node{doc: n.doc, node: v, path: fmt.Sprintf("%s[%d]", n.path, i)}
	}
	return nodes
}

// wrongKind adds the fault for a node of another kind than wanted. What ParseYAML has refused has its fault already.
func (n *Node) wrongKind(want string) {
	switch n.node.(type) {
	case *ast.AnchorNode, *ast.AliasNode, *ast.TagNode:
		return
	}
	n.Fault("this is "+n.kind()+", not "+want, "write "+want)
}

// kind names what the node is, for messages.
func (n *Node) kind() string {
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
