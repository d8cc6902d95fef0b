package httpapi_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/narthex/narthex/internal/httpapi/flowtest"
)

func TestMalformedBodiesAreRefusedWithTheirPlace(t *testing.T) {
	e := &flowtest.Engine{}
	c := newClient(t, e)
	token := c.start()
	const start, step, login = "/v1/registration", "/v1/registration/steps/about-you", "/v1/login"
	for name, tc := range map[string]struct{ path, body, place string }{
		"unknown member":                    {start, `{"zzz":1}`, "/zzz"},
		"wrongly cased member":              {start, `{"FLOW":"standard"}`, "/FLOW"},
		"repeated member":                   {start, `{"flow":"standard","flow":"standard"}`, "/flow"},
		"repeated member, escaped":          {start, `{"flow":"standard","fl\u006fw":"other"}`, "/flow"},
		"repeated member, two levels down":  {step, `{"items":{"email":"a@example.org","email":"b@example.org"}}`, "/items/email"},
		"array instead of a text":           {start, `{"flow":["standard"]}`, "/flow"},
		"object instead of a text":          {start, `{"flow":{"name":"standard"}}`, "/flow"},
		"number instead of a text":          {login, `{"identifier":7,"password":"x"}`, "/identifier"},
		"list of addresses at login":        {login, `{"identifier":["ada@example.org","eve@example.org"],"password":"x"}`, "/identifier"},
		"null member":                       {start, `{"flow":null}`, "/flow"},
		"missing member":                    {login, `{"identifier":"ada"}`, "/password"},
		"something after the object":        {start, `{}{}`, "follows"},
		"half an object":                    {start, `{"flow":`, ""},
		"null":                              {start, `null`, "not a JSON object"},
		"a text":                            {start, `"standard"`, "not a JSON object"},
		"an array":                          {start, `[{}]`, "not a JSON object"},
		"a byte order mark":                 {start, "\ufeff{}", "not a JSON object"},
		"empty":                             {start, "", "empty"},
		"no UTF-8":                          {start, "{\"flow\":\"\xff\"}", "UTF-8"},
		"no UTF-8 in a name":                {step, "{\"items\":{\"\xc0\xaf\":1}}", "UTF-8"},
		"half a surrogate pair":             {step, `{"items":{"email":"\ud800"}}`, "/items/email"},
		"NUL in a text":                     {step, `{"items":{"email":"a\u0000b"}}`, "/items/email"},
		"NUL in a name":                     {step, `{"it\u0000ems":{}}`, "NUL"},
		"nested nine deep":                  {step, `{"items":` + strings.Repeat("[", 8) + strings.Repeat("]", 8) + `}`, "deep"},
		"nested seven thousand deep":        {step, `{"items":` + strings.Repeat("[", 7000), "deep"},
		"a number beyond the largest":       {step, `{"items":{"size":1e400}}`, "/items/size"},
		"a number of a thousand digits":     {step, `{"items":{"size":` + strings.Repeat("7", 1000) + `}}`, "/items/size"},
		"a comment":                         {start, `{/* */}`, ""},
		"a body where none is asked for":    {"/v1/registration/steps/about-you/resend", `{"to":"eve@example.org"}`, "/to"},
		"a member name longer than answers": {start, `{"` + strings.Repeat("z", 9000) + `":1}`, "…"},
		"no language tag":                   {start, `{"locale":"../../etc/passwd"}`, "/locale"},
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			rows := e.Rows()
			a := c.must(c.send("POST", tc.path, tc.body, bearer(token)), 400, "malformed")
			detail, _ := a.body["detail"].(string)
			if !strings.Contains(detail, tc.place) || detail == "" {
				t.Errorf("detail %q does not name %q", detail, tc.place)
			}
			if a.Body.Len() > 1000 {
				t.Errorf("the answer has %d bytes", a.Body.Len())
			}
			if e.Rows() != rows {
				t.Error("something was begun")
			}
		})
	}
	c.t = t
	if again := c.send("GET", "/v1/registration", "", bearer(token)); again.step() != "about-you" {
		t.Errorf("the registration has moved to %q", again.step())
	}
}

func TestWellFormedBodiesPass(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	for name, body := range map[string]string{
		"space around":           "{ \"flow\" : \"standard\" }\r\n",
		"escaped name":           `{"fl\u006fw":"standard"}`,
		"eight deep is for step": `{}`,
	} {
		t.Run(name, func(t *testing.T) {
			c.t = t
			c.must(c.send("POST", "/v1/registration", body), 201, "")
			c.must(c.send("POST", "/v1/registration", body, func(r *http.Request) {
				r.Header.Set("Content-Type", "Application/JSON; charset=UTF-8")
			}), 201, "")
		})
	}
}

