package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
)

// form is what a person filled in, and what is wrong with it.
type form struct {
	step    string
	answer  flow.Answer
	values  map[string]string // what to show again; never passwords and codes
	problem *flow.Problem
}

// form returns the handler of a form. Only our own pages may send forms, and only as the browser's plain form type.
func (p *Pages) form(do func(*gin.Context, flow.Token)) gin.HandlerFunc {
	return func(c *gin.Context) {
		if !p.origin.Proved(c.Request) {
			p.notice(c, http.StatusForbidden, "cross_origin", true)
			return
		}
		if status := parseForm(c); status != 0 {
			p.notice(c, status, "form", true)
			return
		}
		token, err := p.cookie.Token(c.Request)
		if err != nil {
			p.notice(c, http.StatusBadRequest, "two_tokens", false)
			return
		}
		do(c, token)
	}
}

// parseForm reads the form into PostForm. It returns the status of a refusal, or 0.
func parseForm(c *gin.Context) int {
	r := c.Request
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if _, encoded := r.Header["Content-Encoding"]; encoded || err != nil || kind != "application/x-www-form-urlencoded" {
		return http.StatusUnsupportedMediaType
	}
	r.Body = http.MaxBytesReader(c.Writer, r.Body, guard.MaxBodyBytes)
	if err := r.ParseForm(); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return http.StatusRequestEntityTooLarge
		}
		return http.StatusBadRequest
	}
	for name, values := range r.PostForm {
		for _, text := range append(values, name) {
			if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
				return http.StatusBadRequest
			}
		}
	}
	return 0
}

// readForm turns the fields of a step into its answer. Fields that the step does not have are not looked at.
func readForm(s flow.StepView, posted url.Values) (form, error) {
	f := form{step: s.Name, values: map[string]string{}}
	items := map[string]json.RawMessage{}
	for _, field := range s.Fields {
		values := posted[field.Name]
		if len(values) > 1 {
			return f, &flow.Problem{Code: flow.CodeMalformed, Cause: fmt.Errorf("a field of step %s came twice", s.Name)}
		}
		text := strings.Join(values, "")
		if field.Type != "password" && field.Type != "code" {
			f.values[field.Name] = text
		}
		if raw, given := encodeValue(field, text); given {
			items[field.Name] = raw
		}
	}
	return f, f.encode(s, items)
}

// encode wraps the values as the kind of step wants them.
func (f *form) encode(s flow.StepView, items map[string]json.RawMessage) error {
	switch {
	case len(s.Fields) == 0:
		f.answer = flow.Answer{}
	case len(s.Fields) == 1 && s.Fields[0].Type == "code":
		f.answer = flow.Answer{}
		if code, given := items[s.Fields[0].Name]; given {
			f.answer["code"] = code
			return nil
		}
		f.answer["code"] = json.RawMessage(`""`)
	default:
		raw, err := json.Marshal(items)
		if err != nil {
			return fmt.Errorf("encode the form of step %s: %w", s.Name, err)
		}
		f.answer = flow.Answer{"items": raw}
	}
	return nil
}

var (
	wholeNumber = regexp.MustCompile(`^-?(0|[1-9][0-9]{0,18})$`)
	minuteOfDay = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}$`)
	secondOfDay = regexp.MustCompile(`^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$`)
)

// encodeValue writes what a browser sends for a field as the engine takes it. An empty text is no value, an unticked
// box is false.
func encodeValue(field flow.Field, text string) (json.RawMessage, bool) {
	switch field.Type {
	case "boolean":
		if text == "true" {
			return json.RawMessage("true"), true
		}
		return json.RawMessage("false"), true
	case "integer":
		if trimmed := strings.TrimSpace(text); wholeNumber.MatchString(trimmed) {
			return json.RawMessage(trimmed), true
		}
	case "datetime":
		// The page asks for UTC, and browsers leave out seconds that are zero.
		switch {
		case minuteOfDay.MatchString(text):
			text += ":00Z"
		case secondOfDay.MatchString(text):
			text += "Z"
		}
	}
	if text == "" {
		return nil, false
	}
	raw, err := json.Marshal(text)
	return raw, err == nil
}
