package plugin

import "time"

// Capability names an optional part of the contract.
type Capability string

// The capabilities, each named for the interface that has its methods.
const (
	CapAuthenticator  Capability = "authenticator"
	CapPasswordSetter Capability = "password-setter"
	CapUpdater        Capability = "updater"
	CapLister         Capability = "lister"
	CapMaintainer     Capability = "maintainer"
	CapStatuses       Capability = "statuses"
	CapSchemaChecker  Capability = "schema-checker"
)

// Description is what a store says of itself.
type Description struct {
	// Name of the kind of store, for logs and messages: "sql", "ldap".
	Name string
	// Version of the persister's own build, free text.
	Version string
	// Contract is filled in by Serve (and Of).
	Contract int
	// ValueTypes that the store keeps as they are. TypeString is always among them. Others are refused at start
	// unless the item says how it is written as a string.
	ValueTypes []ValueType
	// Limits of the store; zero fields take the defaults of this package.
	Limits Limits
	// Capabilities is filled in by Serve (and Of) from the interfaces that the persister implements. A persister that has a
	// method but may not use it (a directory without the right) lists it in Withheld.
	Capabilities []Capability
	Withheld     []Capability
}

// Limits bound what a store accepts.
type Limits struct {
	// MaxValueBytes bounds the text of one value. Default and highest value: MaxValueBytes.
	MaxValueBytes int
	// MaxAttributes bounds the attributes of one account. Default and highest value: MaxAttributes.
	MaxAttributes int
	// MaxKeys bounds the keys of one account. Default and highest value: MaxKeys.
	MaxKeys int
	// MaxPasswordBytes bounds a password. Default and highest value: MaxPasswordBytes.
	MaxPasswordBytes int
}

// Bounds of the contract itself, for every store.
const (
	MaxValueBytes     = 4096
	MaxValues         = 64  // values of one attribute
	MaxAttributes     = 128 // attributes of one account
	MaxKeys           = 16
	MaxGroups         = 64
	MaxPasswordBytes  = 1024
	MaxCanonicalBytes = 512
	MaxNameBytes      = 128 // names of attributes and groups, ids
	MaxReasonBytes    = 256
	MaxPage           = 500
	MaxStatuses       = 500
	MaxTokenBytes     = 1024      // token of a page
	MaxUses           = 2048      // uses in one CheckSchema
	MaxAccountBytes   = 256 << 10 // all names and texts of one account
	// MaxMessageBytes bounds one message on the wire, either way.
	MaxMessageBytes = 4 << 20
)

// ListQuery asks for one page of accounts.
type ListQuery struct {
	// After is the Next of the page before, up to MaxTokenBytes; empty for the first.
	After string
	// Limit is 1 to MaxPage.
	Limit int
}

// Page is one page of accounts.
type Page struct {
	Accounts []Account
	// Next is the token of the next page; empty at the end.
	Next string
}

// MaintainReport tells what one call of Maintain did.
type MaintainReport struct {
	// Finished counts what was brought to its end, Removed what was taken away.
	Finished, Removed int
	// More is true when something is waiting that could be done now.
	More bool
}

// Status is what a store can tell of an account cheaply.
type Status struct {
	ID ID
	// Usable is true when the account exists, is active and has a password.
	Usable bool
	// PasswordChangedAt is when the password was set last, to the second, UTC; zero when the store cannot tell.
	PasswordChangedAt time.Time
}

// AttributeUse is something that a flow means to store.
type AttributeUse struct {
	// Item is the item's name in the flows file, Flow and Step where it is supplied; for messages.
	Item, Flow, Step string
	// Attribute is where the value goes; empty for a password.
	Attribute string
	Type      ValueType
	// MaxBytes is the longest text that can come; 0: as long as Limits allow.
	MaxBytes int
	// Required is true when the flow always supplies the value.
	Required bool
	// Key is the kind of key, empty for a plain attribute.
	Key KeyKind
	// Encoding is what the item's own `encode` says, empty for none.
	Encoding Encoding
}

// Encoding says how a typed value is written as a string.
type Encoding string

// The encodings. EncodingNone leaves the value as it is.
const (
	EncodingNone            Encoding = ""
	EncodingUpperBoolean    Encoding = "TRUE/FALSE"       // RFC 4517, section 3.3.3
	EncodingLowerBoolean    Encoding = "true/false"       //
	EncodingDigitBoolean    Encoding = "1/0"              //
	EncodingGeneralizedTime Encoding = "generalized-time" // RFC 4517, section 3.3.13: 20060102150405Z
	EncodingISODate         Encoding = "yyyy-mm-dd"       //
	EncodingRFC3339         Encoding = "rfc3339"          //
	EncodingDecimal         Encoding = "decimal"          // RFC 4517, section 3.3.16
)

// SchemaReport is the answer to CheckSchema.
type SchemaReport struct {
	// Encodings, by attribute, is how the host writes values that the store keeps as strings; absent: as they are.
	Encodings map[string]Encoding
	// Findings has everything that does not fit; empty when the flows can run.
	Findings []SchemaFinding
}

// SchemaFinding is one thing that does not fit.
type SchemaFinding struct {
	// Item, Flow and Step are those of the use concerned; empty when the store lacks something that no use supplies.
	Item, Flow, Step string
	// Attribute concerned.
	Attribute string
	// Problem says what is wrong, Fix what to do about it.
	Problem, Fix string
}
