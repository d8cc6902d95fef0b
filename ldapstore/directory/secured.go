package directory

import "crypto/tls"

// Secured tells how the connection is protected; false where it is not by TLS.
func (c *Conn) Secured() (tls.ConnectionState, bool) {
	stream, ok := c.wire.Conn.(*tls.Conn)
	if !ok {
		return tls.ConnectionState{}, false
	}
	return stream.ConnectionState(), true
}
