package plugin

import "time"

// Change alters an account in one of four ways, never in two at once: a directory can do each of them whole or not at
// all, but no two of them together. Exactly one of Attributes, State, Groups and Identifier is set.
type Change struct {
	Attributes map[string]AttributeChange
	State      *StateChange
	Groups     *GroupChange
	Identifier *IdentifierChange
}

// AttributeChange replaces all values of an attribute. Old is what the store must hold now (as a set), else
// ErrConflict; empty means absent. New empty removes the attribute. The values of Old leave in the very operation that
// brings New; that no others are there, a store may look at just before, because LDAP cannot test it in a Modify
// (RFC 4511, section 4.6). An attribute that holds the value of a key, or that the store keeps for keys alone, cannot
// be changed this way: ErrInvalid.
type AttributeChange struct {
	Old, New []Value
}

// StateChange replaces the state. The store must hold Old.Locked now, else ErrConflict; reasons are not compared.
type StateChange struct {
	Old, New State
}

// GroupChange adds the account to groups and removes it from others. What is so already stays so.
type GroupChange struct {
	Add, Remove []string
}

// IdentifierChange gives the account one key, takes one away, or both. The username's key cannot be changed.
type IdentifierChange struct {
	// Attempt makes the change idempotent, as in Create.
	Attempt Attempt
	// NotAfter is when this execution loses its right to commit, as in Create.
	NotAfter time.Time
	// Add is the key to add, or nil. A key that this account had dropped may be added again at any time.
	Add *Key
	// Drop is the key to drop, or nil. An account that does not hold it is ErrConflict.
	Drop *Key
	// Hold is how long the dropped key stays out of other accounts' reach.
	Hold time.Duration
}
