package plugin

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"
)

// FuzzOutput: whatever a process writes, in whatever pieces, nothing panics, a line stays within its bound, and at most
// one handshake line that the host would follow gets through.
func FuzzOutput(f *testing.F) {
	f.Add([]byte("1|1|unix|/run/x/plugin1|grpc|cert\n"), 3)
	f.Add([]byte("hello\n1|1|unix|/elsewhere|grpc|cert\n1|0|unix|/run/x/plugin1|grpc|cert\n"), 1)
	f.Add([]byte(`{"msg":{},"level":[1]}`+"\n"+`{"@message":5}`+"\n{}\n\x00\xff\n"), 7)
	f.Add([]byte(`{"time":"x","level":"ERROR+9","msg":"m","a":{"b":[null,1e999]}}`+"\n"), 100)
	f.Fuzz(func(t *testing.T, data []byte, piece int) {
		piece = max(1, min(piece, len(data)))
		var log bytes.Buffer
		out := newOutput(slog.New(slog.NewJSONHandler(&log, nil)), []string{"hunter2"})
		read, write := io.Pipe()
		handshake := make(chan string)
		go func() {
			text, _ := io.ReadAll(read)
			handshake <- string(text)
		}()
		w := &handshakeWriter{to: write, socketDir: "/run/x", rest: out.stream("stdout")}
		errs := out.stream("stderr")
		for rest := data; len(rest) > 0; {
			n := min(piece, len(rest))
			_, _ = w.Write(rest[:n])
			_, _ = errs.Write(rest[:n])
			rest = rest[n:]
		}
		w.finish()
		errs.finish()
		if line := <-handshake; line != "" && (strings.Count(line, "\n") != 1 || checkHandshake(line, "/run/x") != nil) {
			t.Errorf("let through: %q", line)
		}
		if strings.Contains(log.String(), "hunter2") {
			t.Error("a secret is logged")
		}
	})
}

func TestTheRateOfLinesIsLimited(t *testing.T) {
	var log bytes.Buffer
	out := newOutput(slog.New(slog.NewTextHandler(&log, nil)), nil)
	now := out.filled
	out.now = func() time.Time { return now }
	stream := out.stream("stderr")
	write := func(n int) int {
		log.Reset()
		for i := range n {
			fmt.Fprintln(stream, "line", i)
		}
		return strings.Count(log.String(), "text=")
	}
	if got := write(1000); got != linesAtOnce {
		t.Errorf("%d lines passed at once", got)
	}
	now = now.Add(time.Second)
	if got := write(1000); got != linesPerSecond {
		t.Errorf("%d lines passed after a second", got)
	}
	if !strings.Contains(log.String(), "lines=800") {
		t.Errorf("the count of dropped lines is missing: %.200s", &log)
	}
}

func TestALongLineIsCutOnce(t *testing.T) {
	var log bytes.Buffer
	stream := newOutput(slog.New(slog.NewTextHandler(&log, nil)), nil).stream("stderr")
	for range 100 {
		_, _ = stream.Write(bytes.Repeat([]byte("x"), 1000))
	}
	_, _ = stream.Write([]byte("\nnext\n"))
	if n := strings.Count(log.String(), "x"); n < maxLine || n > maxLine+100 || !strings.Contains(log.String(), "text=next") {
		t.Errorf("%d bytes of the line passed", n)
	}
}

// FuzzEncoding: what is written is read as the same value, and what is read is a valid value.
func FuzzEncoding(f *testing.F) {
	f.Add("TRUE/FALSE", "boolean", "true")
	f.Add("generalized-time", "datetime", "20260301120000.123Z")
	f.Add("generalized-time", "date", "2026-03-01")
	f.Add("yyyy-mm-dd", "date", "0000-00-00")
	f.Add("rfc3339", "datetime", "9999-12-31T23:59:59-23:59")
	f.Add("decimal", "integer", "-0")
	f.Fuzz(func(t *testing.T, encoding, kind, text string) {
		e, v := Encoding(encoding), Value{ValueType(kind), text}
		if written, err := e.Encode(v); err == nil {
			if read, err := e.Decode(v.Type, written); err != nil || read != v {
				t.Errorf("%v is written as %v and read as %v, %v", v, written, read, err)
			}
		}
		if read, err := e.Decode(v.Type, StringValue(text)); err == nil && e != EncodingNone && v.Type != TypeString {
			if err := read.Validate(); err != nil {
				t.Errorf("%q is read as %v: %v", text, read, err)
			}
		}
	})
}
