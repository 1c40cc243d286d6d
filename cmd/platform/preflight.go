package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
)

// errNotReady ends the command when up would refuse the cluster; what it lacks has been printed.
var errNotReady = errors.New("the cluster lacks what the stack needs")

func newPreflight() *cobra.Command {
	var o automation.Options
	var asJSON bool
	cmd := &cobra.Command{
		Use: "preflight", Short: "Tell what the cluster lacks that the stack needs; changes nothing",
		Example: "  platform preflight --stack onprem\n  platform preflight --stack dev --local --json", Args: noArguments,
	}
	cmd.Flags().StringVarP(&o.Stack, "stack", "s", "", "stack to look for, such as onprem (required)")
	cmd.Flags().StringVar(&o.Project, "project", "", "directory of Pulumi.yaml (default: from here upwards)")
	cmd.Flags().BoolVar(&o.Local, "local", false, "look at the local control plane, which has to run")
	cmd.Flags().StringVar(&o.LocalDir, "local-dir", "", "directory of the local control plane (default: as platform local)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.Progress = cmd.ErrOrStderr()
		findings, err := automation.Preflight(cmd.Context(), o)
		if err != nil {
			return err
		}
		if err := printFindings(cmd.OutOrStdout(), o.Stack, findings, asJSON); err != nil {
			return err
		}
		if len(preflight.Errors(findings)) > 0 {
			return errNotReady
		}
		return nil
	}
	return cmd
}

func printFindings(w io.Writer, stack string, findings []preflight.Finding, asJSON bool) error {
	ready := len(preflight.Errors(findings)) == 0
	if asJSON {
		if findings == nil {
			findings = []preflight.Finding{}
		}
		return printJSON(w, map[string]any{"stack": stack, "ready": ready, "findings": findings})
	}
	if len(findings) > 0 {
		table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
		fmt.Fprintln(table, strings.Join([]string{"SEVERITY", "CHECK", "FOUND", "NEEDED", "WHAT TO DO"}, "\t"))
		for _, f := range findings {
			fmt.Fprintln(table, strings.Join([]string{string(f.Severity), f.Check, f.Found, f.Needed, f.Remedy}, "\t"))
		}
		if err := table.Flush(); err != nil {
			return err
		}
	}
	if ready {
		_, err := fmt.Fprintf(w, "the cluster has what stack %s needs\n", stack)
		return err
	}
	return nil
}
