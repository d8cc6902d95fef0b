package doctor

// For tests of what reads octets.
func ReadAccessList(descriptor string) bool {
	_, ok := accessList(descriptor)
	return ok
}

func Merge(descriptor, sid string) (string, bool, error) {
	return merged(descriptor, []ace{{rights: reading, object: domainSchema["mail"], sid: sid}})
}

func SID(text string) (string, error) {
	octets, err := sidOctets(text)
	return sidText(string(octets)), err
}

func NewDescriptor(owner string) (string, error) {
	return descriptor(owner, true, []ace{{rights: everything, also: true, sid: systemSID}})
}

func CompareClocks(theirs string) Report {
	e := &examination{}
	e.compare(theirs)
	return e.report
}

// Deny puts an entry before all others that denies a right: on the object itself, or on objects of a class below.
func Deny(descriptor, sid, name, object, class string) (string, error) {
	rights := map[string]right{"CC": createChild, "DC": deleteChild, "WP": writeProperty, "CR": controlAccess}
	octets, err := ace{rights: []right{rights[name]}, object: domainSchema[object], inheritor: domainSchema[class], below: class != "", sid: sid}.octets()
	if err != nil {
		return "", err
	}
	octets[0] = 6 // denied for an object
	have, err := splitList([]byte(descriptor))
	if err != nil {
		return "", err
	}
	return withList([]byte(descriptor), append([][]byte{octets}, have...))
}
