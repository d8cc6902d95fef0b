package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"text/tabwriter"
	"time"

	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/narthex/narthex/ldapstore"
)

// progressStep is how often the bar is drawn.
const progressStep = 100 * time.Millisecond

func newDirectoryAdopt() *cobra.Command {
	return &cobra.Command{
		Use: "adopt", Short: "Claim the usernames and addresses that stand in the directory already", Args: cobra.NoArgs,
		Long: `Claims every username and alias of the people who stand in the directory already, so that nobody else can register them,
and reviews the claims of accounts that an admin has changed or deleted by hand. It changes no person. Values that two
entries have are listed, and nothing is done about them. It may be cut off and run again at any time.

Exit codes: 0 everything is claimed; 1 there are duplicates, or people who could not be adopted.`,
		RunE: func(cmd *cobra.Command, _ []string) error { return adopt(cmd) },
	}
}

func adopt(cmd *cobra.Command) (err error) {
	if err := demand("NARTHEX_LDAP_URL", "NARTHEX_LDAP_BASE", "NARTHEX_LDAP_BIND_DN"); err != nil {
		return failed(err)
	}
	options, err := ldapOptions()
	if err != nil {
		return failed(err)
	}
	options.Log = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
	store, err := ldapstore.Open(cmd.Context(), options)
	if err != nil {
		return failed(err)
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	done, err := adoptAll(cmd.Context(), store, cmd.ErrOrStderr())
	if errPrint := printAdopted(cmd.OutOrStdout(), done); errPrint != nil {
		return errPrint
	}
	if err != nil {
		return failed(err)
	}
	if len(done.Duplicates)+len(done.Left) > 0 {
		return &exitError{code: exitFailed, err: errors.New("not everything is claimed"), silent: true}
	}
	return nil
}

// adoptAll shows on a terminal how far it is.
func adoptAll(ctx context.Context, store *ldapstore.Store, out io.Writer) (ldapstore.Adopted, error) {
	total, err := store.CountPeople(ctx)
	if err != nil {
		return ldapstore.Adopted{}, err
	}
	bar := progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("people"), progressbar.OptionShowCount(),
		progressbar.OptionThrottle(progressStep), progressbar.OptionClearOnFinish())
	done, err := store.Adopt(ctx, func() { _ = bar.Add(1) })
	return done, errors.Join(err, bar.Finish())
}

// printAdopted writes the duplicates as a table, and a last line that sums up.
func printAdopted(w io.Writer, done ldapstore.Adopted) error {
	out := tabwriter.NewWriter(w, 0, 4, 2, ' ', 0)
	if len(done.Duplicates) > 0 {
		fmt.Fprintln(out, "another account has it\tvalue\tentry")
		for _, d := range done.Duplicates {
			fmt.Fprintf(out, "%s\t%s\t%s\n", d.Attribute, d.Value, d.DN)
		}
		fmt.Fprintln(out)
	}
	for _, l := range done.Left {
		fmt.Fprintf(out, "not adopted: %s: %s\n", l.DN, l.Reason)
	}
	fmt.Fprintf(out, "%d people, %d new claims, %d claims freed, %d duplicates\n", done.People, done.Claimed, done.Freed, len(done.Duplicates))
	return out.Flush()
}
