package main_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/testenv"
)

// brokenPersister makes the test binary a persister that keeps few rules.
const brokenPersister = "NARTHEX_TEST_BROKEN_PERSISTER"

func serveBroken() int {
	if err := plugin.Serve(plugin.ServeConfig{Persister: broken{}}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// broken is a store that is never down and never there.
type broken struct{ plugin.Persister }

func (broken) Describe(context.Context) (plugin.Description, error) {
	return plugin.Description{Name: "broken", Version: os.Getenv("NARTHEX_PERSISTER_CONFIG")}, nil
}

func (broken) Ping(context.Context) error { return nil }

func (broken) Create(context.Context, plugin.NewAccount) (plugin.Account, error) {
	return plugin.Account{}, plugin.ErrUnavailable
}

const (
	pingRule     = "Ping/a store that can be reached answers without an error"
	createRule   = "Create/the time of creation is that of the commit"
	insideRule   = "Create/an execution that stalls past its NotAfter does not commit"
	passwordRule = "SetPassword/does not unlock"
)

// suite runs 'narthex plugin test' and returns what it prints and its exit code.
func suite(t *testing.T, env []string, args ...string) (output string, code int) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), testenv.Binary(t), append([]string{"plugin", "test"}, args...)...)
	cmd.Env = append(os.Environ(), env...)
	out, err := cmd.CombinedOutput()
	if err != nil && cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

func TestPluginTest(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	narthex := testenv.Binary(t)
	sql := []string{narthex, "--env", "NARTHEX_SQL_DSN=" + filepath.Join(t.TempDir(), "accounts.db"), "--env", "NARTHEX_SQL_ARGON2ID=m=8,t=1,p=1"}
	bad := []string{self, "--env", brokenPersister + "=1"}
	for _, c := range []struct {
		rule string
		env  []string
		args []string
		code int
		want []string
	}{
		{"arguments after two dashes reach the persister, and a store that keeps the rules is 0", nil,
			append(sql, "--only", pingRule, "--only", passwordRule, "--", "persister", "sql"), 0,
			[]string{"store         sql ", "\n2 passed, 0 failed, 0 skipped\n"}},
		{"a broken rule is 1 and explained", nil,
			append(bad, "--only", pingRule, "--only", createRule), 1,
			[]string{"FAILED", "the rule: CreatedAt is when", "\n1 passed, 1 failed, 0 skipped\n", "the persister breaks the contract"}},
		{"a capability that is absent is skipped with its reason", nil,
			append(bad, "--only", passwordRule), 0,
			[]string{`the store does not offer the capability "`, "\n0 passed, 0 failed, 1 skipped\n"}},
		{"a rule that cannot be judged from outside says so", nil,
			append(bad, "--only", insideRule), 0,
			[]string{"works only in the store's own process", "\n0 passed, 0 failed, 1 skipped\n"}},
		{"the persister's own file is handed over", []string{"NARTHEX_PERSISTER_CONFIG=/etc/broken.yaml"},
			append(bad, "--only", pingRule), 0, []string{"store         broken /etc/broken.yaml "}},
		{"nothing else of the environment is handed over", []string{brokenPersister + "=1"},
			[]string{narthex, "--only", pingRule, "--", "version"}, 1, []string{"open persister"}},
		{"another checksum is 1 and nothing runs", nil,
			append(bad, "--sha256", strings.Repeat("0", 64)), 1, []string{"open persister"}},
		{"an unknown rule is 2", nil, append(bad, "--only", "Ping/is fast"), 2, []string{`there is no rule "Ping/is fast"`}},
		{"two paths are 2", nil, []string{self, self}, 2, []string{"accepts 1 arg(s), received 2"}},
		{"no path is 2", nil, []string{"--", "persister", "sql"}, 2, []string{"accepts 1 arg(s), received 0"}},
	} {
		t.Run(c.rule, func(t *testing.T) {
			t.Parallel()
			output, code := suite(t, c.env, c.args...)
			if code != c.code {
				t.Errorf("the exit code is %d, want %d", code, c.code)
			}
			for _, want := range c.want {
				if !strings.Contains(output, want) {
					t.Errorf("it does not print %q", want)
				}
			}
			if t.Failed() {
				t.Log(output)
			}
		})
	}
}
