package testenv

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// directoryProcess is a server's process, with its children where it has some.
type directoryProcess struct {
	// command makes what is to be started; it can be started again and again.
	command func() *exec.Cmd
	cmd     *exec.Cmd
	ended   chan struct{}
	// log is the file that it prints to, by itself: a server that has much to say would wait for a reader, and answer nobody
	// meanwhile.
	log string
}

func (p *directoryProcess) start() error {
	p.cmd = p.command()
	log, err := os.OpenFile(p.log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer log.Close()
	p.cmd.Stdout, p.cmd.Stderr = log, log
	if err := startDying(p.cmd); err != nil {
		return err
	}
	p.ended = make(chan struct{})
	go func(cmd *exec.Cmd, ended chan struct{}) {
		_ = cmd.Wait()
		close(ended)
	}(p.cmd, p.ended)
	return nil
}

// family returns the process and all below it.
func (p *directoryProcess) family() []int {
	all := []int{p.cmd.Process.Pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children(all[i])...)
	}
	return all
}

func (p *directoryProcess) signal(s syscall.Signal) {
	for _, pid := range p.family() {
		_ = syscall.Kill(pid, s)
	}
}

func (p *directoryProcess) kill() {
	select {
	case <-p.ended:
		return
	default:
	}
	p.signal(syscall.SIGSTOP) // it starts no more
	p.signal(syscall.SIGKILL)
	<-p.ended
}

// PID returns the process id of the server, the parent of its other processes.
func (d *Directory) PID() int { return d.process.cmd.Process.Pid }

// Kill ends the server at once, as when the machine dies.
func (d *Directory) Kill() { d.process.kill() }

// Stop suspends the server: connections stay, and from now on nothing answers.
func (d *Directory) Stop() {
	d.process.signal(syscall.SIGSTOP)
	for slices.ContainsFunc(d.process.family(), func(pid int) bool { return !suspended(pid) }) {
		time.Sleep(time.Millisecond)
		d.process.signal(syscall.SIGSTOP) // it may have started more meanwhile
	}
}

// Continue ends what Stop began.
func (d *Directory) Continue() { d.process.signal(syscall.SIGCONT) }

// Log returns what the server has printed.
func (d *Directory) Log() string {
	printed, err := os.ReadFile(d.process.log)
	if err != nil {
		return err.Error()
	}
	return string(printed)
}

// LogFile returns the name of the file that has what Log returns, for those who ask for much of it.
func (d *Directory) LogFile() string { return d.process.log }

// Restart starts the server again, with the same addresses and data. It kills the server if it runs.
func (d *Directory) Restart(t testing.TB) {
	t.Helper()
	d.Kill()
	if err := d.begin(); err != nil {
		t.Fatalf("start %s again: %v", d.Kind, err)
	}
}

// begin starts the server and waits until it answers.
func (d *Directory) begin() error {
	if err := d.process.start(); err != nil {
		return err
	}
	pem, err := os.ReadFile(d.CAFile)
	if err != nil {
		return err
	}
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(pem)
	dialer := &tls.Dialer{NetDialer: &net.Dialer{Timeout: time.Second}, Config: &tls.Config{RootCAs: pool}}
	err = errors.New("it was not asked")
	for deadline := time.Now().Add(startLimit); time.Now().Before(deadline); time.Sleep(3 * time.Millisecond) {
		select {
		case <-d.process.ended:
			return fmt.Errorf("it has ended:\n%s", d.Log())
		default:
		}
		var c net.Conn
		if c, err = dialer.Dial("tcp", strings.TrimPrefix(d.URL, "ldaps://")); err == nil {
			return c.Close()
		}
	}
	return fmt.Errorf("time is up: %w\n%s", err, d.Log())
}
