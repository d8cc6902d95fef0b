package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit codes, for scripts.
const (
	exitOK      = 0
	exitFailed  = 1 // the command ran and its answer is no: a fault found, a rule broken, no such account
	exitUsage   = 2 // the command line is wrong
	exitUnknown = 3 // something else went wrong: a store that cannot be reached, a file that cannot be read
)

// exitError carries an exit code. Its cause has been printed already when silent.
type exitError struct {
	code   int
	err    error
	silent bool
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// failed marks the plain "no" of a command that did its work.
func failed(err error) error { return &exitError{code: exitFailed, err: err} }

// execute runs one command line and returns the exit code.
func execute(args []string, in io.Reader, out, errOut io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := newRoot()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errOut)
	err := root.ExecuteContext(ctx)
	var exit *exitError
	switch {
	case err == nil:
		return exitOK
	case errors.As(err, &exit):
		if !exit.silent {
			fmt.Fprintln(errOut, "narthex: "+err.Error())
		}
		return exit.code
	default: // cobra's own: unknown command, unknown flag, wrong number of arguments
		fmt.Fprintf(errOut, "narthex: %v\nRun 'narthex help' to see the commands.\n", err)
		return exitUsage
	}
}

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "narthex",
		Short: "Self-registration in front of the directory you already run",
		Long: `Narthex runs registration flows and creates the accounts in an SQL database or a directory.

Without a command it serves: the pages and the API on NARTHEX_LISTEN, health, metrics and the development mailbox on
NARTHEX_ADMIN_LISTEN. Settings are environment variables that begin with NARTHEX_; 'narthex config check' lists them.

Exit codes: 0 done; 1 the answer is no (a fault found, no such account); 2 wrong usage; 3 something else failed.`,
		Args:              cobra.NoArgs,
		SilenceErrors:     true,
		SilenceUsage:      true,
		CompletionOptions: cobra.CompletionOptions{HiddenDefaultCmd: true},
		RunE:              func(cmd *cobra.Command, _ []string) error { return serve(cmd.Context(), cmd.ErrOrStderr()) },
	}
	root.AddCommand(newServe(), newConfig(), newFlows(), newPlugin(), newAccount(), newDirectory(), newKeys(), newVersion(), newPersister())
	return root
}
