// Package report tells people and programs what a preview has found: as Markdown for a comment on a change under review,
// as text for a terminal, and as JSON with a schema (schema/preview.json). What cannot be undone comes first.
package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/policy"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// SchemaVersion is the version of the JSON report. It goes up when a field is removed or changes its meaning; fields may
// be added without.
const SchemaVersion = 1

// Values of Report.Status, from the one that needs no attention to the one that needs most.
const (
	Unchanged = "unchanged" // nothing would change
	Changed   = "changed"   // up would do what the report says
	Refused   = "refused"   // up would be refused, as it would delete or replace what is protected
	Failed    = "failed"    // the preview could not tell, or not all of it
)

// Report is what a preview has found.
type Report struct {
	// SchemaVersion is 1.
	SchemaVersion int `json:"schemaVersion"`
	// Stack is the stack's name.
	Stack string `json:"stack"`
	// Operation is preview.
	Operation string `json:"operation"`
	// Status is unchanged, changed, refused (up would be refused, as it would delete or replace what is protected) or failed.
	Status string `json:"status"`
	// Verdict says in a line what a reviewer has to know.
	Verdict string `json:"verdict"`
	// Changes counts the resources by what would be done with them: create, update, replace, delete, same. Components,
	// which only group resources, count as well.
	Changes map[string]int `json:"changes"`
	// Steps are the resources that would be changed: first what holds data and would be replaced or deleted, then other
	// replacements, deletions, updates and creations, each in the order of components, types and names.
	Steps []Step `json:"steps"`
	// Findings are the policies that the stack would break.
	Findings []policy.Finding `json:"findings,omitempty"`
	// Warnings and Errors are what the engine, the program and the plugins reported.
	Warnings []string `json:"warnings,omitempty"`
	Errors   []string `json:"errors,omitempty"`
	// Seconds is how long the preview took.
	Seconds float64 `json:"seconds"`
}

// Step is what would happen to one resource.
type Step struct {
	automation.Step
	// Loses says what goes with the resource when it is replaced or deleted, such as "the objects of a bucket"; empty
	// where nothing does.
	Loses string `json:"loses,omitempty"`
	// Intended says that the change has been named as meant.
	Intended bool `json:"intended,omitempty"`
}

// New makes the report of a preview. Intended names resources whose replacement or deletion is meant, each by name, ID
// or URN. An error that the result does not know of, or that left no result, is the report's as well.
func New(stack string, result *automation.Result, failed error, intended []string) *Report {
	if result == nil {
		result = &automation.Result{Stack: stack, Operation: "preview", Changes: map[string]int{}}
	}
	r := &Report{
		SchemaVersion: SchemaVersion, Stack: result.Stack, Operation: result.Operation, Changes: result.Changes, Steps: []Step{},
		Findings: result.Findings, Warnings: result.Warnings, Errors: result.Errors, Seconds: result.Seconds,
	}
	if failed != nil && (len(r.Errors) == 0 || automation.IsUsage(failed)) {
		r.Errors = messages(failed)
	}
	for _, s := range result.Steps {
		step := Step{Step: s}
		if ends(s) && !s.Retained {
			step.Loses, _ = policy.Stateful(s.Type)
		}
		step.Intended = ends(s) && slices.ContainsFunc(intended, func(name string) bool { return Names(s, name) })
		r.Steps = append(r.Steps, step)
	}
	slices.SortStableFunc(r.Steps, func(a, b Step) int {
		return cmp.Or(cmp.Compare(a.rank(), b.rank()), cmp.Compare(a.Component, b.Component),
			cmp.Compare(kind(a.Type), kind(b.Type)), cmp.Compare(a.Name, b.Name), cmp.Compare(a.URN, b.URN))
	})
	r.Status = r.status()
	r.Verdict = r.verdict()
	return r
}

// messages are an error's parts: each mistake in a configuration is one.
func messages(err error) (list []string) {
	var mistakes config.Errors
	if !errors.As(err, &mistakes) {
		return []string{err.Error()}
	}
	for _, mistake := range mistakes {
		list = append(list, mistake.String())
	}
	return list
}

// Names tells whether a name, an ID or a URN is that of a step's resource.
func Names(s automation.Step, name string) bool {
	return name != "" && (name == s.Name || name == s.ID || name == s.URN)
}

// ends tells whether what is there now is there no more afterwards.
func ends(s automation.Step) bool {
	return s.Custom && (s.Operation == string(apitype.OpReplace) || s.Operation == string(apitype.OpDelete))
}

// AtStake tells whether the step replaces or deletes what holds data or is protected.
func (s Step) AtStake() bool { return ends(s.Step) && (s.Loses != "" || s.Protected) }

// rank is the place of a step in the report.
func (s Step) rank() int {
	if s.AtStake() {
		return 0
	}
	return 1 + max(0, slices.Index([]string{"replace", "delete", "update", "create"}, s.Operation))
}

// Select returns the resources, without the components that group them, to which one of the operations would be done.
func (r *Report) Select(operations ...string) (selected []Step) {
	for _, s := range r.Steps {
		if s.Custom && !s.AtStake() && slices.Contains(operations, s.Operation) {
			selected = append(selected, s)
		}
	}
	return selected
}

// AtStake returns what would be replaced or deleted although it holds data or is protected.
func (r *Report) AtStake() (selected []Step) {
	for _, s := range r.Steps {
		if s.AtStake() {
			selected = append(selected, s)
		}
	}
	return selected
}

// HasChanges tells whether anything would be created, changed or deleted.
func (r *Report) HasChanges() bool {
	for operation, n := range r.Changes {
		if operation != string(apitype.OpSame) && n > 0 {
			return true
		}
	}
	return false
}

func (r *Report) status() string {
	switch {
	case len(r.Errors) > 0:
		return Failed
	case slices.ContainsFunc(r.Steps, func(s Step) bool { return ends(s.Step) && s.Protected }):
		return Refused
	case r.HasChanges():
		return Changed
	}
	return Unchanged
}

// kind is the last part of a type: Deployment, BucketV2.
func kind(resourceType string) string {
	return resourceType[strings.LastIndex(resourceType, ":")+1:]
}

// JSON writes the report as schema/preview.json describes it.
func JSON(w io.Writer, r *Report) error {
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(r)
}
