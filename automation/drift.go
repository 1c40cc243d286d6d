package automation

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optrefresh"
	"github.com/pulumi/pulumi/sdk/v3/go/auto/optup"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// DriftOptions say what is done about drift.
type DriftOptions struct {
	// Repair brings what has drifted, and nothing else, back to what the stack describes.
	Repair bool
}

// DriftReport tells what differs from the stack's last state.
type DriftReport struct {
	Stack string `json:"stack"`
	// Objects are the resources that differ or are gone, as they were found: also after a repair.
	Objects []DriftedObject `json:"objects"`
	// Repair is what a repair has done; nil: nothing was repaired.
	Repair *Result `json:"repair,omitempty"`
	// Warnings are what the engine and the plugins reported.
	Warnings []string `json:"warnings,omitempty"`
	// Seconds is how long it took.
	Seconds float64 `json:"seconds"`
}

// DriftedObject is a resource that is not as the last operation has left it.
type DriftedObject struct {
	Type      string `json:"type"`
	Name      string `json:"name"`
	Component string `json:"component,omitempty"`
	URN       string `json:"urn"`
	// Gone says that it does not exist any more; it has no fields then.
	Gone bool `json:"gone,omitempty"`
	// Fields are those of its properties that the stack describes and that differ. What others set beside them is no drift.
	Fields []DriftedField `json:"fields,omitempty"`
}

// DriftedField is a property with the value that the state has and the one that was found; nil: it is not there. Secrets
// are named, not shown.
type DriftedField struct {
	Path   string `json:"path"`
	Wanted any    `json:"wanted"`
	Found  any    `json:"found"`
}

// Drift looks at every resource and tells what differs from the stack's last state. It changes nothing, not even the
// state, unless it is to repair what it finds.
//
// A repair is an up of nothing but what has drifted. Of a configuration that was changed since the last up, only what
// concerns a drifted resource comes with it; a drifted resource that needs a new one is an error of the engine's.
func Drift(ctx context.Context, o Options, d DriftOptions) (*DriftReport, error) {
	started := time.Now()
	found, err := findDrift(ctx, o, nil)
	if err != nil {
		return nil, err
	}
	report := &DriftReport{Stack: o.Stack, Objects: drifted(found), Warnings: found.Warnings}
	if d.Repair && len(report.Objects) > 0 {
		report.Repair, err = repair(ctx, o, report.Objects)
	}
	report.Seconds = time.Since(started).Seconds()
	return report, err
}

// findDrift asks for some resources, or for all.
func findDrift(ctx context.Context, o Options, urns []string) (*Result, error) {
	if err := needLocal(ctx, o); err != nil {
		return nil, err
	}
	return operate(ctx, o, "drift", func(s *session, ch chan<- events.EngineEvent) error {
		opts := []optrefresh.Option{
			optrefresh.EventStreams(ch), optrefresh.ProgressStreams(s.engineOutput()...),
			optrefresh.SuppressProgress(), optrefresh.SuppressOutputs(), optrefresh.Parallel(s.Parallel),
		}
		if len(urns) > 0 {
			opts = append(opts, optrefresh.Target(urns))
		}
		_, err := s.stack.PreviewRefresh(ctx, opts...)
		return err
	})
}

// drifted are the resources that a look at them has found to differ.
func drifted(found *Result) []DriftedObject {
	objects := []DriftedObject{}
	for _, step := range found.Steps {
		gone := step.Operation == string(apitype.OpDelete)
		if !step.Custom || !gone && len(step.Changes) == 0 && len(step.Properties) == 0 {
			continue
		}
		object := DriftedObject{Type: step.Type, Name: step.Name, Component: step.Component, URN: step.URN, Gone: gone}
		for _, c := range step.Changes {
			object.Fields = append(object.Fields, DriftedField{Path: c.Path, Wanted: c.Old, Found: c.New})
		}
		objects = append(objects, object)
	}
	return objects
}

// repair brings drifted resources back, and looks whether they are.
func repair(ctx context.Context, o Options, objects []DriftedObject) (*Result, error) {
	urns := make([]string, len(objects))
	for i, object := range objects {
		urns[i] = object.URN
	}
	result, err := operate(ctx, o, "up", func(s *session, ch chan<- events.EngineEvent) error {
		_, err := s.stack.Up(ctx, optup.Refresh(), optup.Target(urns), optup.EventStreams(ch),
			optup.ProgressStreams(s.engineOutput()...), optup.SuppressOutputs(), optup.SuppressProgress(), optup.Parallel(s.Parallel))
		return err
	})
	if err != nil {
		return result, err
	}
	left, err := findDrift(ctx, o, urns)
	if err != nil {
		return result, fmt.Errorf("look at what was repaired: %w", err)
	}
	var names []string
	for _, object := range drifted(left) {
		names = append(names, object.Type+" "+object.Name)
	}
	if len(names) > 0 {
		return result, fmt.Errorf("stack %s was repaired, and has drifted again at once; something else changes:\n  %s",
			o.Stack, strings.Join(names, "\n  "))
	}
	return result, nil
}
