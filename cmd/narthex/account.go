package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/internal/identifier"
	"github.com/narthex/narthex/plugin"
)

func newAccount() *cobra.Command {
	parent := &cobra.Command{Use: "account", Short: "Show, lock, unlock or delete an account", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	parent.AddCommand(&cobra.Command{
		Use: "show IDENTIFIER", Short: "Show the account that holds a username, an email address or a phone number", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccount(cmd, args[0], func(_ context.Context, a openedAccount) error {
				out := json.NewEncoder(cmd.OutOrStdout())
				out.SetIndent("", "  ")
				return out.Encode(shownAccount(a.Account))
			})
		},
	}, &cobra.Command{
		Use: "delete IDENTIFIER", Short: "Delete the account that holds an identifier, and free its names", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withAccount(cmd, args[0], func(ctx context.Context, a openedAccount) error {
				err := a.store.Delete(ctx, a.ID)
				a.audit(ctx, "account.delete", err)
				if err != nil {
					return err
				}
				fmt.Fprintf(cmd.OutOrStdout(), "deleted %s (%s)\n", a.Username, a.ID)
				return nil
			})
		},
	}, newLock(), newUnlock())
	return parent
}

// openedAccount is an account, the store that it is in, and where the audit trail goes.
type openedAccount struct {
	plugin.Account
	store plugin.Backend
	trail *slog.Logger
}

// audit tells the audit trail what was done to the account.
func (a openedAccount) audit(ctx context.Context, event string, err error) {
	auditCommand(ctx, a.trail, event, err, slog.String("account", string(a.ID)))
}

// withAccount starts the persister, finds the account of an identifier and does something with it.
func withAccount(cmd *cobra.Command, name string, do func(context.Context, openedAccount) error) (err error) {
	ctx := cmd.Context()
	settings, definition, err := readConfiguration(os.Environ())
	if err != nil {
		return failed(err)
	}
	rules, err := identifier.New(definition.Identifiers)
	if err != nil {
		return err
	}
	id, err := rules.Login(name)
	if err != nil {
		return failed(fmt.Errorf("this is neither a username nor an email address nor a phone number: %w", err))
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	host, err := openStore(ctx, settings, log)
	if err != nil {
		return &exitError{code: exitUnknown, err: err}
	}
	defer func() { err = errors.Join(err, host.Close()) }()
	store := host.Backend()
	account, err := store.Lookup(ctx, id.Key("", true))
	if err == nil {
		err = do(ctx, openedAccount{account, store, newLogger(cmd.ErrOrStderr(), settings)})
	}
	var exit *exitError
	switch {
	case errors.As(err, &exit):
		return err
	case errors.Is(err, plugin.ErrNotFound):
		return failed(errors.New("no account holds this identifier"))
	case err != nil:
		return &exitError{code: exitUnknown, err: err}
	}
	return nil
}

// accountView is an account as 'account show' prints it.
type accountView struct {
	ID         plugin.ID           `json:"id"`
	Username   string              `json:"username"`
	Locked     bool                `json:"locked"`
	Reason     string              `json:"reason,omitempty"`
	CreatedAt  string              `json:"created_at,omitempty"`
	Attributes map[string][]string `json:"attributes"`
	Groups     []string            `json:"groups,omitempty"`
}

func shownAccount(a plugin.Account) accountView {
	v := accountView{ID: a.ID, Username: a.Username, Locked: a.State.Locked, Reason: a.State.Reason, Attributes: map[string][]string{}, Groups: a.Groups}
	if !a.CreatedAt.IsZero() {
		v.CreatedAt = a.CreatedAt.UTC().Format("2006-01-02T15:04:05Z")
	}
	for name, values := range a.Attributes {
		for _, value := range values {
			v.Attributes[name] = append(v.Attributes[name], value.Text)
		}
	}
	return v
}
