// Command platform runs the stacks of this project: a thin shell over package automation.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"

	"github.com/telekom/controlplane-infrastructure/automation"
)

// Exit codes, the same for every subcommand.
const (
	exitDone    = 0
	exitFailed  = 1
	exitUsage   = 2 // wrong usage or configuration: nothing was started
	exitChanges = 3 // there are changes, or drift, and none were expected
	exitRefused = 4 // preview --fail-on has found what it was to fail on
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		<-ctx.Done()
		stop() // a second signal ends this process at once
		fmt.Fprintln(os.Stderr, "cancelling: what is under way is finished or rolled back; the state stays consistent")
	}()
	os.Exit(exitCode(newRoot().ExecuteContext(ctx)))
}

// errChanges ends a command with exitChanges; what changed has been printed.
var errChanges = errors.New("there are changes")

func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	var usage *usageError
	var refused *refusedError
	switch {
	case errors.As(err, &refused):
		for _, reason := range refused.reasons {
			fmt.Fprintln(os.Stderr, "error: "+reason)
		}
		return exitRefused
	case errors.Is(err, errChanges):
		fmt.Fprintln(os.Stderr, "error: "+err.Error()+", and none were expected")
		return exitChanges
	case automation.IsUsage(err), errors.As(err, &usage):
		fmt.Fprintln(os.Stderr, "error: "+err.Error())
		return exitUsage
	}
	fmt.Fprintln(os.Stderr, "error: "+err.Error())
	return exitFailed
}

// usageError is a command line that cannot be run.
type usageError struct{ error }

func newRoot() *cobra.Command {
	root := &cobra.Command{
		Use:   "platform",
		Short: "Provision the infrastructure that the Control Plane runs on",
		Long: `platform provisions the infrastructure that the Control Plane of the Open Telekom Integration Platform runs on.

A stack (dev, onprem, prod) is configured in Pulumi.<stack>.yaml. Every command runs against the cluster that the
stack names or, with --local, against a Kubernetes control plane on this machine.

Exit codes: 0 done, 1 failed, 2 wrong usage or configuration, 3 there are changes and --expect-no-changes was given, or
there is drift, 4 the preview has found what --fail-on names.`,
		Example: `  platform validate --stack dev
  platform up --stack dev --local
  platform preview --stack prod --format markdown --fail-on protected,policy`,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          noArguments,
		RunE:          showHelp,
		PersistentPreRun: func(cmd *cobra.Command, _ []string) {
			// Kubernetes' client library reports cancelled requests and the like on standard error. What a user needs to
			// know comes as an error; only the supervisor, which has a log of its own, keeps the library's.
			if cmd.Name() != "supervise" {
				klog.SetLogger(logr.Discard())
			}
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err} })
	root.AddCommand(newUp(), newPreview(), newRefresh(), newDestroy(), newOutputs(), newValidate(), newPreflight(),
		newDrift(), newRender(), newHandover(), newLocal())
	addCompletions(root)
	return root
}

// showHelp makes a command that only groups others runnable: without it, cobra passes over a mistyped subcommand.
func showHelp(cmd *cobra.Command, _ []string) error { return cmd.Help() }

// noArguments refuses what cobra would pass over or report without an exit code of its own.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	cmd.SuggestionsMinimumDistance = 2 // letters that differ; cobra's own default applies only where cobra reports
	msg := fmt.Sprintf("unknown command %q for %q", args[0], cmd.CommandPath())
	if near := cmd.SuggestionsFor(args[0]); len(near) > 0 {
		msg += fmt.Sprintf("; did you mean %q?", near[0])
	}
	return &usageError{errors.New(msg)}
}
