// Package claim holds identifiers for accounts in a directory, each for exactly one: a small entry per identifier, its
// claim, decides who was first; an account waits, complete and hidden, until one of its claims is committed, and is moved
// into place then. Whoever meets something unfinished finishes it or undoes it. The rules, and a model of them, are in
// ldapstore/model. What an entry looks like is package entry's business, and how requests travel package directory's.
package claim
