package plugin

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// process runs one persister process; it is the runner that go-plugin is given for every persister. All of the output
// passes through it, so that the library never sees more than one checked line.
type process struct {
	cmd    *exec.Cmd
	name   string
	stdout *handshakeWriter
	first  *io.PipeReader // what stdout lets through: the handshake
	stderr *outputStream
	output *output

	running atomic.Pointer[os.Process] // nil before the start
	killed  atomic.Bool
	stdin   *os.File      // our end: the persister ends when it closes
	done    chan struct{} // closed when the process has ended
	err     error         // why, valid after done
}

// drainDelay is how long an ended process's output is waited for, should a child of its own still hold the pipes.
const drainDelay = 500 * time.Millisecond

// newProcess prepares what cfg names, to listen in socketDir, with the variables that go-plugin adds. checked is the
// open, checked binary, nil for this program itself.
func newProcess(cfg OpenConfig, checked *os.File, socketDir string, added []string, out *output) (*process, error) {
	path, err := selfPath()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(path, cfg.Args...) //nolint:noctx // the process outlives the call that starts it
	if checked != nil {
		execFile(cmd, checked)
		cmd.Args[0] = cfg.Path
	}
	cmd.Env = cfg.environment(added)
	cmd.WaitDelay = drainDelay
	attachToParent(cmd)
	read, write := io.Pipe()
	p := &process{
		cmd: cmd, name: cfg.name(), first: read, output: out, stderr: out.stream("stderr"), done: make(chan struct{}),
		stdout: &handshakeWriter{to: write, socketDir: socketDir, rest: out.stream("stdout")},
	}
	cmd.Stdout, cmd.Stderr = p.stdout, p.stderr
	return p, nil
}

// Start starts the process from a thread that lives as long as it does.
func (p *process) Start(context.Context) error {
	theirs, ours, err := os.Pipe()
	if err != nil {
		return err
	}
	p.cmd.Stdin, p.stdin = theirs, ours
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // Pdeathsig fires when this thread ends
		defer runtime.UnlockOSThread()
		err := p.cmd.Start()
		_ = theirs.Close()
		if err != nil {
			_ = ours.Close()
			started <- err
			return
		}
		p.running.Store(p.cmd.Process)
		if p.killed.Load() {
			_ = p.cmd.Process.Kill()
		}
		started <- nil
		p.err = p.cmd.Wait()
		_ = ours.Close()
		p.stdout.finish()
		p.stderr.finish()
		p.output.flush()
		close(p.done)
	}()
	return <-started
}

// Wait waits for the process to end and tells why it did.
func (p *process) Wait(context.Context) error {
	<-p.done
	return p.err
}

// Kill ends the process at once. It does not wait.
func (p *process) Kill(context.Context) error {
	p.killed.Store(true)
	running := p.running.Load()
	if running == nil {
		return nil // Start looks at killed
	}
	_ = p.stdin.Close()
	if err := running.Kill(); !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	return nil
}

// Stdout has the handshake and nothing else.
func (p *process) Stdout() io.ReadCloser { return p.first }

// Stderr has nothing: the library's parser of log lines can be made to panic.
func (p *process) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name is for messages.
func (p *process) Name() string { return p.name }

// ID is the process's id, "" before it has one.
func (p *process) ID() string {
	if running := p.running.Load(); running != nil {
		return strconv.Itoa(running.Pid)
	}
	return ""
}

// Diagnose has nothing to add: explain does.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost passes an address on: handshakes are checked where they come in.
func (p *process) PluginToHost(network, address string) (string, string, error) {
	return network, address, nil
}

// HostToPlugin passes an address on.
func (p *process) HostToPlugin(network, address string) (string, string, error) {
	return network, address, nil
}

// explain says why a start has failed, in words for the operator; failed is what the library says.
func (p *process) explain(failed error) error {
	if err := p.stdout.refusal(); err != nil {
		return err
	}
	select {
	case <-p.done:
	case <-time.After(2 * drainDelay): // it may just be ending
		return failed
	}
	why := "exit status 0"
	if p.err != nil {
		why = p.err.Error()
	}
	last := p.output.lastLine()
	if last == "" {
		last = "nothing was written"
	}
	return fmt.Errorf("the persister ended before it could be used (%s): %s", why, last)
}
