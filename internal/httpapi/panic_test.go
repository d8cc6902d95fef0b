package httpapi_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/flow"
	"github.com/narthex/narthex/internal/httpapi"
	"github.com/narthex/narthex/internal/httpapi/flowtest"
	"github.com/narthex/narthex/internal/httpapi/guard"
	"github.com/narthex/narthex/internal/telemetry"
)

// brokenPages panic in every way that a handler can.
type brokenPages struct{}

func (brokenPages) Refuse(c *gin.Context, _ guard.Refusal) {
	c.String(http.StatusInternalServerError, "refused")
}

func (brokenPages) Routes(r gin.IRouter) {
	r.GET("/before", func(*gin.Context) { panic("before") })
	r.GET("/status", func(c *gin.Context) { c.Status(http.StatusNoContent); panic("with a status") })
	r.GET("/middle", func(c *gin.Context) { c.String(http.StatusOK, "half"); panic("in the middle") })
	r.GET("/flushed", func(c *gin.Context) { c.String(http.StatusOK, "half"); c.Writer.Flush(); panic("after a flush") })
	r.GET("/abort", func(*gin.Context) { panic(http.ErrAbortHandler) })
	r.GET("/fine", func(c *gin.Context) { c.String(http.StatusOK, "whole") })
}

func TestEveryPanicIsCountedAndLoggedAsAFault(t *testing.T) {
	m, err := telemetry.New(t.Context(), telemetry.Options{Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	public, err := url.Parse(publicURL)
	if err != nil {
		t.Fatal(err)
	}
	log := &lockedBuffer{}
	e := &flowtest.Engine{Before: func(context.Context) error { panic(&flow.Problem{Code: flow.CodeWrongCode}) }}
	s := httptest.NewServer(httpapi.New(httpapi.Options{Flow: e, Login: oneAccount{}, PublicURL: public, Pages: brokenPages{},
		Log: slog.New(slog.NewTextHandler(log, nil)), Watch: m.Watch("public", true)}))
	once := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}} // it asks again when a kept connection breaks
	for path, whole := range map[string]bool{"/before": true, "/status": true, "/middle": false, "/flushed": false, "/abort": false,
		"/fine": true, "/v1/registration": true} {
		r, err := http.NewRequest(http.MethodGet, s.URL+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		bearer(strings.Repeat("A", 43))(r)
		resp, err := once.Do(r)
		if err == nil {
			_, err = io.ReadAll(resp.Body)
			_ = resp.Body.Close()
		}
		if whole != (err == nil) {
			t.Errorf("%s is answered whole: %v", path, err)
		}
	}
	s.Close() // after the last of them was counted
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for path, class := range map[string]string{"/before": "5xx", "/status": "5xx", "/middle": "5xx", "/flushed": "5xx", "/abort": "5xx",
		"/fine": "2xx", "/v1/registration": "5xx"} {
		counted := `narthex_http_requests_total{class="` + class + `",listener="public",method="GET",route="` + path + `"} 1`
		if !strings.Contains(w.Body.String(), counted) || strings.Count(w.Body.String(), `_requests_total{`) != 7 {
			t.Errorf("%s was not counted as %s alone", path, class)
		}
		status := map[string]string{"5xx": "500", "2xx": "200"}[class]
		if logged := "route=" + path + " status=" + status + " "; !strings.Contains(log.String(), logged) {
			t.Errorf("there is no %q in the log", logged)
		}
	}
}
