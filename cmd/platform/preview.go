package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/automation/report"
)

// Formats of a preview's report.
const (
	formatText     = "text"
	formatMarkdown = "markdown"
	formatJSON     = "json"
)

var formats = []string{formatText, formatMarkdown, formatJSON}

// What --fail-on can name.
const (
	failOnProtected = "protected"
	failOnPolicy    = "policy"
	failOnChanges   = "changes"
)

var failures = []string{failOnProtected, failOnPolicy, failOnChanges}

// smallestReport is the least that --max-bytes may ask for: the verdict and what is left out of each section need it.
const smallestReport = 4000

// previewFlags are the flags that only a preview has.
type previewFlags struct {
	runFlags
	format   string
	out      string
	maxBytes int
	failOn   []string
	allow    []string
	expect   bool
}

const previewHelp = `Tell what up would do, and change nothing. No cluster has to be reachable.

What is replaced or deleted although it holds data or is protected comes first, then other replacements and deletions,
updates with their differences, creations, and the policies that the stack would break. Secrets are never shown.
The report goes to standard output, progress to standard error.

Exit codes: 0 done, 1 the preview failed, 2 wrong usage or configuration, 3 --expect-no-changes was given and there are
changes, 4 the preview has found what --fail-on names. A report in Markdown or JSON is written in each of these cases.`

const previewExample = `  platform preview --stack prod
  platform preview --stack prod --expect-no-changes
  platform preview --stack prod --format json --out preview.json
  platform preview --stack prod --format markdown --out preview.md --fail-on protected,policy
  platform preview --stack prod --fail-on protected --allow backups --allow files`

func newPreview() *cobra.Command {
	var f previewFlags
	cmd := &cobra.Command{
		Use: "preview", Short: "Tell what up would do; needs no reachable cluster", Long: previewHelp,
		Example: previewExample, Args: noArguments,
	}
	f.runFlags.add(cmd)
	fs := cmd.Flags()
	fs.StringVar(&f.format, "format", formatText, "format of the report: "+strings.Join(formats, ", ")+"; --json is --format json")
	fs.StringVar(&f.out, "out", "", "file that the whole report is written to as well")
	fs.IntVar(&f.maxBytes, "max-bytes", report.DefaultMaxBytes, "largest size of the Markdown on standard output; 0: no limit")
	fs.StringSliceVar(&f.failOn, "fail-on", nil, "exit with 4 when there are: protected (data or protected resources that "+
		"would be replaced or deleted), policy (findings), changes")
	fs.StringArrayVar(&f.allow, "allow", nil, "name, ID or URN of a resource whose replacement or deletion is meant; repeatable")
	fs.BoolVar(&f.expect, "expect-no-changes", false, "exit with 3 when there are changes")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error { return f.run(cmd) }
	return cmd
}

func (f *previewFlags) run(cmd *cobra.Command) error {
	if err := f.complete(cmd); err != nil {
		return err
	}
	result, failed := automation.Preview(cmd.Context(), f.options)
	r := report.New(f.options.Stack, result, failed, f.allow)
	if unused := f.unused(r); failed == nil && len(unused) > 0 { // one that failed has not come to everything
		fmt.Fprintln(cmd.ErrOrStderr(), "warning: "+strings.Join(unused, "\nwarning: "))
		result.Warnings = append(result.Warnings, unused...)
		r = report.New(f.options.Stack, result, nil, f.allow) // the verdict counts warnings
	}
	if err := f.write(cmd.OutOrStdout(), r, failed); err != nil {
		return errors.Join(err, failed)
	}
	if failed != nil {
		return failed
	}
	return f.judge(r)
}

// complete checks the flags.
func (f *previewFlags) complete(cmd *cobra.Command) error {
	if f.json {
		if cmd.Flags().Changed("format") && f.format != formatJSON {
			return &usageError{fmt.Errorf("--json and --format %s exclude each other", f.format)}
		}
		f.format = formatJSON
	}
	if !slices.Contains(formats, f.format) {
		return &usageError{fmt.Errorf("--format %q is not known; allowed: %s", f.format, strings.Join(formats, ", "))}
	}
	for _, what := range f.failOn {
		if !slices.Contains(failures, what) {
			return &usageError{fmt.Errorf("--fail-on %q is not known; allowed: %s", what, strings.Join(failures, ", "))}
		}
	}
	if f.maxBytes != 0 && f.maxBytes < smallestReport {
		return &usageError{fmt.Errorf("--max-bytes %d is too small; allowed: 0 for no limit, or %d and more", f.maxBytes, smallestReport)}
	}
	return f.runFlags.complete(cmd)
}

// unused names what is allowed and not planned: a name that is mistyped, or no longer needed.
func (f *previewFlags) unused(r *report.Report) (texts []string) {
	for _, name := range f.allow {
		if !slices.ContainsFunc(r.Steps, func(s report.Step) bool { return s.Intended && report.Names(s.Step, name) }) {
			texts = append(texts, fmt.Sprintf("%q is allowed, and nothing of that name would be replaced or deleted", name))
		}
	}
	return texts
}

// write prints the report, and writes the whole of it to the file that is asked for.
func (f *previewFlags) write(w io.Writer, r *report.Report, failed error) error {
	if failed != nil && f.format == formatText && f.out == "" {
		return nil // the error says it all
	}
	if f.out != "" {
		var whole bytes.Buffer
		if err := f.render(&whole, r, report.Options{}); err != nil {
			return err
		}
		if err := os.WriteFile(f.out, whole.Bytes(), 0o644); err != nil { //nolint:gosec // it holds no secrets, and others read it
			return fmt.Errorf("write the report: %w", err)
		}
	}
	return f.render(w, r, report.Options{MaxBytes: f.maxBytes, Rest: f.out})
}

func (f *previewFlags) render(w io.Writer, r *report.Report, o report.Options) error {
	switch f.format {
	case formatMarkdown:
		return report.Markdown(w, r, o)
	case formatJSON:
		return report.JSON(w, r)
	}
	return report.Text(w, r)
}

// refusedError says what --fail-on has found.
type refusedError struct{ reasons []string }

func (e *refusedError) Error() string { return strings.Join(e.reasons, "\n") }

// judge fails on what the flags name.
func (f *previewFlags) judge(r *report.Report) error {
	var reasons []string
	if slices.Contains(f.failOn, failOnProtected) {
		for _, s := range r.AtStake() {
			if !s.Intended {
				reasons = append(reasons, fmt.Sprintf("--fail-on %s: would %s %s (%s); if that is meant, say --allow %s",
					failOnProtected, s.Operation, s.Name, s.Type, s.Name))
			}
		}
	}
	if slices.Contains(f.failOn, failOnPolicy) {
		for _, finding := range r.Findings {
			reasons = append(reasons, fmt.Sprintf("--fail-on %s: %s: %s: %s", failOnPolicy, finding.Rule, finding.Name, finding.Message))
		}
	}
	if slices.Contains(f.failOn, failOnChanges) && r.HasChanges() {
		reasons = append(reasons, fmt.Sprintf("--fail-on %s: %s", failOnChanges, r.Verdict))
	}
	switch {
	case len(reasons) > 0:
		return &refusedError{reasons}
	case f.expect && r.HasChanges():
		return errChanges
	}
	return nil
}
