package main

import (
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/handover"
)

// errNotHandedOver ends the command when a precondition does not hold; which one has been printed.
var errNotHandedOver = errors.New("the cluster lacks what the Control Plane wants")

func newHandover() *cobra.Command {
	var f runFlags
	var h automation.HandoverOptions
	var smtp handover.SMTP
	cmd := &cobra.Command{
		Use: "handover", Short: "Write what installs the Control Plane on a stack",
		Long: `handover writes, from the outputs of a stack alone, a directory with everything that installs the Control Plane on it:
a kustomize overlay on the Control Plane's manifests, a Zone with passwords in it, a README with the commands in order, and
contract.json for pipelines. Nothing is written unless all of it can be.`,
		Example: "  platform handover --stack onprem --out handover\n" +
			"  platform handover --stack dev --local --out handover --base ../controlplane/install/bundle\n" +
			"  platform handover check --stack onprem",
		Args: noArguments,
	}
	addStackFlags(cmd, &f)
	fs := cmd.Flags()
	fs.StringVarP(&h.Dir, "out", "o", "", "directory to write: new, empty, or that of an earlier handover (required)")
	fs.StringVar(&h.Base, "base", "", "the Control Plane's install/bundle: a directory or a URL (default: that of its repository)")
	fs.StringVar(&h.Version, "ref", handover.DefaultVersion, "release of the Control Plane: version, branch or commit")
	fs.StringVar(&h.Environment, "environment", "controlplane", "name of the first environment")
	fs.StringVar(&h.Zone, "zone", "dataplane1", "name of its zone")
	fs.StringVar(&h.Domain, "domain", "", "what host names of the Control Plane end with (default: that of the identity provider)")
	fs.StringVar(&h.GatewayHostname, "gateway-host", "", "host name of the zone's gateway (default: gateway.DOMAIN)")
	fs.StringVar(&h.GatewayAdminURL, "gateway-admin-url", "", "admin API of the zone's gateway (default: https://gateway-admin.DOMAIN/admin-api)")
	fs.StringVar(&smtp.Host, "smtp-host", "", "mail server for notifications (default: they are only logged)")
	fs.IntVar(&smtp.Port, "smtp-port", 587, "port of the mail server")
	fs.StringVar(&smtp.From, "smtp-from", "", "sender of notifications")
	fs.BoolVar(&h.WithoutAPI, "without-api", false, "leave out the API for user interfaces (controlplane-api and projector)")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.complete(cmd); err != nil {
			return err
		}
		if smtp.Host != "" || smtp.From != "" {
			h.SMTP = &smtp
		}
		contract, err := automation.Handover(cmd.Context(), f.options, h)
		if err != nil {
			return err
		}
		return printContract(cmd.OutOrStdout(), contract, h.Dir, f.json)
	}
	cmd.AddCommand(newHandoverCheck())
	return cmd
}

// addStackFlags are those that say which stack is meant, for commands that change nothing of it.
func addStackFlags(cmd *cobra.Command, f *runFlags) {
	fs := cmd.Flags()
	fs.StringVarP(&f.options.Stack, "stack", "s", "", "stack to hand over, such as onprem (required)")
	fs.StringVar(&f.options.Project, "project", "", "directory of Pulumi.yaml (default: from here upwards)")
	fs.BoolVar(&f.options.Local, "local", false, "the stack is on the local control plane")
	fs.StringVar(&f.options.LocalDir, "local-dir", "", "directory of the local control plane (default: as platform local)")
	fs.StringVar(&f.plugins, "plugins", "", "engine plugins: published (default) or builtin (no download needed)")
	fs.BoolVar(&f.json, "json", false, "print the result as JSON on standard output")
}

func printContract(w io.Writer, c *handover.Contract, dir string, asJSON bool) error {
	if asJSON {
		return printJSON(w, c)
	}
	_, err := fmt.Fprintf(w, "handover of stack %s to the Control Plane %s: %d files in %s\n", c.Stack, c.ControlPlane.Version, len(c.Files), dir)
	if err == nil && len(c.Assumed) > 0 {
		_, err = fmt.Fprintf(w, "assumed, as no flag says it: %s\n", strings.Join(c.Assumed, ", "))
	}
	if err == nil {
		_, err = fmt.Fprintf(w, "what to do: %s\n", filepath.Join(dir, "README.md"))
	}
	return err
}

func newHandoverCheck() *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{
		Use: "check", Short: "Look whether a cluster has what the Control Plane wants; changes nothing",
		Long: `check looks at the live cluster of a stack for everything that the Control Plane wants before its manifests are applied,
and prints what holds, what does not and how to mend it. It exits with 0 when nothing has failed, and with 1 otherwise. What
cannot be seen from here is unknown, and no failure.`,
		Example: "  platform handover check --stack onprem\n  platform handover check --stack dev --local --json", Args: noArguments,
	}
	addStackFlags(cmd, &f)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.complete(cmd); err != nil {
			return err
		}
		checks, err := automation.CheckHandover(cmd.Context(), f.options)
		if err != nil {
			return err
		}
		if err := printChecks(cmd.OutOrStdout(), f.options.Stack, checks, f.json); err != nil {
			return err
		}
		if !handover.AllHold(checks) {
			return errNotHandedOver
		}
		return nil
	}
	return cmd
}

func printChecks(w io.Writer, stack string, checks []handover.Check, asJSON bool) error {
	if asJSON {
		return printJSON(w, map[string]any{"stack": stack, "ready": handover.AllHold(checks), "checks": checks})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, strings.Join([]string{"STATUS", "CHECK", "WHAT", "FOUND"}, "\t"))
	for _, c := range checks {
		fmt.Fprintln(table, strings.Join([]string{string(c.Status), c.Name, c.What, oneLine(c.Detail)}, "\t"))
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for _, c := range checks {
		if c.Status == handover.Failed {
			if _, err := fmt.Fprintf(w, "to mend %s: %s\n", c.Name, c.Mend); err != nil {
				return err
			}
		}
	}
	return nil
}

// oneLine keeps a row of a table one.
func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }
