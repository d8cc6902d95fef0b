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
