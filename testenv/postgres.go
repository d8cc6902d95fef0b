package testenv

import (
	"context"
	"database/sql"
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
)

// PostgreSQL is a private PostgreSQL server on a free loopback port.
type PostgreSQL struct {
	dir, bin string
	port     int
	cmd      *exec.Cmd
	ended    chan struct{}
	log      lockedBuffer
}

var databases atomic.Int64

// StartPostgreSQL starts a server of the test's own. durable chooses whether commits are synced, as in production: it is
// for measuring, and for killing the machine, which no test does.
func StartPostgreSQL(t testing.TB, durable bool) *PostgreSQL {
	t.Helper()
	p, err := newPostgreSQL()
	if err == nil {
		t.Cleanup(p.remove)
		err = p.start(durable)
	}
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return p
}

var shared struct {
	once   sync.Once
	server *PostgreSQL
	err    error
}

// PostgreSQLDatabase returns the URL of a new database on a server that the tests of this process share. TestMain ends
// it with StopShared; without that it ends with the process.
func PostgreSQLDatabase(t testing.TB) string {
	t.Helper()
	shared.once.Do(func() {
		if shared.server, shared.err = newPostgreSQL(); shared.err == nil {
			shared.err = shared.server.start(false)
		}
	})
	if shared.err != nil {
		t.Fatalf("start PostgreSQL: %v", shared.err)
	}
	return shared.server.Database(t)
}

// StopShared ends the server of PostgreSQLDatabase.
func StopShared() {
	if shared.server != nil {
		shared.server.remove()
	}
}

// newPostgreSQL makes the server's files.
func newPostgreSQL() (*PostgreSQL, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return nil, fmt.Errorf("there is no initdb under /usr/lib/postgresql: install the package postgresql")
	}
	slices.Sort(found)
	p := &PostgreSQL{bin: filepath.Dir(found[len(found)-1])}
	// A short path: sockets have names of at most 108 bytes.
	if p.dir, err = os.MkdirTemp("/tmp", "nx-pg-"); err != nil {
		return nil, err
	}
	if err := p.own(); err != nil {
		return nil, err
	}
	out, err := p.command("initdb", "-D", p.data(), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync", "--no-instructions").CombinedOutput()
	if err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	p.port, err = freePort()
	return p, err
}

func (p *PostgreSQL) data() string { return filepath.Join(p.dir, "data") }

// own gives the files to the user postgres: the server refuses to run as root.
func (p *PostgreSQL) own() error {
	if err := os.Mkdir(p.data(), 0o700); err != nil {
		return err
	}
	credential, err := serviceUser("postgres")
	if err != nil || credential == nil {
		return err
	}
	for _, dir := range []string{p.dir, p.data()} {
		if err := os.Chown(dir, int(credential.Uid), int(credential.Gid)); err != nil {
			return err
		}
	}
	return nil
}

// command prepares one of PostgreSQL's programs.
func (p *PostgreSQL) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(filepath.Join(p.bin, name), args...)
	cmd.Dir = p.dir
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "LC_ALL=C.UTF-8"}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.SysProcAttr.Credential, _ = serviceUser("postgres") // own has looked already
	return cmd
}

// start starts the server and waits until it answers.
func (p *PostgreSQL) start(durable bool) error {
	args := []string{"-D", p.data(), "-p", strconv.Itoa(p.port), "-k", p.dir, "-c", "listen_addresses=127.0.0.1", "-c", "max_connections=200"}
	if !durable { // tests count statements; load is measured on a server as it comes
		args = append(args, "-c", "shared_preload_libraries=pg_stat_statements", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "shared_buffers=32MB")
	}
	p.cmd = p.command("postgres", args...)
	p.cmd.Stdout, p.cmd.Stderr = &p.log, &p.log
	if err := startDying(p.cmd); err != nil {
		return err
	}
	p.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(p.cmd, p.ended)
	return p.waitReady()
}

func (p *PostgreSQL) waitReady() error {
	db, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		return err
	}
	defer db.Close()
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		select {
		case <-p.ended:
			return fmt.Errorf("it has ended:\n%s", p.log.String())
		default:
		}
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		err = db.PingContext(ctx)
		cancel()
		if err == nil {
			return nil
		}
	}
	return fmt.Errorf("time is up: %w\n%s", err, p.log.String())
}

func (p *PostgreSQL) url(database string) string {
	u := url.URL{Scheme: "postgres", User: url.User("postgres"), Host: net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)), Path: "/" + database, RawQuery: "sslmode=disable"}
	return u.String()
}

// Database makes a new database and returns its URL. It stays until the server ends.
func (p *PostgreSQL) Database(t testing.TB) string {
	t.Helper()
	db, err := sql.Open("pgx", p.url("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	name := fmt.Sprintf("narthex%d", databases.Add(1))
	if _, err := db.Exec("CREATE DATABASE " + name + " TEMPLATE template0 STRATEGY wal_log"); err != nil {
		t.Fatalf("make a database: %v", err)
	}
	return p.url(name)
}

// SocketDatabase is Database with a URL that leads through the server's Unix socket.
func (p *PostgreSQL) SocketDatabase(t testing.TB) string {
	t.Helper()
	u, err := url.Parse(p.Database(t))
	if err != nil {
		t.Fatal(err)
	}
	q := url.Values{"host": {p.dir}, "port": {u.Port()}, "user": {u.User.Username()}}
	return (&url.URL{Scheme: u.Scheme, Path: u.Path, RawQuery: q.Encode()}).String()
}

// PID returns the process id of the server's first process, the parent of all others.
func (p *PostgreSQL) PID() int { return p.cmd.Process.Pid }

// Kill ends all processes of the server at once, as when the machine dies.
func (p *PostgreSQL) Kill() {
	_ = syscall.Kill(p.PID(), syscall.SIGSTOP) // it starts no more
	for _, pid := range children(p.PID()) {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
	_ = syscall.Kill(p.PID(), syscall.SIGKILL)
	<-p.ended
}

// Restart starts the server again after Kill, on the same port and with the same data.
func (p *PostgreSQL) Restart(t testing.TB) {
	t.Helper()
	if err := p.start(!slices.Contains(p.cmd.Args, "fsync=off")); err != nil {
		t.Fatalf("start PostgreSQL again: %v", err)
	}
}

func (p *PostgreSQL) remove() {
	if p.cmd != nil && p.cmd.Process != nil {
		_ = p.cmd.Process.Signal(syscall.SIGINT) // "fast shutdown": clients are thrown out
		select {
		case <-p.ended:
		case <-time.After(10 * time.Second):
			p.Kill()
		}
	}
	_ = os.RemoveAll(p.dir)
}
