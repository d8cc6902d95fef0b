package doctor

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
)

var errDescriptor = errors.New("the security descriptor cannot be read")

// merged is a descriptor with entries added to its list, where they are not there: after what is set at the object itself
// and before what it inherits (MS-DTYP, section 2.4.5: the order counts). added is false when nothing was missing.
func merged(descriptor string, entries []ace) (text string, added bool, err error) {
	sd := []byte(descriptor)
	have, err := splitList(sd)
	if err != nil {
		return "", false, err
	}
	at := slices.IndexFunc(have, inherited)
	if at < 0 {
		at = len(have)
	}
	for _, a := range entries {
		octets, err := a.octets()
		if err != nil {
			return "", false, err
		}
		if !slices.ContainsFunc(have, func(h []byte) bool { return bytes.Equal(h, octets) }) {
			have, at, added = slices.Insert(have, at, octets), at+1, true
		}
	}
	text, err = withList(sd, have)
	return text, added, err
}

// withList is a descriptor with another list, and without what is audited.
func withList(sd []byte, entries [][]byte) (string, error) {
	const head, isList, isProtected, autoInherited, selfRelative, revision, listHead, most = 20, 0x4, 0x1000, 0x400, 0x8000, 4, 8, 0xFFFF
	list := bytes.Join(entries, nil)
	if len(list)+listHead > most {
		return "", errors.New("the list of rights would be too long")
	}
	owner, group := sidAt(sd, 4), sidAt(sd, 8)
	flags := binary.LittleEndian.Uint16(sd[2:])&(isProtected|autoInherited) | isList | selfRelative
	out := binary.LittleEndian.AppendUint16([]byte{1, 0}, flags)
	offset := uint32(head)
	for _, part := range [][]byte{owner, group, nil} {
		if len(part) == 0 {
			out = binary.LittleEndian.AppendUint32(out, 0)
			continue
		}
		out = binary.LittleEndian.AppendUint32(out, offset)
		offset += uint32(len(part))
	}
	out = append(append(binary.LittleEndian.AppendUint32(out, offset), owner...), group...)
	out = binary.LittleEndian.AppendUint16(append(out, revision, 0), uint16(listHead+len(list)))
	out = append(binary.LittleEndian.AppendUint16(out, uint16(len(entries))), 0, 0)
	return string(append(out, list...)), nil
}

// inherited tells whether an entry comes from above.
func inherited(entry []byte) bool {
	const fromAbove = 0x10
	return entry[1]&fromAbove != 0
}

// splitList returns the entries of a descriptor's list as octets.
func splitList(sd []byte) ([][]byte, error) {
	const head, offsetOfList, listHead, entryHead = 20, 16, 8, 8
	if len(sd) < head {
		return nil, errDescriptor
	}
	at := uint64(binary.LittleEndian.Uint32(sd[offsetOfList:]))
	if at < head || at+listHead > uint64(len(sd)) {
		return nil, errDescriptor
	}
	var all [][]byte
	rest := sd[at+listHead:]
	for range binary.LittleEndian.Uint16(sd[at+4:]) {
		if len(rest) < entryHead {
			return nil, errDescriptor
		}
		size := int(binary.LittleEndian.Uint16(rest[2:]))
		if size < entryHead || size > len(rest) {
			return nil, errDescriptor
		}
		all, rest = append(all, slices.Clone(rest[:size])), rest[size:]
	}
	return all, nil
}

// sidAt is the identifier whose offset stands at a place of a descriptor's head; nil if there is none.
func sidAt(sd []byte, place int) []byte {
	const head, each = 8, 4
	at := uint64(binary.LittleEndian.Uint32(sd[place:]))
	if at == 0 || at+head > uint64(len(sd)) {
		return nil
	}
	end := at + head + each*uint64(sd[at+1])
	if end > uint64(len(sd)) {
		return nil
	}
	return sd[at:end]
}
