// Package seal owns the keys of the sidecar: it seals what must not be read by whoever has the database, makes keyed
// hashes, and makes and splits the tokens that people carry. It knows nothing of what it seals.
package seal
