package plugin_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"
	"golang.org/x/sys/unix"
	"google.golang.org/grpc"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/persisterpb"
)

// roleVariable makes the test binary play a persister, or a host of one.
const roleVariable = "NARTHEX_TEST_ROLE"

// versionVariable names the file that holds the puppet's version.
const versionVariable = "NARTHEX_TEST_VERSION"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	goleak.VerifyTestMain(m)
}

func play(role string) int {
	switch role {
	case "store":
		return serve()
	case "store without pdeathsig":
		_ = unix.Prctl(unix.PR_SET_PDEATHSIG, 0, 0, 0, 0)
		return serve()
	case "store without stdin":
		os.Stdin, _, _ = os.Pipe() // the end of the real one goes unnoticed
		return serve()
	case "host":
		return playHost(os.Getenv("NARTHEX_TEST_CHILD"))
	case "refuses its settings":
		fmt.Fprintln(os.Stderr, `{"level":"INFO","msg":"starting"}`)
		fmt.Fprintln(os.Stderr, "LOST_DSN is not set, password hunter2")
		return 1
	case "silent":
		select {}
	case "other version":
		fmt.Println("1|7|unix|" + os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/x|grpc|" + strings.Repeat("A", 60))
		time.Sleep(time.Minute)
	case "elsewhere":
		fmt.Println("1|1|unix|/tmp/somebody-elses.sock|grpc|" + strings.Repeat("A", 60))
		time.Sleep(time.Minute)
	case "net/rpc":
		fmt.Println("1|1|unix|" + os.Getenv("PLUGIN_UNIX_SOCKET_DIR") + "/x|netrpc|")
		time.Sleep(time.Minute)
	case "chatterbox":
		for {
			fmt.Println("no handshake here")
		}
	case "long line":
		for {
			fmt.Print(strings.Repeat("x", 1000))
		}
	case "cannot describe itself", "lies about itself", "is of another version", "never describes itself":
		return serveRaw(role)
	case "hides on stdout":
		fmt.Println("a line that the author forgot")
		return serve()
	}
	return 2
}

func serve() int {
	if err := plugin.Serve(plugin.ServeConfig{Persister: puppet()}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// serveRaw serves a persister that introduces itself well and then describes itself badly.
func serveRaw(role string) int {
	r := &raw{described: wireDescription()}
	switch role {
	case "cannot describe itself":
		r.undescribed = func(context.Context) error { return errors.New("no idea, password hunter2") }
	case "never describes itself":
		r.undescribed = func(context.Context) error { select {} }
	case "lies about itself":
		r.described.Capabilities = append(r.described.Capabilities, "teleporter")
	case "is of another version":
		r.described.Contract = 7
	}
	plugin.ServeRaw(func(s grpc.ServiceRegistrar) { persisterpb.RegisterPersisterServer(s, r) })
	return 0
}

// puppet is a store that does what the key it is asked for says.
func puppet() *scripted {
	s := &scripted{}
	version, _ := os.ReadFile(os.Getenv(versionVariable))
	s.description = plugin.Description{Version: string(version), Name: "puppet", Withheld: []plugin.Capability{plugin.CapMaintainer}}
	s.lookup = func(ctx context.Context, k plugin.Key) (plugin.Account, error) { return obey(ctx, k.Value) }
	s.create = func(ctx context.Context, a plugin.NewAccount) (plugin.Account, error) { return obey(ctx, a.Username()) }
	return s
}

func obey(ctx context.Context, command string) (plugin.Account, error) {
	account := plugin.Account{ID: "1", Username: command, CreatedAt: whole, Attributes: plugin.Attributes{}}
	switch command {
	case "crash":
		os.Exit(3)
	case "panic":
		panic("the store is confused, password hunter2")
	case "slip":
		_ = strings.Fields(command)[5]
	case "hang":
		<-ctx.Done()
		return plugin.Account{}, ctx.Err()
	case "be deaf":
		time.Sleep(500 * time.Millisecond)
	case "print":
		fmt.Println("printed by the store")
		fmt.Fprintln(os.Stderr, "complained by the store")
		plugin.Logger().Error("logged by the store", "why", "because")
	case "hostile log":
		// A library that reads this line as a log entry trips over the type.
		for _, line := range []string{`{"@message": 5, "@level": {}, "@timestamp": []}`, `{"msg":1}`, "{", "\xff\xfe\x00"} {
			_, _ = unix.Write(2, []byte(line+"\n"))
		}
	case "flood":
		line := []byte(strings.Repeat("flood ", 4000) + "\n")
		for range 2000 {
			_, _ = unix.Write(2, line)
		}
	case "tell the environment":
		for _, entry := range os.Environ() {
			name, value, _ := strings.Cut(entry, "=")
			account.Attributes[name] = []plugin.Value{plugin.StringValue(value + ".")}
		}
	case "tell the pid":
		account.ID = plugin.ID(fmt.Sprint(os.Getpid()))
	}
	return account, nil
}

// playHost opens a persister, says its process id, and then waits to be killed.
func playHost(child string) int {
	h, err := plugin.Open(context.Background(), plugin.OpenConfig{Env: []string{roleVariable + "=" + child, "GORACE=atexit_sleep_ms=0"}})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(h.PID(), h.SocketDirPath())
	select {}
}
