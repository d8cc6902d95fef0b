package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/plugin"
	"github.com/narthex/narthex/plugin/plugintest"
)

func newPlugin() *cobra.Command {
	parent := &cobra.Command{Use: "plugin", Short: "Test a persister", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	parent.AddCommand(newPluginTest())
	return parent
}

// pluginTest is one run of 'plugin test'.
type pluginTest struct {
	sha256  string
	env     []string
	only    []string
	verbose bool
}

func newPluginTest() *cobra.Command {
	var run pluginTest
	c := &cobra.Command{
		Use:   "test PATH [-- ARGUMENT...]",
		Short: "Run the conformance suite against a persister's binary and print a table",
		Long: `Test starts the persister at PATH as the sidecar would, and judges it by every rule of the contract. What follows
two dashes is passed on to it, and so is NARTHEX_PERSISTER_CONFIG, if it is set.

It may have accounts already: the rules use names of their own and remove what they made, if the persister can delete.
Still, give it an empty store where you can. The exit code is 1 when a rule is broken.`,
		Args: onePathBeforeDashes,
		RunE: func(cmd *cobra.Command, args []string) error { return run.run(cmd, args[0], args[1:]) },
	}
	c.Flags().StringVar(&run.sha256, "sha256", "", "the SHA-256 that the binary must have (default: whatever it has)")
	c.Flags().StringArrayVar(&run.env, "env", nil, "a variable for the persister: NAME, or NAME=value (may be repeated)")
	c.Flags().StringArrayVar(&run.only, "only", nil, "run this rule only (may be repeated)")
	c.Flags().BoolVarP(&run.verbose, "verbose", "v", false, "show what the persister logs")
	return c
}

// onePathBeforeDashes wants one argument, and takes any number after two dashes.
func onePathBeforeDashes(cmd *cobra.Command, args []string) error {
	own := len(args)
	if dashes := cmd.ArgsLenAtDash(); dashes >= 0 {
		own = dashes
	}
	return cobra.ExactArgs(1)(cmd, args[:own])
}

// passedOn names what every persister gets of this program's environment, if it is set.
const passedOn = "NARTHEX_PERSISTER_CONFIG" //nolint:gosec // the name of a variable

func (r *pluginTest) run(cmd *cobra.Command, path string, args []string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	if r.sha256 == "" {
		if r.sha256, err = plugin.Checksum(path); err != nil {
			return failed(err)
		}
	}
	known := plugintest.Rules()
	for _, rule := range r.only {
		if !slices.Contains(known, rule) {
			return fmt.Errorf("there is no rule %q; the rules are:\n  %s", rule, strings.Join(known, "\n  "))
		}
	}
	host, err := plugin.Open(cmd.Context(), plugin.OpenConfig{
		Path: path, SHA256: r.sha256, Args: args, Env: append([]string{passedOn}, r.env...), Logger: r.logger(cmd),
	})
	if err != nil {
		return failed(err)
	}
	report, err := r.judge(cmd.Context(), host, cmd)
	if err := errors.Join(err, host.Close(), report.Print(cmd.OutOrStdout())); err != nil {
		return &exitError{code: exitUnknown, err: err}
	}
	if !report.Passed() {
		return failed(errors.New("the persister breaks the contract"))
	}
	return nil
}

// judge runs the suite; on a terminal or not, one mark for each rule shows that it goes on.
func (r *pluginTest) judge(ctx context.Context, host *plugin.Host, cmd *cobra.Command) (plugintest.Report, error) {
	options := []plugintest.Option{plugintest.Each(func(one plugintest.Result) {
		fmt.Fprint(cmd.ErrOrStderr(), map[plugintest.Outcome]string{plugintest.Passed: ".", plugintest.Failed: "F", plugintest.Skipped: "s"}[one.Outcome])
	})}
	if len(r.only) > 0 {
		options = append(options, plugintest.Only(r.only...))
	}
	report := plugintest.Check(ctx, host.Backend(), options...)
	fmt.Fprintln(cmd.ErrOrStderr())
	return report, ctx.Err()
}

func (r *pluginTest) logger(cmd *cobra.Command) *slog.Logger {
	if !r.verbose {
		return slog.New(slog.DiscardHandler)
	}
	return slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelDebug}))
}
