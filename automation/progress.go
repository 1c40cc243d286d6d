package automation

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
)

// patience is how long an operation may take before a line says that it is being waited for, and again after as long.
const patience = 10 * time.Second

// gatherer turns the engine's events into a Result and lines of progress.
type gatherer struct {
	result *Result
	out    io.Writer
	// under is what is under way, by URN: the engine does one thing at a time with a resource.
	under map[string]*operation
	// tree finds the component of a resource.
	tree planned.Tree
	// gone are the parents of what is deleted.
	gone map[string]string
	// bared are the names of what loses its protection.
	bared []string
	// listener gets what happens, too; nil: nobody does.
	listener func(Event)
}

// operation is what the engine does with one resource.
type operation struct {
	op      apitype.OpType
	group   bool // a component or the stack, which only waits for what is in it
	started time.Time
	told    time.Time // when a line last said that it is being waited for
	status  string    // what the plugin last said it waits for
}

func newGatherer(result *Result, out io.Writer) *gatherer {
	return &gatherer{result: result, out: out, under: map[string]*operation{}, tree: planned.Tree{}, gone: map[string]string{}}
}

// gather takes events until there are no more, or the context ends.
func (g *gatherer) gather(ctx context.Context, ch <-chan events.EngineEvent) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case e, more := <-ch:
			if !more {
				return
			}
			g.event(e)
		case now := <-tick.C:
			g.waiting(now)
		}
	}
}

// waiting tells what takes long, and why as far as is known.
func (g *gatherer) waiting(now time.Time) {
	for _, name := range slices.Sorted(maps.Keys(g.under)) {
		o, u := g.under[name], urn.URN(name)
		if o.group || now.Sub(o.told) < patience {
			continue
		}
		o.told = now
		g.printf("%s", strings.TrimSuffix(fmt.Sprintf("waiting  %s  %s  %s: %s", u.Name(), u.Type(),
			now.Sub(o.started).Round(time.Second), o.status), ": "))
	}
}

// status keeps what a plugin says about an operation under way.
func (g *gatherer) status(d apitype.DiagnosticEvent) {
	if o := g.under[d.URN]; o != nil {
		o.status, _, _ = strings.Cut(strings.TrimSpace(d.Message), "\n")
	}
}

// engineOutput is where the engine's own text goes.
func (s *session) engineOutput() []io.Writer {
	if s.Verbose {
		return []io.Writer{s.Progress}
	}
	return nil
}

func (g *gatherer) event(e events.EngineEvent) {
	switch {
	case e.DiagnosticEvent != nil:
		g.diagnostic(*e.DiagnosticEvent)
	case e.ResourcePreEvent != nil:
		g.begin(e.ResourcePreEvent.Metadata)
	case e.ResOutputsEvent != nil:
		g.end(e.ResOutputsEvent.Metadata, e.ResOutputsEvent.Planning, false)
	case e.ResOpFailedEvent != nil:
		g.end(e.ResOpFailedEvent.Metadata, false, true)
	case e.SummaryEvent != nil:
		for op, n := range e.SummaryEvent.ResourceChanges {
			g.result.Changes[string(op)] = n
		}
		g.components()
		g.unprotected()
	}
	g.tell(e)
}

func (g *gatherer) diagnostic(d apitype.DiagnosticEvent) {
	text := strings.TrimSpace(d.Message)
	if d.Ephemeral {
		g.status(d)
		return
	}
	if text == "" || d.URN == "" && strings.HasSuffix(text, " failed") && len(g.result.Errors) > 0 {
		return // the last is the engine's closing line, which adds nothing to the errors before it
	}
	if d.URN != "" {
		text = urn.URN(d.URN).Name() + ": " + text
	}
	switch d.Severity {
	case "error":
		if !slices.Contains(g.result.Errors, text) {
			g.result.Errors = append(g.result.Errors, text)
			g.printf("error: %s", text)
		}
	case "warning":
		if !slices.Contains(g.result.Warnings, text) {
			g.result.Warnings = append(g.result.Warnings, text)
			g.printf("warning: %s", text)
		}
	case "info", "info#err":
		g.printf("%s", text)
	}
}

// quiet are steps that are no news: what stays as it is, and the bookkeeping half of a replacement. A refresh is news
// only once it has found a difference, and is then reported as what it found.
var quiet = []apitype.OpType{
	apitype.OpSame, apitype.OpRefresh, apitype.OpCreateReplacement, apitype.OpDeleteReplaced, apitype.OpDiscardReplaced,
	apitype.OpRemovePendingReplace,
}

