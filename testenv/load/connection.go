package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// connection sends one request after the other over one kept connection, without goroutines of its own: what measures is
// on the machine that is measured.
type connection struct {
	conn net.Conn
	in   *bufio.Reader
	out  *bufio.Writer
}

// callLimit bounds one request.
const callLimit = 30 * time.Second

// RoundTrip implements http.RoundTripper, for one caller at a time.
func (c *connection) RoundTrip(req *http.Request) (*http.Response, error) {
	if c.conn == nil {
		conn, err := (&net.Dialer{}).DialContext(req.Context(), "tcp", req.URL.Host)
		if err != nil {
			return nil, err
		}
		c.conn, c.in, c.out = conn, bufio.NewReader(conn), bufio.NewWriter(conn)
	}
	resp, err := c.exchange(req)
	if err != nil || resp.Close {
		_ = c.conn.Close()
		c.conn = nil
	}
	return resp, err
}

// exchange returns an answer that is read already.
func (c *connection) exchange(req *http.Request) (*http.Response, error) {
	if err := c.conn.SetDeadline(time.Now().Add(callLimit)); err != nil {
		return nil, err
	}
	if err := errors.Join(req.Write(c.out), c.out.Flush()); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.in, req)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, errors.Join(err, resp.Body.Close())
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
