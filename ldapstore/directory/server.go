package directory

// Kind is the family of a directory server.
type Kind string

// The kinds of server that are known.
const (
	OpenLDAP        Kind = "openldap"
	DS389           Kind = "389ds"
	ActiveDirectory Kind = "ad"
)

// Server is what a rootDSE tells about a server (RFC 4512, section 5.1). Nothing is used that it does not list: Samba
// ignores critical controls that it does not know.
type Server struct {
	Kind           Kind
	NamingContexts []DN
	Subschema      DN
	StartTLS       bool // RFC 4511, section 4.14; Samba does it without listing it
	PasswordModify bool // RFC 3062
	Assertion      bool // RFC 4528
	PreRead        bool // RFC 4527
	Increment      bool // RFC 4525
	PasswordPolicy bool // draft-behera-ldap-password-policy, the response control
	Paging         bool // RFC 2696
}

// IDAttribute is the operational attribute that names an entry for ever: entryUUID (RFC 4530), nsUniqueId or objectGUID.
func (s Server) IDAttribute() string {
	switch s.Kind {
	case DS389:
		return "nsUniqueId"
	case ActiveDirectory:
		return "objectGUID"
	default:
		return "entryUUID"
	}
}
