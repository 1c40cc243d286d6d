package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
)

// runFlags are the flags of every command that runs a stack.
type runFlags struct {
	options automation.Options
	plugins string
	json    bool
}

func (f *runFlags) add(cmd *cobra.Command) {
	fs := cmd.Flags()
	fs.StringVarP(&f.options.Stack, "stack", "s", "", "stack to run, such as dev (required)")
	fs.StringVar(&f.options.Project, "project", "", "directory of Pulumi.yaml (default: from here upwards)")
	fs.BoolVar(&f.options.Local, "local", false, "run on the local control plane, with the built-in plugins")
	fs.StringVar(&f.options.LocalDir, "local-dir", "", "directory of the local control plane (default: as platform local)")
	fs.StringVar(&f.plugins, "plugins", "", "engine plugins: published (default) or builtin (no download needed)")
	fs.IntVar(&f.options.Parallel, "parallel", 0, "resources worked on at once (default: the engine's)")
	fs.BoolVarP(&f.options.Verbose, "verbose", "v", false, "show the engine's own output as well")
	fs.BoolVar(&f.json, "json", false, "print the result as JSON on standard output; progress goes to standard error")
}

// complete settles options that need more than a flag's value.
func (f *runFlags) complete(cmd *cobra.Command) (err error) {
	if f.plugins != "" {
		if f.options.Plugins, err = automation.ParsePlugins(f.plugins); err != nil {
			return err
		}
	}
	f.options.Progress = cmd.ErrOrStderr()
	return nil
}

type operation func(context.Context, automation.Options) (*automation.Result, error)

// newOperation is a command around one function of package automation.
func newOperation(name, short, example string, run operation, flags func(*cobra.Command) func(*automation.Result) error) *cobra.Command {
	var f runFlags
	cmd := &cobra.Command{Use: name, Short: short, Example: example, Args: noArguments}
	f.add(cmd)
	f.addLockWait(cmd)
	check := func(*automation.Result) error { return nil }
	if flags != nil {
		check = flags(cmd)
	}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.complete(cmd); err != nil {
			return err
		}
		result, err := run(cmd.Context(), f.options)
		if result != nil && (err == nil || f.json || result.HasChanges()) { // else the error says it all
			if err := printResult(cmd.OutOrStdout(), result, f.json); err != nil {
				return err
			}
		}
		if err != nil {
			return err
		}
		if result.Operation == "up" && f.options.Local && !f.json {
			if err := lookAround(cmd.Context(), cmd.OutOrStdout(), f.options); err != nil {
				return err
			}
		}
		return check(result)
	}
	return cmd
}

func printResult(w io.Writer, result *automation.Result, asJSON bool) error {
	if asJSON {
		return printJSON(w, result)
	}
	_, err := fmt.Fprintln(w, result.Summary())
	return err
}

func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

func newUp() *cobra.Command {
	return newOperation("up", "Create and change what the stack describes",
		"  platform up --stack dev --local\n  platform up --stack prod --json >result.json",
		automation.Up, expectNoChanges)
}

func newRefresh() *cobra.Command {
	return newOperation("refresh", "Read what the cluster really holds into the state, so that up repairs drift",
		"  platform refresh --stack prod --expect-no-changes",
		automation.Refresh, expectNoChanges)
}

// expectNoChanges adds the flag of that name.
func expectNoChanges(cmd *cobra.Command) func(*automation.Result) error {
	expect := cmd.Flags().Bool("expect-no-changes", false, "exit with 3 when there are changes")
	return func(r *automation.Result) error {
		if *expect && r.HasChanges() {
			return errChanges
		}
		return nil
	}
}

func newDestroy() *cobra.Command {
	var yes bool
	cmd := newOperation("destroy", "Delete everything that the stack has created",
		"  platform destroy --stack dev --local --yes", automation.Destroy,
		func(cmd *cobra.Command) func(*automation.Result) error {
			cmd.Flags().BoolVarP(&yes, "yes", "y", false, "really delete (required)")
			return func(*automation.Result) error { return nil }
		})
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if !yes {
			return &usageError{errors.New("destroy deletes everything that the stack has created; say --yes to do it")}
		}
		return run(cmd, args)
	}
	return cmd
}

func newOutputs() *cobra.Command {
	var f runFlags
	var reveal bool
	cmd := &cobra.Command{
		Use: "outputs [NAME]", Short: "Print the outputs of the stack's last up",
		Example: "  platform outputs --stack dev --local\n  platform outputs --stack prod --json --show-secrets",
		Args:    cobra.MaximumNArgs(1),
	}
	f.add(cmd)
	cmd.Flags().BoolVar(&reveal, "show-secrets", false, "print secret values instead of [secret]")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := f.complete(cmd); err != nil {
			return err
		}
		values, err := automation.Outputs(cmd.Context(), f.options)
		if err != nil {
			return err
		}
		return printOutputs(cmd.OutOrStdout(), values, args, f.json, reveal)
	}
	return cmd
}
