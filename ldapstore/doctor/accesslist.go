package doctor

import (
	"encoding/binary"
	"slices"
	"strings"
)

// control is an entry of a list that a server shows.
type control struct {
	allows bool
	mask   uint32
	object string // a GUID; empty: any
	sid    string
}

type controls []control

// accessList reads the discretionary list of a security descriptor (MS-DTYP, section 2.4.6), without the entries that are
// only for what is below. false: it is none, or has none.
func accessList(descriptor string) (controls, bool) {
	entries, err := splitList([]byte(descriptor))
	if err != nil {
		return nil, false
	}
	var list controls
	for _, entry := range entries {
		if c, counts := oneControl(entry); counts {
			list = append(list, c)
		}
	}
	return list, true
}

// oneControl reads an entry; false for one that does not count here: of another type, or only for what is below.
func oneControl(entry []byte) (c control, counts bool) {
	const inheritOnly, entryHead, guid = 0x8, 8, 16
	kind, body := entry[0], entry[entryHead:]
	c.mask = binary.LittleEndian.Uint32(entry[4:])
	switch kind {
	case 0, 1: // allowed, denied
	case 5, 6: // the same for an object
		if len(body) < 4 {
			return c, false
		}
		present := binary.LittleEndian.Uint32(body)
		body = body[4:]
		for bit := range 2 {
			if present&(1<<bit) == 0 {
				continue
			}
			if len(body) < guid {
				return c, false
			}
			if bit == 0 {
				c.object = guidText(string(body[:guid]))
			}
			body = body[guid:]
		}
	default:
		return c, false
	}
	c.allows = kind == 0 || kind == 5
	c.sid = sidText(string(body))
	return c, entry[1]&inheritOnly == 0 && c.sid != ""
}

// allows tells whether somebody with these identifiers has a right on an object: the first entry that names both decides
// (MS-ADTS, section 5.1.3.3).
func (l controls) allows(who []string, needed right, object string) bool {
	for _, c := range l {
		if slices.Contains(who, c.sid) && c.mask&needed.bit != 0 && (c.object == "" || strings.EqualFold(c.object, object)) {
			return c.allows
		}
	}
	return false
}
