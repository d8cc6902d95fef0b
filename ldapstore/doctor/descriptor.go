package doctor

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
)

// right is a right of Active Directory, as SDDL writes it and as a bit (MS-DTYP, section 2.5.1.1; MS-ADTS, section 5.1.3.2).
type right struct {
	sddl string
	bit  uint32
}

var (
	createChild     = right{"CC", 0x1}
	deleteChild     = right{"DC", 0x2}
	readProperty    = right{"RP", 0x10}
	writeProperty   = right{"WP", 0x20}
	controlAccess   = right{"CR", 0x100}
	listChildren    = right{"LC", 0x4}
	listObject      = right{"LO", 0x80}
	readDescriptor  = right{"RC", 0x20000}
	everything      = []right{createChild, deleteChild, listChildren, {"SW", 0x8}, readProperty, writeProperty, {"DT", 0x40}, listObject, controlAccess, {"SD", 0x10000}, readDescriptor, {"WD", 0x40000}, {"WO", 0x80000}}
	reading         = []right{listChildren, readProperty, listObject, readDescriptor}
	systemSID       = "S-1-5-18"
	domainAdminsRID = "512"
)

// ace allows rights to somebody. object is the class of a child, the attribute or the extended right that it is about,
// inheritor the class of the objects below that it is for: GUIDs, empty for any.
type ace struct {
	rights            []right
	object, inheritor string
	below             bool // for what is below, not for the object itself
	also              bool // for what is below as well
	sid               string
}

// sddl is the entry as text (MS-DTYP, section 2.5.1.1).
func (a ace) sddl() string {
	kind, flags := "A", ""
	if a.object != "" || a.inheritor != "" {
		kind = "OA"
	}
	switch {
	case a.below:
		flags = "CIIO"
	case a.also:
		flags = "CI"
	}
	var rights strings.Builder
	for _, r := range a.rights {
		rights.WriteString(r.sddl)
	}
	return fmt.Sprintf("(%s;%s;%s;%s;%s;%s)", kind, flags, rights.String(), a.object, a.inheritor, a.sid)
}

// octets is the entry in its binary form (MS-DTYP, sections 2.4.4.2 and 2.4.4.3).
func (a ace) octets() ([]byte, error) {
	const allowed, allowedObject, inherit, inheritOnly = 0, 5, 0x2, 0x8
	var mask, present uint32
	for _, r := range a.rights {
		mask |= r.bit
	}
	var guids []byte
	for i, text := range []string{a.object, a.inheritor} {
		if text == "" {
			continue
		}
		guid, err := guidOctets(text)
		if err != nil {
			return nil, err
		}
		present, guids = present|1<<i, append(guids, guid...)
	}
	sid, err := sidOctets(a.sid)
	if err != nil {
		return nil, err
	}
	kind, flags := byte(allowed), byte(0)
	body := binary.LittleEndian.AppendUint32(nil, mask)
	if present != 0 {
		kind, body = allowedObject, append(binary.LittleEndian.AppendUint32(body, present), guids...)
	}
	switch {
	case a.below:
		flags = inherit | inheritOnly
	case a.also:
		flags = inherit
	}
	body = append(body, sid...)
	const head = 4
	return append(binary.LittleEndian.AppendUint16([]byte{kind, flags}, uint16(len(body)+head)), body...), nil
}

// descriptor is a value of nTSecurityDescriptor (MS-DTYP, section 2.4.6). A protected one takes nothing from above.
func descriptor(owner string, protected bool, entries []ace) (string, error) {
	const head, listHead, selfRelative, hasList, isProtected, revision = 20, 8, 0x8000, 0x4, 0x1000, 4
	who, err := sidOctets(owner)
	if err != nil {
		return "", err
	}
	var all []byte
	for _, a := range entries {
		octets, err := a.octets()
		if err != nil {
			return "", err
		}
		all = append(all, octets...)
	}
	control := uint16(selfRelative | hasList)
	if protected {
		control |= isProtected
	}
	sd := binary.LittleEndian.AppendUint16([]byte{1, 0}, control)
	for _, offset := range []int{head, head + len(who), 0, head + 2*len(who)} { // owner, group, audit, access
		sd = binary.LittleEndian.AppendUint32(sd, uint32(offset))
	}
	sd = append(append(sd, who...), who...)
	sd = append(sd, revision, 0)
	sd = binary.LittleEndian.AppendUint16(sd, uint16(listHead+len(all)))
	sd = binary.LittleEndian.AppendUint16(sd, uint16(len(entries)))
	return string(append(append(sd, 0, 0), all...)), nil
}

// guidOctets reads a GUID's text; its first three fields are stored with the low octet first (MS-DTYP, section 2.3.4).
func guidOctets(text string) ([]byte, error) {
	raw, err := hex.DecodeString(strings.ReplaceAll(text, "-", ""))
	if err != nil || len(raw) != 16 {
		return nil, fmt.Errorf("%q is no GUID", text)
	}
	return []byte{raw[3], raw[2], raw[1], raw[0], raw[5], raw[4], raw[7], raw[6], raw[8], raw[9], raw[10], raw[11], raw[12], raw[13], raw[14], raw[15]}, nil
}

// guidText is the text of an attribute like schemaIDGUID.
func guidText(octets string) string {
	if len(octets) != 16 {
		return ""
	}
	raw, _ := guidOctets(hex.EncodeToString([]byte(octets))) // the same swap again
	text := hex.EncodeToString(raw)
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}

// sidOctets reads a security identifier's text (MS-DTYP, section 2.4.2).
func sidOctets(text string) ([]byte, error) {
	parts := strings.Split(text, "-")
	const fixed, most = 3, 15
	if len(parts) < fixed+1 || len(parts) > fixed+most || parts[0] != "S" || parts[1] != "1" {
		return nil, fmt.Errorf("%q is no security identifier", text)
	}
	authority, err := strconv.ParseUint(parts[2], 10, 48)
	if err != nil {
		return nil, fmt.Errorf("%q is no security identifier", text)
	}
	sid := []byte{1, byte(len(parts) - fixed)}
	sid = append(sid, binary.BigEndian.AppendUint64(nil, authority)[2:]...)
	for _, part := range parts[fixed:] {
		n, err := strconv.ParseUint(part, 10, 32)
		if err != nil {
			return nil, fmt.Errorf("%q is no security identifier", text)
		}
		sid = binary.LittleEndian.AppendUint32(sid, uint32(n))
	}
	return sid, nil
}

// sidText is the text of an attribute like objectSid; empty if it is none.
func sidText(octets string) string {
	const head, each = 8, 4
	if len(octets) < head+each || len(octets) != head+each*int(octets[1]) {
		return ""
	}
	raw := []byte(octets)
	text := fmt.Sprintf("S-%d-%d", raw[0], binary.BigEndian.Uint64(append([]byte{0, 0}, raw[2:head]...)))
	for at := head; at < len(raw); at += each {
		text += "-" + strconv.FormatUint(uint64(binary.LittleEndian.Uint32(raw[at:])), 10)
	}
	return text
}

func inBase64(value string) string { return base64.StdEncoding.EncodeToString([]byte(value)) }
