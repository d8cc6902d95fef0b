package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/internal/config"
)

func newConfig() *cobra.Command {
	parent := &cobra.Command{Use: "config", Short: "Check the settings", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	parent.AddCommand(&cobra.Command{
		Use: "check", Short: "Check all settings, the flows file and the theme, and list every setting", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, _, err := readConfiguration(os.Environ())
			out := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 4, 2, ' ', 0)
			for _, s := range config.Table() {
				fmt.Fprintf(out, "%s\t%s\t%s\n", s.Name, shown(s), s.Meaning)
			}
			if errFlush := out.Flush(); errFlush != nil {
				return errFlush
			}
			if err != nil {
				return failed(fmt.Errorf("the configuration has faults:\n%w", err))
			}
			fmt.Fprintln(cmd.OutOrStdout(), "\nThe configuration is sound. Whether the store can do what the flows need shows at the start.")
			return nil
		},
	})
	return parent
}

// shown is a setting's value for people: never a secret.
func shown(s config.Setting) string {
	value, set := os.LookupEnv(s.Name)
	file := os.Getenv(s.Name + "_FILE")
	switch {
	case s.Secret && file != "":
		return "(set: " + file + ")"
	case s.Secret && set:
		return "(set)"
	case set:
		return value
	case s.Default != "":
		return strings.TrimSpace(s.Default) + " (default)"
	default:
		return "(not set)"
	}
}
