package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/narthex/narthex/internal/flow"
)

func newFlows() *cobra.Command {
	parent := &cobra.Command{Use: "flows", Short: "Check a flows file, or describe it to editors", Args: cobra.NoArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	parent.AddCommand(&cobra.Command{
		Use: "check [FILE]", Short: "Check a flows file (NARTHEX_FLOWS, or the built-in one, without FILE)", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			file := os.Getenv("NARTHEX_FLOWS")
			if len(args) == 1 {
				file = args[0]
			}
			d, err := readFlows(file)
			if err != nil {
				return failed(err)
			}
			for _, f := range d.Flows {
				state := "open"
				if !f.Open {
					state = "closed"
				}
				var steps []string
				for _, s := range f.Steps {
					steps = append(steps, s.Name)
				}
				fmt.Fprintf(cmd.OutOrStdout(), "%s (%s): %s\n", f.Name, state, strings.Join(steps, " → "))
			}
			return nil
		},
	}, &cobra.Command{
		Use: "schema", Short: "Print the JSON Schema of flows files, for editors", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := json.NewEncoder(cmd.OutOrStdout())
			out.SetIndent("", "  ")
			out.SetEscapeHTML(false)
			return out.Encode(flow.Schema())
		},
	})
	return parent
}
