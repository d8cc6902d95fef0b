package directory

// DN is the text of a distinguished name, escaped as RFC 4514 demands. Make one with ParseDN and Child only.
type DN string

// Filter is a search filter (RFC 4515). Values enter it through Equal only, so that they are always escaped. The zero
// value is no filter.
type Filter struct{ text string }

// IsZero tells whether there is no filter.
func (f Filter) IsZero() bool { return f.text == "" }

// String is the filter as RFC 4515 writes it.
func (f Filter) String() string { return f.text }
