// Package race owns the tests that let processes die, stall and lose answers at every request of the claim protocol, on real
// servers, and check at rest what an admin would. It holds no code of the product.
//
// The short rounds run with the other tests. Longer ones:
//
//	go test ./ldapstore/claim/race -run TestCreations -rounds 300 -timeout 2h -v
//	go test ./ldapstore/claim/race -run TestChanges/389ds -rounds 40 -timeout 2h -v
package race
