package main

import (
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
)

func newDrift() *cobra.Command {
	var f runFlags
	var d automation.DriftOptions
	cmd := &cobra.Command{
		Use: "drift", Short: "Tell what differs from the stack's last state, and repair it with --repair",
		Long: `drift looks at everything that the stack has made and tells what others have changed or deleted since the last up: the
object, the field, what is wanted and what was found. It changes nothing, not even the state. What others set beside the
fields that the stack describes is no drift.

With --repair, what has drifted is brought back, and nothing else: a configuration that was changed since the last up takes
effect on drifted objects only, and on the rest with the next up. To see such changes, run preview.

Exit codes: 0 nothing differs, or it was repaired; 3 something differs; 1 and 2 as with every command.`,
		Example: `  platform drift --stack prod
  platform drift --stack prod --repair
  platform drift --stack prod --json`,
		Args: noArguments,
	}
	f.add(cmd)
	f.addLockWait(cmd)
	cmd.Flags().BoolVar(&d.Repair, "repair", false, "bring what has drifted back to what the stack describes")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := f.complete(cmd); err != nil {
			return err
		}
		report, err := automation.Drift(cmd.Context(), f.options, d)
		if report != nil {
			if err := printDrift(cmd.OutOrStdout(), report, f.json); err != nil {
				return err
			}
		}
		if err == nil && len(report.Objects) > 0 && report.Repair == nil {
			err = fmt.Errorf("stack %s has drifted: %w", report.Stack, errChanges)
		}
		return err
	}
	return cmd
}

// longestValue is how much of a value is shown in a line; JSON has all of it.
const longestValue = 160

func printDrift(w io.Writer, r *automation.DriftReport, asJSON bool) error {
	if asJSON {
		return printJSON(w, r)
	}
	for _, o := range r.Objects {
		fmt.Fprintf(w, "%s  %s\n", o.Name, o.Type)
		if o.Gone {
			fmt.Fprintln(w, "  is gone")
		}
		for _, field := range o.Fields {
			fmt.Fprintf(w, "  %s: wanted %s, found %s\n", field.Path, driftValue(field.Wanted), driftValue(field.Found))
		}
	}
	text := fmt.Sprintf("drift %s: nothing differs", r.Stack)
	if n := len(r.Objects); n > 0 {
		text = fmt.Sprintf("drift %s: %d differ", r.Stack, n)
	}
	if r.Repair != nil {
		text += "; " + r.Repair.Summary()
	}
	_, err := fmt.Fprintln(w, text)
	return err
}

// driftValue is a value in a line.
func driftValue(v any) string {
	if v == nil {
		return "nothing"
	}
	data, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if text := []rune(string(data)); len(text) > longestValue {
		return string(text[:longestValue]) + "…"
	}
	return string(data)
}
