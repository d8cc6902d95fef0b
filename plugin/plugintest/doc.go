// Package plugintest is the conformance suite: the rules of the persister contract, each as a test with a name, that
// every store passes, directly and over the wire.
//
// [Run] is for a store's own tests, [RunBackend] for one that is opened in some other way, for example as a process, and
// [Check] for programs that are no tests: it also judges a store that has accounts already, because every rule uses names
// of its own and removes what it made.
//
// The package owns what the contract demands of any store. How a store does it, and what its settings mean, is left to
// the store's own tests.
package plugintest
