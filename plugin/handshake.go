package plugin

import "fmt"

// errVersion is the error of a persister that speaks another version of the contract.
func errVersion(theirs int) error {
	return fmt.Errorf("the persister speaks version %d of the contract, this host version %d: use a persister built for this version", theirs, ContractVersion)
}
