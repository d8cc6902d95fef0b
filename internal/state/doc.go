// Package state owns the state database: registrations that are not finished (sealed, versioned, expiring), the counter
// of guesses, and the outbox. It stores what it is given and decides who was first; what a registration means is the
// flow engine's business, what a message says is package message's.
package state
