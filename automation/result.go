package automation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
	"github.com/telekom/controlplane-infrastructure/internal/policy"
)

// Result tells what an operation did, or in a preview what it would do.
type Result struct {
	// Stack is the stack's name.
	Stack string `json:"stack"`
	// Operation is preview, up, refresh or destroy.
	Operation string `json:"operation"`
	// Changes counts the resources by what was done with them: create, update, replace, delete, same.
	Changes map[string]int `json:"changes"`
	// Steps are the resources that were, or would be, changed; unchanged ones are only counted.
	Steps []Step `json:"steps"`
	// Findings are the policies that the stack would break. Only a preview has them.
	Findings []policy.Finding `json:"findings,omitempty"`
	// Warnings and Errors are what the engine, the program and the plugins reported.
	Warnings []string `json:"warnings,omitempty"`
	Errors   []string `json:"errors,omitempty"`
	// Outputs are the stack's outputs; secret ones are replaced by "[secret]".
	Outputs map[string]any `json:"outputs,omitempty"`
	// Seconds is how long the operation took.
	Seconds float64 `json:"seconds"`

	// resources are all that the stack describes, unchanged ones too.
	resources []planned.Resource
}

// Step is what happens to one resource.
type Step struct {
	// Operation is create, update, replace, delete, refresh or read.
	Operation string `json:"operation"`
	Type      string `json:"type"`
	Name      string `json:"name"`
	URN       string `json:"urn"`
	// Component is the component of the stack that the resource belongs to, such as storage; empty for what belongs to none.
	Component string `json:"component,omitempty"`
	// ID is what the resource is called where it exists, such as a bucket's name; empty for what does not exist yet.
	ID string `json:"id,omitempty"`
	// Properties are the paths of the properties that differ.
	Properties []string `json:"properties,omitempty"`
	// Replaces are the paths of those properties that force a replacement.
	Replaces []string `json:"replaces,omitempty"`
	// Changes are the properties that differ with their values: before and after in a preview and an up, as the stack wants
	// it and as it was found in a refresh. What is created or deleted as a whole has none.
	Changes []PropertyChange `json:"changes,omitempty"`
	// Protected says that the engine refuses to delete or replace the resource, before and after.
	Protected bool `json:"protected,omitempty"`
	// Retained says that what is deleted or replaced stays where it is, and is only not the stack's any more.
	Retained bool `json:"retained,omitempty"`
	// Custom is false for components, which only group other resources.
	Custom bool `json:"custom"`
	// Failed says that the operation on this resource did not succeed.
	Failed bool `json:"failed,omitempty"`
}

// HasChanges tells whether anything is, or would be, created, changed or deleted.
func (r *Result) HasChanges() bool {
	for op, n := range r.Changes {
		if op != string(apitype.OpSame) && n > 0 {
			return true
		}
	}
	return false
}

// Summary is the result in one line, for people.
func (r *Result) Summary() string {
	order := []struct{ op, text string }{
		{"create", "created"}, {"update", "updated"}, {"replace", "replaced"}, {"delete", "deleted"},
		{"refresh", "refreshed"}, {"same", "unchanged"},
	}
	var parts []string
	for _, o := range order {
		text := o.text
		if r.Operation == "preview" && o.op != "same" {
			text = "to " + o.op
		}
		if n := r.Changes[o.op]; n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, text))
		}
	}
	if len(parts) == 0 {
		parts = []string{"nothing to do"}
	}
	return fmt.Sprintf("%s %s: %s (%s)", r.Operation, r.Stack, strings.Join(parts, ", "),
		time.Duration(r.Seconds*float64(time.Second)).Round(100*time.Millisecond))
}

// newStep is a step without the values of what changes.
func newStep(m apitype.StepEventMetadata) Step {
	u := urn.URN(m.URN)
	s := Step{Operation: string(m.Op), Type: string(u.Type()), Name: u.Name(), URN: m.URN, Replaces: m.Keys}
	for _, state := range []*apitype.StepEventStateMetadata{m.New, m.Old} {
		s.Custom = s.Custom || state != nil && state.Custom
	}
	if m.Old != nil {
		s.Retained = m.Old.RetainOnDelete && (m.Op == apitype.OpDelete || m.Op == apitype.OpReplace)
		s.ID, s.Protected = m.Old.ID, m.Old.Protect && (m.New == nil || m.New.Protect)
	}
	s.Properties = slices.Clone(m.Diffs)
	if m.DetailedDiff != nil {
		s.Properties = s.Properties[:0]
		for path := range m.DetailedDiff {
			s.Properties = append(s.Properties, path)
		}
	}
	slices.Sort(s.Properties)
	return s
}

// plainOutputs are outputs as they may be shown: secret values are only named.
func plainOutputs(outputs auto.OutputMap) map[string]any {
	plain := make(map[string]any, len(outputs))
	for name, o := range outputs {
		plain[name] = o.Value
		if o.Secret {
			plain[name] = "[secret]"
		}
	}
	return plain
}

// OperationError is an operation that failed or was cancelled; Result tells how far it came.
type OperationError struct {
	Result    *Result
	Cancelled bool
	Err       error
}

func (e *OperationError) Error() string {
	what := "failed"
	if e.Cancelled {
		what = "was cancelled"
	}
	msg := fmt.Sprintf("%s of stack %s %s", e.Result.Operation, e.Result.Stack, what)
	if len(e.Result.Errors) > 0 {
		return msg + ":\n  " + strings.ReplaceAll(strings.Join(e.Result.Errors, "\n"), "\n", "\n  ")
	}
	if e.Cancelled { // all that the engine has printed says no more
		return msg
	}
	return msg + ": " + shorten(e.Err).Error()
}

func (e *OperationError) Unwrap() error { return e.Err }

// shorten keeps of an Automation API error, which carries the whole output of the engine, what the engine called an
// error; without such a line the error stays as it is.
func shorten(err error) error {
	var lines []string
	for line := range strings.Lines(err.Error()) {
		if text, found := strings.CutPrefix(strings.TrimSpace(line), "error: "); found {
			lines = append(lines, text)
		}
	}
	if len(lines) == 0 {
		return err
	}
	return errors.New(strings.Join(slices.Compact(lines), "\n"))
}