func (g *gatherer) begin(m apitype.StepEventMetadata) {
	now := time.Now()
	g.plan(m)
	step := g.step(m, false)
	if m.Old != nil && m.New != nil && m.Old.Protect && !m.New.Protect {
		g.bared = append(g.bared, step.Name)
	}
	g.under[m.URN] = &operation{op: m.Op, group: !step.Custom, started: now, told: now}
	if !slices.Contains(quiet, m.Op) {
		g.result.Steps = append(g.result.Steps, step)
	}
}

// unprotected warns of a preview after which what was protected from deletion is not any more: the engine takes that for no
// change.
func (g *gatherer) unprotected() {
	if len(g.bared) == 0 || g.result.Operation != "preview" {
		return
	}
	slices.Sort(g.bared)
	g.result.Warnings = append(g.result.Warnings, "no longer protected from deletion: "+strings.Join(slices.Compact(g.bared), ", "))
}

// components finds the components of what is deleted: it goes before what it is in.
func (g *gatherer) components() {
	var find func(name string) string
	find = func(name string) string {
		if parent, gone := g.gone[name]; gone && g.tree[name] == "" {
			find(parent)
			return g.tree.Add(name, parent)
		}
		return g.tree[name]
	}
	for i, s := range g.result.Steps {
		g.result.Steps[i].Component = find(s.URN)
	}
}

// step is what happens to a resource, or what a refresh has found of it.
func (g *gatherer) step(m apitype.StepEventMetadata, found bool) Step {
	step := newStep(m)
	step.Component = g.tree[m.URN]
	if m.Op == apitype.OpSame || m.Op == apitype.OpRefresh {
		return step
	}
	var err error
	if step.Changes, err = changes(m, found); err != nil {
		g.result.Warnings = append(g.result.Warnings, fmt.Sprintf("%s: what changes cannot be told: %v", step.Name, err))
	}
	return step
}

// plan keeps what the program describes. What is only deleted is none of it.
func (g *gatherer) plan(m apitype.StepEventMetadata) {
	switch {
	case (m.New == nil || m.Op == apitype.OpRefresh) && m.Old != nil: // both in any order
		g.tree.Add(m.URN, m.Old.Parent)
		g.gone[m.URN] = m.Old.Parent
	case m.New != nil && m.Op != apitype.OpRefresh:
		r, err := planned.FromEvent(m.New, g.tree)
		if err != nil {
			g.result.Warnings = append(g.result.Warnings, "not judged by policies: "+err.Error())
			return
		}
		// A replacement is described up to three times.
		g.result.resources = slices.DeleteFunc(g.result.resources, func(other planned.Resource) bool { return other.URN == r.URN })
		g.result.resources = append(g.result.resources, r)
	}
}

func (g *gatherer) end(m apitype.StepEventMetadata, planning, failed bool) {
	o := g.under[m.URN]
	delete(g.under, m.URN)
	if slices.Contains(quiet, m.Op) && !failed {
		return
	}
	u := urn.URN(m.URN)
	line := fmt.Sprintf("%-8s %s  %s", map[bool]string{true: "failed", false: string(m.Op)}[failed], u.Name(), u.Type())
	switch {
	case o == nil || o.op == apitype.OpRefresh && !failed: // a refresh that has found a difference
		step := g.step(m, true)
		g.result.Steps = append(g.result.Steps, step)
		found := map[apitype.OpType]string{apitype.OpUpdate: "differs", apitype.OpDelete: "gone"}[m.Op]
		line = fmt.Sprintf("%-8s %s  %s  %s", cmp.Or(found, string(m.Op)), u.Name(), u.Type(), strings.Join(step.Properties, ", "))
	case failed:
		g.fail(m)
	case !planning && time.Since(o.started) > 2*time.Second:
		line += fmt.Sprintf("  %s", time.Since(o.started).Round(100*time.Millisecond))
	}
	g.printf("%s", strings.TrimRight(line, " "))
}

// fail marks the step that failed; one that was no news until now becomes some.
func (g *gatherer) fail(m apitype.StepEventMetadata) {
	i := slices.IndexFunc(g.result.Steps, func(s Step) bool { return s.URN == m.URN && s.Operation == string(m.Op) })
	if i < 0 {
		g.result.Steps = append(g.result.Steps, g.step(m, false))
		i = len(g.result.Steps) - 1
	}
	g.result.Steps[i].Failed = true
}

func (g *gatherer) printf(format string, args ...any) {
	fmt.Fprintf(g.out, format+"\n", args...)
}
