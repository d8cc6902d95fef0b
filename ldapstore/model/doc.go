// Package model owns the model of the claim protocol, in Promela, and the searches that spin makes of it. It leaves the
// protocol itself to package claim, and knows nothing of a directory's wire.
//
// README.md says what is modelled, what the searches claim and what they do not, RESULTS.md what they found. The tests run
// a short set; the whole set takes about an hour of one processor:
//
//	go run ./ldapstore/model/search
package model
