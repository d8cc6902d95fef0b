package httpapi

import (
	"bytes"
	"errors"
	"io"
	"strconv"
	"strings"
	"sync"

	gincodec "github.com/gin-gonic/gin/codec/json"
	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// Bounds of a body's form, besides its size.
const (
	maxDepth        = 8
	maxNumberDigits = 32
)

// scanObject checks that data is exactly one JSON object in UTF-8 (RFC 8259) without repeated names, without NUL in any
// text, not nested too deep, with numbers that a 64-bit machine can hold, and without null as the value of a member.
// It returns the names of the members.
func scanObject(data []byte) (members []string, err error) {
	if len(data) == 0 {
		return nil, malformed("", detailEmpty, nil)
	}
	if data[0] != '{' {
		return nil, malformed("", detailNotObject, nil)
	}
	d := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		token, err := d.ReadToken()
		if errors.Is(err, io.EOF) {
			return members, nil
		}
		if err != nil {
			return nil, syntaxFault(err)
		}
		if what := faultOf(d, token); what != detailNone {
			return nil, malformed(string(d.StackPointer()), what, nil)
		}
		switch d.StackDepth() {
		case 0:
			if len(bytes.TrimSpace(data[d.InputOffset():])) > 0 {
				return nil, malformed("", detailTrailing, nil)
			}
		case 1:
			if _, names := d.StackIndex(1); token.Kind() == '"' && names%2 == 1 {
				members = append(members, token.String())
			}
		}
	}
}

// faultOf says what is wrong with a token that is correct JSON.
func faultOf(d *jsontext.Decoder, token jsontext.Token) detail {
	switch token.Kind() {
	case '"':
		if strings.ContainsRune(token.String(), 0) {
			return detailNUL
		}
	case '0':
		digits := token.String()
		if _, err := strconv.ParseFloat(digits, 64); err != nil || len(digits) > maxNumberDigits {
			return detailNumber
		}
	case 'n':
		if d.StackDepth() == 1 {
			return detailNull
		}
	case '{', '[':
		if d.StackDepth() > maxDepth {
			return detailDepth
		}
	default: // true, false and what ends an object or array
	}
	return detailNone
}

func syntaxFault(err error) error {
	var syntax *jsontext.SyntacticError
	if !errors.As(err, &syntax) {
		return malformed("", detailSyntax, err)
	}
	what := detailSyntax
	switch {
	case errors.Is(err, jsontext.ErrDuplicateName):
		what = detailRepeated
	case strings.Contains(syntax.Err.Error(), "UTF-8"):
		what = detailUTF8
	}
	return malformed(string(syntax.JSONPointer), what, nil)
}

// undecodable names the place that the generated code could not decode.
func undecodable(err error) error {
	var semantic *json.SemanticError
	if !errors.As(err, &semantic) {
		return malformed("", detailSyntax, err)
	}
	what := detailType
	if errors.Is(err, json.ErrUnknownName) {
		what = detailUnknownMember
	}
	return malformed(string(semantic.JSONPointer), what, nil)
}

func escapePointer(name string) string {
	return strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
}

// installStrictCodec makes gin, which the generated code decodes through, refuse unknown, repeated and wrongly cased
// names. encoding/json cannot. It is a setting of the process; gin offers no narrower one.
var installStrictCodec = sync.OnceFunc(func() { gincodec.API = strictCodec{gincodec.API} })

type strictCodec struct{ gincodec.Core }

func (strictCodec) NewDecoder(r io.Reader) gincodec.Decoder { return strictDecoder{r} }

type strictDecoder struct{ r io.Reader }

func (d strictDecoder) Decode(v any) error {
	return json.UnmarshalRead(d.r, v, json.RejectUnknownMembers(true))
}

// UseNumber and DisallowUnknownFields are gin's switches for a laxer decoder.
func (strictDecoder) UseNumber()             {}
func (strictDecoder) DisallowUnknownFields() {}
