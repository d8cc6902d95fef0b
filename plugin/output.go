package plugin

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"
)

// Bounds of what a persister can write into the host's log.
const (
	maxLine        = 8 << 10 // bytes of one line, the rest of it is dropped
	maxLineAttrs   = 32
	maxLastLine    = 300
	linesPerSecond = 20
	linesAtOnce    = 200
)

// output passes what a persister process writes on to the host's log: line by line, bounded, at a limited rate, without
// the secrets that the host has handed over.
type output struct {
	log    *slog.Logger
	redact *strings.Replacer
	now    func() time.Time

	mu      sync.Mutex
	tokens  float64
	filled  time.Time
	dropped int
	last    string
}

func newOutput(log *slog.Logger, secrets []string) *output {
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, redacted)
	}
	return &output{log: log, redact: strings.NewReplacer(pairs...), now: time.Now, tokens: linesAtOnce, filled: time.Now()}
}

// stream returns a writer for one of the process's streams.
func (o *output) stream(name string) *outputStream { return &outputStream{to: o, name: name} }

// outputStream cuts one stream into lines. exec and go-plugin write to a stream from one goroutine each.
type outputStream struct {
	to   *output
	name string

	mu   sync.Mutex
	line []byte
	skip bool // the rest of a line that is too long
}

// Write never fails.
func (s *outputStream) Write(data []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	written := len(data)
	for len(data) > 0 {
		part, rest, whole := bytes.Cut(data, []byte{'\n'})
		data = rest
		if room := maxLine - len(s.line); !s.skip {
			s.line = append(s.line, part[:min(room, len(part))]...)
			s.skip = len(part) > room
		}
		if whole {
			s.to.pass(s.name, s.line)
			s.line, s.skip = s.line[:0], false
		}
	}
	return written, nil
}

// finish passes on a last line that nothing has ended.
func (s *outputStream) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.to.pass(s.name, s.line)
	s.line, s.skip = nil, false
}

// pass logs one line if the rate allows it.
func (o *output) pass(stream string, line []byte) {
	text := strings.TrimSpace(strings.ToValidUTF8(string(line), "\uFFFD"))
	if text == "" {
		return
	}
	text = o.redact.Replace(text)
	allowed, dropped := o.take(text)
	if !allowed {
		return
	}
	if dropped > 0 {
		o.log.Warn("persister wrote too much, lines were dropped", "lines", dropped)
	}
	level, message, attrs := parseLine(text)
	o.log.LogAttrs(context.Background(), level, "persister log",
		slog.String("text", message), slog.String("stream", stream), slog.Attr{Key: "fields", Value: slog.GroupValue(attrs...)})
}

// take spends a token for a line, and says how many lines have been dropped before it.
func (o *output) take(text string) (allowed bool, dropped int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.last = text
	now := o.now()
	o.tokens = min(linesAtOnce, o.tokens+now.Sub(o.filled).Seconds()*linesPerSecond)
	o.filled = now
	if o.tokens < 1 {
		o.dropped++
		return false, 0
	}
	o.tokens--
	dropped, o.dropped = o.dropped, 0
	return true, dropped
}

// flush reports lines that were dropped last.
func (o *output) flush() {
	o.mu.Lock()
	dropped := o.dropped
	o.dropped = 0
	o.mu.Unlock()
	if dropped > 0 {
		o.log.Warn("persister wrote too much, lines were dropped", "lines", dropped)
	}
}

// lastLine returns the last line that was written, as a program that cannot start says why there.
func (o *output) lastLine() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	_, message, _ := parseLine(o.last)
	return strings.ToValidUTF8(message[:min(len(message), maxLastLine)], "")
}

// parseLine reads a line of slog's JSON or of hclog's. Everything else is text, and a warning, because nothing that is
// meant to be logged comes that way.
func parseLine(line string) (level slog.Level, message string, attrs []slog.Attr) {
	var fields map[string]any
	if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &fields) != nil {
		return slog.LevelWarn, line, nil
	}
	for _, names := range [][3]string{{slog.MessageKey, slog.LevelKey, slog.TimeKey}, {"@message", "@level", "@timestamp"}} {
		text, isText := fields[names[0]].(string)
		if !isText {
			continue
		}
		levelText, _ := fields[names[1]].(string)
		if err := level.UnmarshalText([]byte(strings.Replace(levelText, "trace", "debug", 1))); err != nil {
			level = slog.LevelInfo
		}
		for _, name := range names {
			delete(fields, name)
		}
		names := slices.Sorted(maps.Keys(fields))
		for _, name := range names[:min(len(names), maxLineAttrs)] {
			attrs = append(attrs, slog.Any(name, fields[name]))
		}
		return level, text, attrs
	}
	return slog.LevelWarn, line, nil
}
