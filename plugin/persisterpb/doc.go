// Package persisterpb is the wire of the persister contract: the .proto file and the code generated from it. It owns
// the encoding only; meaning, bounds and errors belong to package plugin, which converts to and from it.
package persisterpb

//go:generate ./generate.sh