func TestStepsJudgeTheirOwnItems(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	token := c.start()
	a := c.must(c.send("POST", "/v1/registration/steps/about-you",
		`{"items":{"email":["a@example.org","b@example.org"],"given_name":"Ada","EMAIL":"x","role":"admin"}}`, bearer(token)), 422, "invalid_input")
	got := map[string]string{}
	for _, v := range a.body["violations"].([]any) {
		v := v.(map[string]any)
		got[v["field"].(string)] = v["code"].(string)
	}
	want := map[string]string{"email": "type", "family_name": "required", "EMAIL": "unknown", "role": "unknown"}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("want all faults at once %v, got %v", want, got)
	}
}

func TestOnlyPlainJSONIsTaken(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	for name, change := range map[string]func(*http.Request){
		"text/plain":                  func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") },
		"a form":                      func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") },
		"multipart":                   func(r *http.Request) { r.Header.Set("Content-Type", "multipart/form-data; boundary=x") },
		"XML":                         func(r *http.Request) { r.Header.Set("Content-Type", "application/xml") },
		"no type":                     func(r *http.Request) { r.Header.Del("Content-Type") },
		"two types":                   func(r *http.Request) { r.Header.Add("Content-Type", "application/json") },
		"nonsense":                    func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset") },
		"another charset":             func(r *http.Request) { r.Header.Set("Content-Type", "application/json; charset=utf-16") },
		"gzip":                        gzipped,
		"identity":                    func(r *http.Request) { r.Header.Set("Content-Encoding", "identity") },
		"a type that begins like one": func(r *http.Request) { r.Header.Set("Content-Type", "application/jsonp") },
	} {
		for _, path := range []string{"/v1/registration", "/v1/login", "/v1/registration/steps/about-you", "/v1/registration/steps/x/resend", "/v1/registration/steps/x/change"} {
			t.Run(name+path, func(t *testing.T) {
				c.t = t
				c.must(c.send("POST", path, `{}`, change), 415, "unsupported_media_type")
			})
		}
	}
}

// bomb unpacks to 10 MiB.
var bomb = sync.OnceValue(func() []byte {
	var packed bytes.Buffer
	w := gzip.NewWriter(&packed)
	zeros := make([]byte, 1<<20)
	for range 10 {
		_, _ = w.Write(zeros)
	}
	_ = w.Close()
	return packed.Bytes()
})

func gzipped(r *http.Request) {
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(bomb())), int64(len(bomb()))
	r.Header.Set("Content-Encoding", "gzip")
}

func TestBodiesOver16KiBAreRefused(t *testing.T) {
	c := newClient(t, &flowtest.Engine{})
	fits := `{"flow":"` + strings.Repeat("x", 16<<10-len(`{"flow":""}`)) + `"}`
	c.must(c.send("POST", "/v1/registration", fits), 404, "unknown_flow")
	c.must(c.send("POST", "/v1/registration", fits+" "), 413, "too_large")
	endless := &counted{}
	c.must(c.send("POST", "/v1/registration", "{}", func(r *http.Request) {
		r.Body, r.ContentLength = io.NopCloser(endless), -1
	}), 413, "too_large")
	if endless.read > 64<<10 {
		t.Errorf("%d bytes of an endless body were read", endless.read)
	}
}

type counted struct{ read int }

func (c *counted) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = ' '
	}
	c.read += len(p)
	return len(p), nil
}

func FuzzBodiesNeverCauseAFaultOfOurs(f *testing.F) {
	for _, seed := range []string{`{}`, `{"items":{"email":"a@example.org"}}`, `{"code":"12345678"}`, `{"a":{"b":[1,2,{"c":null}]}}`, `{"a":1e5`, "{\"\xff\":1}", `{"~/":0,"~/":0}`} {
		f.Add(seed)
	}
	c := newClient(new(testing.T), &flowtest.Engine{})
	token := c.send("POST", "/v1/registration", "{}").token()
	f.Fuzz(func(t *testing.T, body string) {
		c.t = t
		for _, path := range []string{"/v1/registration", "/v1/login", "/v1/registration/steps/about-you", "/v1/registration/steps/about-you/resend"} {
			if a := c.send("POST", path, body, bearer(token)); a.Code >= 500 {
				t.Errorf("%s: %q: %s", path, body, a.Body)
			}
		}
	})
}
