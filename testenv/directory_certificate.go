package testenv

import (
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"
)

// certificate makes an authority and a certificate of the server for its address and a name, and returns the paths of
// certificate and key.
func (d *Directory) certificate(t testing.TB, name string) (certificate, key string) {
	t.Helper()
	a := newAuthority(t)
	d.CAFile = a.file(t)
	issued := a.issue(t, name, d.ip)
	private, err := x509.MarshalPKCS8PrivateKey(issued.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	certificate, key = filepath.Join(d.dir, "server.pem"), filepath.Join(d.dir, "server.key")
	writePEM(t, certificate, "CERTIFICATE", issued.Certificate[0])
	writePEM(t, key, "PRIVATE KEY", private)
	return certificate, key
}

func writePEM(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}
