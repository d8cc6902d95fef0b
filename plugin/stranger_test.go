package plugin_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"path/filepath"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/narthex/narthex/plugin/persisterpb"
)

// TestAStrangerAtTheSocketIsNotServed: the directory keeps other users out, and mutual TLS other programs of the same one.
func TestAStrangerAtTheSocketIsNotServed(t *testing.T) {
	cfg, _ := config(t, "store")
	h := open(t, cfg)
	sockets, err := filepath.Glob(filepath.Join(h.SocketDirPath(), "plugin-dir*", "plugin*"))
	if err != nil || len(sockets) != 1 {
		t.Fatalf("sockets: %v, %v", sockets, err)
	}
	for name, c := range map[string]credentials.TransportCredentials{
		"without TLS":              insecure.NewCredentials(),
		"without a certificate":    credentials.NewTLS(&tls.Config{InsecureSkipVerify: true}),
		"with its own certificate": credentials.NewTLS(&tls.Config{InsecureSkipVerify: true, Certificates: []tls.Certificate{certificate(t)}}),
	} {
		t.Run(name, func(t *testing.T) {
			conn, err := grpc.NewClient("unix:"+sockets[0], grpc.WithTransportCredentials(c))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if d, err := persisterpb.NewPersisterClient(conn).Describe(t.Context(), &persisterpb.DescribeRequest{}); err == nil {
				t.Errorf("it is told %v", d)
			}
		})
	}
	if _, err := tell(t, h, "alice"); err != nil {
		t.Errorf("the host is not served any more: %v", err)
	}
}

// certificate makes one that looks like those of go-plugin.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}
