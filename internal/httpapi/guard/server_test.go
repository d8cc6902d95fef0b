package guard_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"github.com/narthex/narthex/internal/httpapi/guard"
)

// serve runs a guarded server with a few routes on a real socket.
func serve(t *testing.T, routes func(*gin.Engine), change ...func(*http.Server)) (*http.Server, string) {
	t.Helper()
	log := slog.New(slog.NewTextHandler(io.Discard, nil))
	e := guard.NewEngine(guard.Options{Log: log, Refuse: func(c *gin.Context, r guard.Refusal) {
		c.String(map[guard.Refusal]int{guard.NotFound: 404, guard.MethodNotAllowed: 405, guard.Panicked: 500}[r], "refused")
	}})
	e.GET("/", func(c *gin.Context) { c.String(200, "fine") })
	e.POST("/echo", func(c *gin.Context) {
		if _, err := io.Copy(io.Discard, c.Request.Body); err != nil {
			c.String(400, "not read")
			return
		}
		c.String(200, "read")
	})
	if routes != nil {
		routes(e)
	}
	s := guard.NewServer(e, log)
	for _, f := range change {
		f(s)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	t.Cleanup(func() { _ = s.Close() })
	return s, l.Addr().String()
}

func dial(t *testing.T, addr string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// exchange writes raw bytes and returns the status line that comes back, "" for a connection that is closed without a
// byte.
func exchange(t *testing.T, addr, raw string) string {
	t.Helper()
	c := dial(t, addr)
	_ = c.SetDeadline(time.Now().Add(15 * time.Second))
	_, _ = io.WriteString(c, raw)
	line, err := bufio.NewReader(c).ReadString('\n')
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return "unfinished: " + line
	}
	return strings.TrimSpace(line)
}

func TestHeadersOver16KiBAreRefused(t *testing.T) {
	_, addr := serve(t, nil)
	for name, header := range map[string]string{
		"one long header": "X-Long: " + strings.Repeat("a", 1<<20) + "\r\n",
		"many cookies":    strings.Repeat("Cookie: "+strings.Repeat("c", 100)+"\r\n", 200),
		"just over":       "X-Long: " + strings.Repeat("a", 17<<10) + "\r\n",
	} {
		if got := exchange(t, addr, "GET / HTTP/1.1\r\nHost: x\r\n"+header+"\r\n"); !strings.Contains(got, " 431 ") && got != "" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if got := exchange(t, addr, "GET / HTTP/1.1\r\nHost: x\r\nX-Long: "+strings.Repeat("a", 15<<10)+"\r\n\r\n"); !strings.Contains(got, " 200 ") {
		t.Errorf("15 KiB of headers: %q", got)
	}
}

func TestAmbiguousRequestsAreRefused(t *testing.T) {
	_, addr := serve(t, nil)
	for name, raw := range map[string]string{
		"two lengths":              "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"no host":                  "GET / HTTP/1.1\r\n\r\n",
		"two hosts":                "GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"space before the colon":   "GET / HTTP/1.1\r\nHost : x\r\n\r\n",
		"an unknown coding":        "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n",
		"a bare line feed chunk":   "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n0\r\n\r\n",
		"NUL in a header":          "GET / HTTP/1.1\r\nHost: x\r\nX-A: a\x00b\r\n\r\n",
		"an HTTP/2 preface":        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"a request for a tunnel":   "CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example:443\r\n\r\n",
		"a length that is no such": "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
	} {
		got := exchange(t, addr, raw)
		if refused := strings.HasPrefix(got, "HTTP/1.1 4") || strings.HasPrefix(got, "HTTP/1.1 5"); got != "" && !refused {
			t.Errorf("%s: %q", name, got)
		}
	}
}

func TestShutdownFinishesWhatIsInFlight(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	s, addr := serve(t, func(e *gin.Engine) {
		e.GET("/slow", func(c *gin.Context) {
			close(entered)
			<-release
			c.String(200, "finished")
		})
	})
	answered := make(chan string)
	go func() { answered <- exchange(t, addr, "GET /slow HTTP/1.1\r\nHost: x\r\n\r\n") }()
	<-entered
	down := make(chan error)
	go func() { down <- s.Shutdown(context.Background()) }()
	for refused := false; !refused; {
		c, err := net.Dial("tcp", addr)
		if refused = err != nil; !refused {
			_ = c.Close()
		}
	}
	close(release)
	if got := <-answered; !strings.Contains(got, " 200 ") {
		t.Errorf("the request in flight got %q", got)
	}
	if err := <-down; err != nil {
		t.Errorf("shutdown: %v", err)
	}
}

func TestPanicAfterTheAnswerBeganBreaksTheConnection(t *testing.T) {
	_, addr := serve(t, func(e *gin.Engine) {
		e.GET("/half", func(c *gin.Context) {
			c.Header("Content-Length", "100")
			c.String(200, "half")
			c.Writer.Flush()
			panic("late")
		})
	})
	resp, err := http.Get("http://" + addr + "/half")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("half an answer looks whole")
	}
	if got := exchange(t, addr, "GET / HTTP/1.1\r\nHost: x\r\n\r\n"); !strings.Contains(got, " 200 ") {
		t.Errorf("the process answers %q", got)
	}
}
