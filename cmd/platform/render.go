package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
)

func newRender() *cobra.Command {
	var o automation.Options
	var out automation.RenderOptions
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "render",
		Short: "Write the stack's manifests as YAML, for Argo CD, Flux or kubectl",
		Long: `render writes the Kubernetes objects of a stack as YAML: a directory per component with a kustomization, custom resource
definitions apart. The same configuration gives the same bytes, so that a change of it shows as a diff.

Values of secrets are never written: templates in directories of their own have the keys, and the README says what each is
made of. It also says what is known only once a stack is up, and what is no Kubernetes object. No cluster and no account is asked.

Files that an earlier render wrote and this one does not are removed; others are left alone.`,
		Example: `  platform render --stack onprem --out manifests/onprem
  platform render --stack prod --out manifests/prod --json`,
		Args: noArguments,
	}
	fs := cmd.Flags()
	fs.StringVarP(&o.Stack, "stack", "s", "", "stack to render, such as onprem (required)")
	fs.StringVar(&o.Project, "project", "", "directory of Pulumi.yaml (default: from here upwards)")
	fs.StringVarP(&out.Dir, "out", "o", "", "directory to write to (required)")
	fs.BoolVar(&out.Force, "force", false, "write to a directory that holds other files as well")
	fs.BoolVarP(&o.Verbose, "verbose", "v", false, "show what the stack describes, and the engine's own output")
	fs.BoolVar(&asJSON, "json", false, "print what was written and what is to be provided as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if o.Verbose {
			o.Progress = cmd.ErrOrStderr()
		}
		rendered, err := automation.Render(cmd.Context(), o, out)
		if err != nil {
			return err
		}
		if asJSON {
			return printJSON(cmd.OutOrStdout(), rendered)
		}
		_, err = fmt.Fprintln(cmd.OutOrStdout(), rendered.Summary())
		return err
	}
	return cmd
}
