package main_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/narthex/narthex/testenv"
)

func TestMain(m *testing.M) {
	if os.Getenv(brokenPersister) != "" {
		os.Exit(serveBroken())
	}
	code := m.Run()
	testenv.RemoveBinary()
	os.Exit(code)
}

// TestScripts runs the stories in testdata: what people type, and what they see.
func TestScripts(t *testing.T) {
	binary := testenv.Binary(t)
	testscript.Run(t, testscript.Params{
		Dir: "testdata",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("NARTHEX_LISTEN", "127.0.0.1:0")
			e.Setenv("NARTHEX_ADMIN_LISTEN", "127.0.0.1:0")
			e.Setenv("NARTHEX_DATA_DIR", filepath.Join(e.WorkDir, "data"))
			e.Setenv("NARTHEX_SQL_ARGON2ID", "m=8,t=1,p=1")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"sidecar": sidecar, "halt": halt, "keep": keep, "code": code},
	})
}

// running holds how to end the sidecar of each script, by the script's folder.
var running sync.Map

// halt ends the sidecar of the script. ("stop" would end the script: testscript has a command of this name.)
func halt(ts *testscript.TestScript, _ bool, _ []string) {
	end, ok := running.Load(ts.Getenv("WORK"))
	if !ok {
		ts.Fatalf("no sidecar was started")
	}
	end.(func())()
}

// sidecar [NAME=value…] starts narthex, waits until it is ready, and sets $API and $ADMIN. It ends with the script.
func sidecar(ts *testscript.TestScript, neg bool, args []string) {
	dir, _, _ := strings.Cut(ts.Getenv("PATH"), string(os.PathListSeparator))
	cmd := exec.Command(filepath.Join(dir, "narthex"))
	cmd.Dir = ts.MkAbs(".")
	log := filepath.Join(ts.MkAbs("."), "sidecar.log")
	out, err := os.Create(log)
	ts.Check(err)
	cmd.Stderr = out
	for _, name := range []string{"PATH", "HOME", "NARTHEX_LISTEN", "NARTHEX_ADMIN_LISTEN", "NARTHEX_DATA_DIR", "NARTHEX_SQL_ARGON2ID"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	cmd.Env = append(append(cmd.Env, "NARTHEX_LOG_FORMAT=json"), args...)
	ts.Check(cmd.Start())
	end := sync.OnceFunc(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		_ = out.Close()
	})
	running.Store(ts.Getenv("WORK"), end)
	ts.Defer(end)
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		content, err := os.ReadFile(log)
		ts.Check(err)
		for line := range bytes.Lines(content) {
			var ready struct{ Msg, Public_URL, Admin_URL string } //nolint:revive // the names of the log's members
			if json.Unmarshal(line, &ready) == nil && ready.Msg == "ready" {
				ts.Setenv("API", ready.Public_URL)
				ts.Setenv("ADMIN", ready.Admin_URL)
				return
			}
		}
	}
	ts.Fatalf("the sidecar did not get ready:\n%s", ts.ReadFile("sidecar.log"))
}

// keep NAME EXPRESSION puts what jq finds in the last output into a variable.
func keep(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: keep NAME EXPRESSION")
	}
	jq := exec.Command("jq", "-er", args[1])
	jq.Stdin = strings.NewReader(ts.ReadFile("stdout"))
	value, err := jq.Output()
	ts.Check(err)
	ts.Setenv(args[0], strings.TrimSpace(string(value)))
}

var digits = regexp.MustCompile(`(?m)^ +(\d{8})\r?$`)

// code NAME ADDRESS waits for a mail with a code to an address in the development mailbox.
func code(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: code NAME ADDRESS")
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		var list struct {
			Mails []struct{ ID, To, Text string }
		}
		ts.Check(getJSON(ts.Getenv("ADMIN")+"/dev/mail", &list))
		for _, m := range list.Mails {
			if m.To != args[1] {
				continue
			}
			ts.Check(getJSON(ts.Getenv("ADMIN")+"/dev/mail/"+m.ID, &m))
			if found := digits.FindStringSubmatch(m.Text); found != nil {
				ts.Setenv(args[0], found[1])
				return
			}
		}
	}
	ts.Fatalf("no mail with a code came to %s", args[1])
}

func getJSON(url string, into any) error {
	req, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	req.Header.Set("Accept", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %d", url, resp.StatusCode)
	}
	return json.NewDecoder(resp.Body).Decode(into)
}
