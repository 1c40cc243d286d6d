package automation

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/pulumi/pulumi/sdk/v3/go/common/resource/urn"
)

// gatherer turns the engine's events into a Result and lines of progress.
type gatherer struct {
	result  *Result
	out     io.Writer
	started map[string]time.Time // by URN and operation
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
	}
}

func (g *gatherer) diagnostic(d apitype.DiagnosticEvent) {
	text := strings.TrimSpace(d.Message)
	if text == "" || d.Ephemeral || d.URN == "" && strings.HasSuffix(text, " failed") && len(g.result.Errors) > 0 {
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

func key(m apitype.StepEventMetadata) string { return m.URN + " " + string(m.Op) }

func (g *gatherer) begin(m apitype.StepEventMetadata) {
	g.started[key(m)] = time.Now()
	if !slices.Contains(quiet, m.Op) {
		g.result.Steps = append(g.result.Steps, newStep(m))
	}
}

func (g *gatherer) end(m apitype.StepEventMetadata, planning, failed bool) {
	if slices.Contains(quiet, m.Op) && !failed {
		return
	}
	u := urn.URN(m.URN)
	line := fmt.Sprintf("%-8s %s  %s", map[bool]string{true: "failed", false: string(m.Op)}[failed], u.Name(), u.Type())
	started, known := g.started[key(m)]
	switch {
	case !known: // a refresh that has found a difference
		step := newStep(m)
		g.result.Steps = append(g.result.Steps, step)
		line += "  " + strings.Join(step.Properties, ", ")
	case failed:
		g.fail(m)
	case !planning && time.Since(started) > 2*time.Second:
		line += fmt.Sprintf("  %s", time.Since(started).Round(100*time.Millisecond))
	}
	g.printf("%s", strings.TrimRight(line, " "))
}

// fail marks the step that failed; one that was no news until now becomes some.
func (g *gatherer) fail(m apitype.StepEventMetadata) {
	i := slices.IndexFunc(g.result.Steps, func(s Step) bool { return s.URN == m.URN && s.Operation == string(m.Op) })
	if i < 0 {
		g.result.Steps = append(g.result.Steps, newStep(m))
		i = len(g.result.Steps) - 1
	}
	g.result.Steps[i].Failed = true
}

func (g *gatherer) printf(format string, args ...any) {
	fmt.Fprintf(g.out, format+"\n", args...)
}
