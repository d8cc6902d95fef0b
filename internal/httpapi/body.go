package httpapi

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi/guard"
)

// bodyMembers is where readBody leaves the names of the body's members for the handlers.
const bodyMembers = "body members"

// readBody looks at the body before anything else does: its type, its size, and that it is one strict JSON object.
// The generated code then decodes what is known to be well formed, and refuses members that it does not know.
func (a *api) readBody(c *gin.Context) {
	r := c.Request
	if r.Method == http.MethodGet {
		return
	}
	if err := checkBodyType(r); err != nil {
		a.fail(c, err)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.Writer, r.Body, guard.MaxBodyBytes))
	if err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			err = &detailed{&flow.Problem{Code: codeTooLarge}, "", detailSize}
		} else {
			err = malformed("", detailSyntax, err)
		}
		a.fail(c, err)
		return
	}
	members, err := scanObject(body)
	if err != nil && (len(body) > 0 || takesBody(c)) {
		a.fail(c, err)
		return
	}
	if len(members) > 0 && !takesBody(c) {
		a.fail(c, malformed("/"+escapePointer(members[0]), detailNoMembers, nil))
		return
	}
	c.Set(bodyMembers, members)
	r.Body = io.NopCloser(bytes.NewReader(body))
}

// takesBody tells whether the route's answer depends on a body. The others take none, or an empty object.
func takesBody(c *gin.Context) bool {
	route := c.FullPath()
	return c.Request.Method != http.MethodDelete && !strings.HasSuffix(route, "/resend") && !strings.HasSuffix(route, "/change")
}

func checkBodyType(r *http.Request) error {
	if _, sent := r.Header["Content-Encoding"]; sent {
		return &detailed{&flow.Problem{Code: codeUnsupportedMedia}, "", detailEncoding}
	}
	if r.ContentLength == 0 {
		return nil
	}
	types := r.Header.Values("Content-Type")
	if len(types) == 1 {
		kind, params, err := mime.ParseMediaType(types[0])
		charset, named := params["charset"]
		if err == nil && kind == "application/json" && (!named || strings.EqualFold(charset, "utf-8")) {
			if r.ContentLength > guard.MaxBodyBytes {
				return &detailed{&flow.Problem{Code: codeTooLarge}, "", detailSize}
			}
			return nil
		}
	}
	return &detailed{&flow.Problem{Code: codeUnsupportedMedia}, "", detailMediaType}
}

// requireMembers refuses a body that lacks one of them.
func requireMembers(c *gin.Context, names ...string) error {
	members := c.GetStringSlice(bodyMembers)
	for _, want := range names {
		if !slices.Contains(members, want) {
			return malformed("/"+want, detailMissing, nil)
		}
	}
	return nil
}
