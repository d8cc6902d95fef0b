package directory

import (
	"context"
	"slices"

	"github.com/go-ldap/ldap/v3"
)

// descriptorFlags asks for owner, group and access list and leaves out the audit list, which few may read (MS-ADTS, section
// 3.1.1.3.4.1.11): a SEQUENCE of the INTEGER 7.
const (
	descriptorControl = "1.2.840.113556.1.4.801"
	descriptorFlags   = "\x30\x03\x02\x01\x07"
)

// Descriptor reads an entry's security descriptor (nTSecurityDescriptor), which only Active Directory has. An account that
// may not read it gets "".
func (r requests) Descriptor(ctx context.Context, dn DN) (string, error) {
	request, err := searchRequest(dn, Base, Filter{}, 0, []string{"nTSecurityDescriptor"})
	if err != nil {
		return "", err
	}
	request.Controls = []ldap.Control{ldap.NewControlString(descriptorControl, true, descriptorFlags)}
	var found []Entry
	err = r.run(ctx, "read a descriptor", true, func(c *ldap.Conn) error {
		found = nil
		result, err := c.Search(request)
		if result != nil {
			found = entries(result.Entries)
		}
		return err
	})
	if err != nil {
		return "", err
	}
	one := slices.IndexFunc(found, func(e Entry) bool { return e.DN.Equal(dn) })
	if one < 0 {
		return "", &Error{Operation: "read a descriptor", Code: NoSuchObject}
	}
	return found[one].Value("nTSecurityDescriptor"), nil
}
