package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/plugin"
)

func newLock() *cobra.Command {
	var reason string
	c := &cobra.Command{
		Use: "lock IDENTIFIER", Short: "Lock the account that holds an identifier: nobody can log in to it", Args: cobra.ExactArgs(1),
		Long: `Lock locks the account that holds a username, an email address or a phone number. Its names stay taken and its
password stays what it is, so that 'account unlock' brings everything back. An account that is locked stays locked, with
its reason.`,
	}
	c.Flags().StringVar(&reason, "reason", "locked by an administrator", "why; the store keeps it where it can")
	c.RunE = func(cmd *cobra.Command, args []string) error {
		return setState(cmd, args[0], plugin.State{Locked: true, Reason: reason}, "account.lock", "locked", "is locked already")
	}
	return c
}

func newUnlock() *cobra.Command {
	return &cobra.Command{
		Use: "unlock IDENTIFIER", Short: "Unlock the account that holds an identifier", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return setState(cmd, args[0], plugin.State{}, "account.unlock", "unlocked", "is not locked")
		},
	}
}

// setState brings an account into a state and tells what became of it. Where it is so already, nothing is done.
func setState(cmd *cobra.Command, name string, want plugin.State, event, done, already string) error {
	return withAccount(cmd, name, func(ctx context.Context, a openedAccount) error {
		if a.State.Locked == want.Locked {
			fmt.Fprintf(cmd.OutOrStdout(), "%s (%s) %s\n", a.Username, a.ID, already)
			return nil
		}
		if a.store.Updater == nil {
			return failed(errors.New("the store cannot lock or unlock accounts: see what it says with 'narthex plugin test'"))
		}
		_, err := a.store.Updater.Update(ctx, a.ID, plugin.Change{State: &plugin.StateChange{Old: a.State, New: want}})
		a.audit(ctx, event, err)
		switch {
		case errors.Is(err, plugin.ErrConflict):
			return failed(errors.New("somebody else has changed the account meanwhile: look at it and try again"))
		case errors.Is(err, errors.ErrUnsupported):
			return failed(errors.New("the store cannot lock or unlock accounts"))
		case err != nil:
			return err
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s %s (%s)\n", done, a.Username, a.ID)
		return nil
	})
}
