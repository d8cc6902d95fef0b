package main

import (
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/internal/config"
	"github.com/narthex/narthex/internal/seal"
)

func newKeys() *cobra.Command {
	parent := &cobra.Command{Use: "keys", Short: "Show or replace the keys of NARTHEX_SECRET", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	parent.AddCommand(&cobra.Command{
		Use: "list", Short: "Show the keys by their fingerprints, the current one first", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			settings, err := config.Read(os.Environ())
			if err != nil {
				return failed(err)
			}
			secret, err := settings.LoadSecret()
			if err != nil {
				return failed(err)
			}
			keys, err := seal.NewKeyring(secret)
			if err != nil {
				return failed(err)
			}
			printKeys(cmd, keys)
			return nil
		},
	}, newRotate())
	return parent
}

func newRotate() *cobra.Command {
	var stage string
	c := &cobra.Command{
		Use: "rotate", Short: "Replace the current key: the new one seals, the old ones still open", Args: cobra.NoArgs,
		Long: `Rotate changes the file that the keys stand in: the one that NARTHEX_SECRET_FILE names, or secret in the data directory.
The sidecar reads it when it starts.

One sidecar: 'narthex keys rotate', restart it, and no registration is lost. Two hours later nothing is left that the old
key has sealed; then 'narthex keys rotate --stage retire', and restart it again.

Several sidecars on one state database must all know a key before one of them seals with it:
  1. narthex keys rotate --stage add       give the file to all, restart them one by one
  2. narthex keys rotate --stage promote   the same again
  3. narthex keys rotate --stage retire    two hours later, the same again

Budgets and log keys are made with the current key: they begin anew with it.`,
	}
	c.Flags().StringVar(&stage, "stage", "", "one step of it: add, promote or retire (default: add and promote at once)")
	c.RunE = func(cmd *cobra.Command, _ []string) error { return rotate(cmd, stage) }
	return c
}

// stages of a rotation, by name; what to do next comes with each.
var stages = map[string]struct {
	change func(string) (string, error)
	next   string
}{
	"": {func(secret string) (string, error) {
		added, err := seal.Add(secret)
		if err != nil {
			return "", err
		}
		return seal.Promote(added)
	}, "restart the sidecar; two hours later, run 'narthex keys rotate --stage retire'"},
	"add":     {seal.Add, "give this file to every sidecar and restart them; then run 'narthex keys rotate --stage promote'"},
	"promote": {seal.Promote, "give this file to every sidecar and restart them; two hours later, run 'narthex keys rotate --stage retire'"},
	"retire":  {seal.Retire, "give this file to every sidecar and restart them"},
}

func rotate(cmd *cobra.Command, stage string) error {
	s, known := stages[stage]
	if !known {
		return fmt.Errorf("there is no stage %q: use add, promote or retire", stage)
	}
	settings, err := config.Read(os.Environ())
	if err != nil {
		return failed(err)
	}
	if stage == "" && settings.StateDSN.Reveal() != "" {
		return failed(errors.New("several sidecars may share the state: use --stage add, then promote, then retire, as 'narthex help keys rotate' tells"))
	}
	path, err := settings.SecretFile(os.LookupEnv)
	if err != nil {
		return failed(err)
	}
	secret, err := config.ReadSecretFile(path)
	if err != nil {
		return failed(err)
	}
	changed, err := s.change(secret)
	if err != nil {
		return failed(fmt.Errorf("%s: %w", path, err))
	}
	keys, err := seal.NewKeyring(changed)
	if err != nil {
		return failed(err)
	}
	err = config.ReplaceSecretFile(path, changed)
	auditCommand(cmd.Context(), newLogger(cmd.ErrOrStderr(), settings), "keys.rotate", err, slog.String("stage", stage), slog.String("key", concerned(stage, keys)))
	if err != nil {
		return &exitError{code: exitUnknown, err: err}
	}
	printKeys(cmd, keys)
	fmt.Fprintf(cmd.OutOrStdout(), "%s is changed. Next: %s.\n", path, s.next)
	return nil
}

// concerned is the fingerprint of the key that a stage adds, or else of the one that seals from then on.
func concerned(stage string, keys *seal.Keyring) string {
	prints := keys.Fingerprints()
	if stage == "add" {
		return prints[len(prints)-1]
	}
	return prints[0]
}

// printKeys shows fingerprints: they tell nothing about the keys.
func printKeys(cmd *cobra.Command, keys *seal.Keyring) {
	for n, print := range keys.Fingerprints() {
		role := "opens"
		if n == 0 {
			role = "seals and opens"
		}
		fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", print, role)
	}
}
