package guard_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gin-gonic/gin"
)

func TestSlowClientsAreCutOffAndDisturbNobody(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, nil)
	const each = 100
	kinds := map[string]struct {
		raw   string
		limit time.Duration
	}{
		"no byte at all": {"", 7 * time.Second},
		"half a header":  {"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", 7 * time.Second},
		"half a body":    {"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc", 13 * time.Second},
	}
	var wg sync.WaitGroup
	for name, kind := range kinds {
		for range each {
			c := dial(t, addr)
			_, _ = io.WriteString(c, kind.raw)
			wg.Go(func() {
				start := time.Now()
				_ = c.SetReadDeadline(start.Add(kind.limit))
				if _, err := io.Copy(io.Discard, c); err != nil {
					if ne, ok := err.(net.Error); ok && ne.Timeout() { //nolint:errorlint // what net.Conn returns
						t.Errorf("%s: still open after %v", name, kind.limit)
					}
				}
			})
		}
	}
	for range 20 {
		start := time.Now()
		if got := exchange(t, addr, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.Contains(got, " 200 ") || time.Since(start) > 2*time.Second {
			t.Errorf("beside slow clients: %q after %v", got, time.Since(start))
		}
	}
	wg.Wait()
}

// hurry leaves a tenth of every limit of a server; where there is none, there stays none.
func hurry(s *http.Server) {
	s.ReadHeaderTimeout /= 10
	s.ReadTimeout /= 10
	s.WriteTimeout /= 10
	s.IdleTimeout /= 10
}

// TestNoConnectionIsKeptForNothing has limits of a tenth: 0.5 s for headers, 1 s for a request, 6 s for idleness.
func TestNoConnectionIsKeptForNothing(t *testing.T) {
	t.Parallel()
	_, addr := serve(t, nil, hurry)
	const fine = "GET / HTTP/1.1\r\nHost: x\r\n\r\n"
	var wg sync.WaitGroup
	for name, kind := range map[string]struct {
		raw string
		// trickle is sent again and again after raw.
		trickle        string
		earliest, last time.Duration
	}{
		"idle after one request":     {raw: fine, earliest: 3 * time.Second, last: 9 * time.Second},
		"idle after ten requests":    {raw: strings.Repeat(fine, 10), earliest: 3 * time.Second, last: 9 * time.Second},
		"half of a further request":  {raw: fine + "GET / HTTP/1.1\r\nHo", last: 4 * time.Second},
		"a header that trickles":     {raw: "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: ", trickle: "a", last: 4 * time.Second},
		"a body that trickles":       {raw: "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9999\r\n\r\n", trickle: "a", last: 4 * time.Second},
		"chunks that trickle":        {raw: "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", trickle: "1\r\na\r\n", last: 4 * time.Second},
		"empty lines that trickle":   {trickle: "\r\n", last: 4 * time.Second},
		"a preface that stalls":      {raw: "PRI * HTTP/2", last: 4 * time.Second},
		"a preface without its end":  {raw: "PRI * HTTP/2.0\r\n\r\nSM", last: 9 * time.Second},
		"a preface and then nothing": {raw: "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", last: 9 * time.Second},
	} {
		for range 5 {
			c := dial(t, addr)
			start := time.Now()
			_, _ = io.WriteString(c, kind.raw)
			if kind.trickle != "" {
				go func() {
					for err := error(nil); err == nil; time.Sleep(50 * time.Millisecond) {
						_, err = io.WriteString(c, kind.trickle)
					}
				}()
			}
			wg.Go(func() {
				_ = c.SetReadDeadline(start.Add(kind.last))
				_, err := io.Copy(io.Discard, c)
				if took := time.Since(start); errors.Is(err, os.ErrDeadlineExceeded) || took < kind.earliest {
					t.Errorf("%s: after %v: %v", name, took, err)
				}
			})
		}
	}
	wg.Wait()
}

// TestAnAnswerThatNobodyReadsEndsInTime has limits of a tenth: 2.5 s for an answer.
func TestAnAnswerThatNobodyReadsEndsInTime(t *testing.T) {
	t.Parallel()
	const clients = 10
	ended := make(chan error, clients)
	_, addr := serve(t, func(e *gin.Engine) {
		e.GET("/large", func(c *gin.Context) {
			var err error
			for piece, n := make([]byte, 1<<20), 0; n < 64 && err == nil; n++ { // more than all buffers between us
				_, err = c.Writer.Write(piece)
			}
			ended <- err
		})
	}, hurry)
	for n := range clients {
		c := dial(t, addr)
		if err := c.(*net.TCPConn).SetReadBuffer(4 << 10); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(c, "GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
		if n%2 == 0 {
			continue // reads nothing at all
		}
		go func() {
			for one, err := make([]byte, 1), error(nil); err == nil; time.Sleep(20 * time.Millisecond) {
				_, err = c.Read(one)
			}
		}()
	}
	late, cancel := context.WithTimeout(t.Context(), 7*time.Second)
	defer cancel()
	for n := range clients {
		select {
		case err := <-ended:
			if err == nil {
				t.Error("the answer was sent to somebody who does not read it")
			}
		case <-late.Done():
			t.Fatalf("%d answers are still being written", clients-n)
		}
	}
	if got := exchange(t, addr, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"); !strings.Contains(got, " 200 ") {
		t.Errorf("the process answers %q", got)
	}
}
