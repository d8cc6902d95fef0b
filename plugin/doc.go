// Package plugin is the contract between Narthex and the stores that keep accounts, and all that the author of a
// persister needs: the [Persister] interface and its optional capabilities, the values that travel, the errors, [Serve]
// for the persister's main function and [Open] for the host.
//
// It owns the meaning of an account and nothing else: how identifiers are compared is the host's business (a persister
// only ever sees finished canonical keys), and what a registration looks like on the way is the host's as well.
// Nothing here imports another package of the project but the generated wire types.
package plugin
