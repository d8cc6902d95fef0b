package plugin

import (
	"bytes"
	"io"
	"sync"
)

// Bounds of what may come before and in a handshake.
const (
	maxHandshake = 16 << 10
	maxPrelude   = 64 << 10
)

// handshakeWriter is a persister's standard output. It lets one checked handshake line through to go-plugin; everything
// else is output like any other.
type handshakeWriter struct {
	socketDir string
	rest      *outputStream

	mu      sync.Mutex
	to      *io.PipeWriter // nil once it is closed
	line    []byte
	prelude int
	refused error
}

// Write never fails: a persister must not be stopped by what it prints.
func (w *handshakeWriter) Write(data []byte) (int, error) {
	written := len(data)
	for len(data) > 0 {
		if !w.waiting() {
			_, _ = w.rest.Write(data)
			break
		}
		end := bytes.IndexByte(data, '\n')
		if end < 0 {
			w.line = append(w.line, data...)
			w.check(len(w.line) > maxHandshake)
			break
		}
		w.line = append(w.line, data[:end+1]...)
		data = data[end+1:]
		w.finishLine()
	}
	return written, nil
}

func (w *handshakeWriter) waiting() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.to != nil
}

// finishLine judges a whole line.
func (w *handshakeWriter) finishLine() {
	line := w.line
	w.line = nil
	if !handshakeLine.Match(line) {
		w.prelude += len(line)
		_, _ = w.rest.Write(line)
		w.check(w.prelude > maxPrelude)
		return
	}
	if err := checkHandshake(string(line), w.socketDir); err != nil {
		w.close(err)
		return
	}
	w.mu.Lock()
	to := w.to
	w.mu.Unlock()
	if to != nil {
		_, _ = to.Write(line)
	}
	w.close(nil)
}

func (w *handshakeWriter) check(tooMuch bool) {
	if tooMuch {
		w.close(errNoHandshake)
	}
}

// finish ends the stream when its process has ended.
func (w *handshakeWriter) finish() {
	w.close(nil)
	_, _ = w.rest.Write(w.line)
	w.line = nil
	w.rest.finish()
}

// close ends what go-plugin can read, with the reason if the handshake was refused. Only the first call counts.
func (w *handshakeWriter) close(refused error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.to != nil {
		_ = w.to.Close()
		w.to, w.refused = nil, refused
	}
}

// refusal tells why the handshake was refused, or nil.
func (w *handshakeWriter) refusal() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.refused
}
