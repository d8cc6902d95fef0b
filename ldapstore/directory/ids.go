package directory

import (
	"encoding/hex"
	"strings"
	"unicode/utf16"
)

// EntryID is the id of an entry that was read with IDAttribute, in lower case, or "" if it is not there. Active Directory's
// octets become the text of the UUID that its own tools show.
func (s Server) EntryID(e Entry) string {
	value := e.Value(s.IDAttribute())
	if s.Kind == ActiveDirectory {
		return guidText(value)
	}
	return strings.ToLower(value)
}

// IDFilter finds the entry with an id that EntryID returned. Another text finds nothing.
func (s Server) IDFilter(id string) Filter {
	if s.Kind != ActiveDirectory {
		return Equal(s.IDAttribute(), id)
	}
	octets, ok := guidOctets(id)
	if !ok { // the text itself might be taken for octets
		return nothing()
	}
	return Equal(s.IDAttribute(), octets)
}

// ByID names an entry by its id instead of its place, so that a late request cannot meet another entry of the same name.
// Only Active Directory has such names (`<GUID=…>`); ok is false elsewhere.
func (s Server) ByID(id string) (dn DN, ok bool) {
	if s.Kind != ActiveDirectory {
		return "", false
	}
	octets, ok := guidOctets(id)
	if !ok {
		return "", false
	}
	return DN("<GUID=" + guidText(octets) + ">"), true
}

// UnicodePassword is a password as Active Directory's unicodePwd takes it in an Add or a Modify: UTF-16, little endian, in
// double quotes (MS-ADTS, section 3.1.1.3.1.5). It is sent over TLS only: the server refuses it otherwise.
func UnicodePassword(password string) string {
	units := utf16.Encode([]rune(`"` + password + `"`))
	octets := make([]byte, 0, 2*len(units))
	for _, u := range units {
		octets = append(octets, byte(u), byte(u>>8))
	}
	return string(octets)
}

// guidText writes the 16 octets of an objectGUID as a UUID: the first three groups are stored with their last octet first
// (MS-DTYP, section 2.3.4.2).
func guidText(octets string) string {
	if len(octets) != 16 {
		return ""
	}
	b := swapped([]byte(octets))
	text := hex.EncodeToString(b)
	return text[:8] + "-" + text[8:12] + "-" + text[12:16] + "-" + text[16:20] + "-" + text[20:]
}

// guidOctets is guidText's inverse.
func guidOctets(text string) (string, bool) {
	if len(text) != 36 || text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-' {
		return "", false
	}
	b, err := hex.DecodeString(text[:8] + text[9:13] + text[14:18] + text[19:23] + text[24:])
	if err != nil {
		return "", false
	}
	return string(swapped(b)), true
}

func swapped(b []byte) []byte {
	b[0], b[1], b[2], b[3] = b[3], b[2], b[1], b[0]
	b[4], b[5] = b[5], b[4]
	b[6], b[7] = b[7], b[6]
	return b
}
