package main

import (
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/narthex/narthex/testenv"
)

// run is one run of the command.
type run struct {
	testing.TB
	settings
	out io.Writer
	// adopted is the directory whose people have been adopted, if that was measured.
	adopted *tree
}

func (r *run) printf(format string, args ...any) { fmt.Fprintf(r.out, format+"\n", args...) }

// cheapest is the setting that makes hashes cost next to nothing, to see the rest.
const cheapest = "NARTHEX_SQL_ARGON2ID=m=8,t=1,p=1"

// target is a sidecar with its databases and the mail server that it sends to.
type target struct {
	*testenv.Sidecar
	mails    *receiver
	database int // the process id of the database server; 0 where there is none
	env      []string
}

// target starts a sidecar on fresh databases.
func (r *run) target(database string, env ...string) *target {
	g := &target{mails: newReceiver(r)}
	g.env = append(g.env, "NARTHEX_SMTP_URL="+g.mails.url, "NARTHEX_LOG_LEVEL=info", "NARTHEX_DATA_DIR="+filepath.Join(r.TempDir(), "data"))
	if database == "postgres" {
		server := testenv.StartPostgreSQL(r, true)
		g.database = server.PID()
		databaseURL := server.Database
		if r.socket {
			databaseURL = server.SocketDatabase
		}
		g.env = append(g.env, "NARTHEX_SECRET="+secret, "NARTHEX_STATE_DSN="+databaseURL(r), "NARTHEX_SQL_DSN="+databaseURL(r))
	}
	g.env = append(g.env, env...)
	g.start(r)
	return g
}

// secret is random enough for a measurement.
const secret = "7d1f0e9ad24b58677a6b5c4d3e2f10018f9eadbccbda07165243a1b2c3d4e5f6"

func (g *target) start(r *run) {
	g.Sidecar = testenv.LaunchBinary(r, testenv.PlainBinary(r), g.env...)
	if err := g.WaitReady(); err != nil {
		r.Fatalf("the sidecar did not get ready: %v\n%s", err, g.Log())
	}
}

// client returns an API client with connections of its own.
func (g *target) client() *testenv.Client {
	c := testenv.NewClient(g.URL)
	c.HTTP = &http.Client{Transport: &connection{}} // it has a limit of its own
	return c
}

// ownCPU is what this process has used.
func ownCPU() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
