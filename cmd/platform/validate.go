package main

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

func newValidate() *cobra.Command {
	var stack, project string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "validate", Short: "Check a stack's configuration; needs no cluster, engine or credentials",
		Example: "  platform validate --stack prod\n  platform validate --stack prod --json", Args: noArguments,
	}
	cmd.Flags().StringVarP(&stack, "stack", "s", "", "stack to check, such as dev (required)")
	cmd.Flags().StringVar(&project, "project", "", "directory of Pulumi.yaml (default: from here upwards)")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print the findings as JSON")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if stack == "" {
			return &usageError{errors.New("stack: no stack is named; name one, such as --stack dev")}
		}
		dir, err := automation.ProjectDir(project)
		if err != nil {
			return &usageError{err}
		}
		cfg, err := config.Load(dir, stack)
		var problems, warnings config.Errors
		if err != nil && !errors.As(err, &problems) {
			return &usageError{err}
		}
		if err == nil {
			warnings = cfg.Warnings(time.Now())
		}
		if asJSON {
			if err := printJSON(cmd.OutOrStdout(), map[string]any{
				"stack": stack, "valid": err == nil, "problems": listed(problems), "warnings": listed(warnings),
			}); err != nil {
				return err
			}
		}
		if err != nil {
			return &usageError{fmt.Errorf("stack %s is not valid:\n%w", stack, err)}
		}
		if asJSON {
			return nil
		}
		for _, warning := range warnings {
			fmt.Fprintln(cmd.ErrOrStderr(), "warning:", warning)
		}
		fmt.Fprintf(cmd.OutOrStdout(), "stack %s is valid\n", stack)
		return nil
	}
	return cmd
}

// listed has JSON show an empty list where there is nothing.
func listed(problems config.Errors) config.Errors {
	if problems == nil {
		return config.Errors{}
	}
	return problems
}
