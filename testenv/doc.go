// Package testenv starts the real things that tests need: the sidecar's own binary on free loopback ports, with a
// client for its API and a look into its mailbox, a browser, and the servers it talks to: PostgreSQL, mail, and directories
// of three kinds, each private to its test and dead with it. It owns no rule of the product: it only starts, asks
// and stops.
package testenv
