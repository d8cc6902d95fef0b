package testenv

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// nginxFrame makes a configuration of one site one of a whole server that needs no rights and leaves nothing behind.
const nginxFrame = `daemon off;
worker_processes 1;
pid %[1]s/pid;
error_log %[1]s/error.log;
events {}
http {
    access_log off;
    client_body_temp_path %[1]s/body;
    proxy_temp_path %[1]s/proxy;
    fastcgi_temp_path %[1]s/fastcgi;
    uwsgi_temp_path %[1]s/uwsgi;
    scgi_temp_path %[1]s/scgi;
%[2]s
}
`

var (
	nginxListen   = regexp.MustCompile(`(?m)^\s*listen .*$`)
	nginxTLS      = regexp.MustCompile(`(?m)^\s*ssl_.*\n`)
	nginxUpstream = regexp.MustCompile(`(?m)^\s*server \d.*\n`)
)

// StartNginx starts nginx on an address, with the site that the documentation shows, and the sidecars behind it. TLS is
// left out: nobody has a certificate for a loopback address.
func StartNginx(t testing.TB, address string, sidecars ...*Sidecar) {
	t.Helper()
	site, err := os.ReadFile(filepath.Join(root(), "docs", "install", "nginx.conf"))
	if err != nil {
		t.Fatal(err)
	}
	var servers strings.Builder
	for _, s := range sidecars {
		fmt.Fprintf(&servers, "    server %s max_fails=1 fail_timeout=2s;\n", s.Address())
	}
	text := nginxUpstream.ReplaceAllString(string(site), "")
	text = strings.Replace(text, "upstream narthex {\n", "upstream narthex {\n"+servers.String(), 1)
	text = nginxTLS.ReplaceAllString(nginxListen.ReplaceAllString(text, "    listen "+address+";"), "")
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o755); err != nil { // nginx drops to a user of its own
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(conf, fmt.Appendf(nil, nginxFrame, dir, text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log lockedBuffer
	cmd := exec.Command("nginx", "-p", dir, "-c", conf, "-e", filepath.Join(dir, "error.log"))
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := startDying(cmd); err != nil {
		t.Fatalf("start nginx: %v", err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt) // a quick stop, with its workers
		_ = cmd.Wait()
	})
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("tcp", address); err == nil {
			_ = c.Close()
			return
		}
	}
	t.Fatalf("nginx does not listen\n%s", log.String())
}

// FreeAddress returns a loopback address with a port that nobody uses right now.
func FreeAddress(t testing.TB) string {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("127.0.0.1:%d", port)
}

// From returns a transport whose connections come from a loopback address of the caller's choice, as another machine's
// would.
func From(address string) *http.Transport {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}}
	return &http.Transport{DialContext: d.DialContext}
}
