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
	if text == "" || d.Ephemeral {
		return
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

// quiet are steps that are no news: what stays as it is, and the bookkeeping half of a replacement.
var quiet = []apitype.OpType{
	apitype.OpSame, apitype.OpCreateReplacement, apitype.OpDeleteReplaced, apitype.OpDiscardReplaced, apitype.OpRemovePendingReplace,
}

func (g *gatherer) begin(m apitype.StepEventMetadata) {
	key := m.URN + " " + string(m.Op)
	g.started[key] = time.Now()
	if slices.Contains(quiet, m.Op) {
		return
	}
	g.result.Steps = append(g.result.Steps, newStep(m))
}

func (g *gatherer) end(m apitype.StepEventMetadata, planning, failed bool) {
	if i := g.step(m); i >= 0 {
		g.result.Steps[i].Failed = failed
		if m.Op == apitype.OpRefresh && !failed {
			g.refreshed(i, m)
		}
	}
	if slices.Contains(quiet, m.Op) && m.Op != apitype.OpCreateReplacement && !failed {
		return
	}
	if m.Op == apitype.OpRefresh && !failed {
		return // refreshed has said what there is to say
	}
	u := urn.URN(m.URN)
	sign := map[bool]string{true: "failed", false: string(m.Op)}[failed]
	line := fmt.Sprintf("%-8s %s  %s", sign, u.Name(), u.Type())
	if took := time.Since(g.started[m.URN+" "+string(m.Op)]); !planning && took > 2*time.Second {
		line += fmt.Sprintf("  %s", took.Round(100*time.Millisecond))
	}
	g.printf("%s", line)
}

// refreshed corrects a refresh step once it is known what was found: nothing new, a change, or nothing at all.
func (g *gatherer) refreshed(i int, m apitype.StepEventMetadata) {
	step := newStep(m)
	step.Operation = string(apitype.OpUpdate)
	switch {
	case m.New == nil:
		step.Operation = string(apitype.OpDelete)
	case len(step.Properties) == 0:
		g.result.Steps = slices.Delete(g.result.Steps, i, i+1)
		return
	}
	g.result.Steps[i] = step
	g.printf("drift    %s  %s  %s", step.Name, step.Type, strings.Join(step.Properties, ", "))
}

func (g *gatherer) step(m apitype.StepEventMetadata) int {
	return slices.IndexFunc(g.result.Steps, func(s Step) bool {
		return s.URN == m.URN && s.Operation == string(m.Op)
	})
}

func (g *gatherer) printf(format string, args ...any) {
	fmt.Fprintf(g.out, format+"\n", args...)
}
