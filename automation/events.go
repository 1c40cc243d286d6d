package automation

import (
	"slices"
	"strings"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
)

// EventKind says what an Event tells.
type EventKind string

const (
	// EventStarted says that the engine begins with a resource; Event.Step says what it does.
	EventStarted EventKind = "started"
	// EventFinished says that it is done. A refresh tells it of what differs only, and without an EventStarted.
	EventFinished EventKind = "finished"
	// EventFailed says that it did not succeed; an EventDiagnostic before it says why.
	EventFailed EventKind = "failed"
	// EventDiagnostic is a message of the engine, the program or a plugin.
	EventDiagnostic EventKind = "diagnostic"
)

// Event is one thing that happens during an operation.
type Event struct {
	Kind EventKind `json:"kind"`
	Time time.Time `json:"time"`
	// Step is what happens to a resource. Of a diagnostic about a resource it has only URN, Type and Name; of any other
	// diagnostic it is empty.
	Step Step `json:"step"`
	// Severity of a diagnostic is info, warning or error.
	Severity string `json:"severity,omitempty"`
	// Message is a diagnostic's text, without secrets.
	Message string `json:"message,omitempty"`
}

// tell passes an event of the engine on to who listens. What stays as it is is no event.
func (g *gatherer) tell(e events.EngineEvent) {
	if g.listener == nil {
		return
	}
	switch {
	case e.ResourcePreEvent != nil:
		g.tellStep(EventStarted, e.ResourcePreEvent.Metadata)
	case e.ResOutputsEvent != nil:
		g.tellStep(EventFinished, e.ResOutputsEvent.Metadata)
	case e.ResOpFailedEvent != nil:
		g.tellStep(EventFailed, e.ResOpFailedEvent.Metadata)
	case e.DiagnosticEvent != nil:
		g.tellDiagnostic(*e.DiagnosticEvent)
	}
}

// tellStep tells of a step as the result has it.
func (g *gatherer) tellStep(kind EventKind, m apitype.StepEventMetadata) {
	for _, step := range slices.Backward(g.result.Steps) {
		if step.URN == m.URN && step.Operation == string(m.Op) {
			g.listener(Event{Kind: kind, Time: time.Now(), Step: step})
			return
		}
	}
}

func (g *gatherer) tellDiagnostic(d apitype.DiagnosticEvent) {
	text := strings.TrimSpace(d.Message)
	if text == "" || d.Ephemeral {
		return
	}
	event := Event{Kind: EventDiagnostic, Time: time.Now(), Message: text}
	event.Severity, _, _ = strings.Cut(d.Severity, "#")
	if d.URN != "" {
		event.Step = newStep(apitype.StepEventMetadata{URN: d.URN})
		event.Step.Component = g.tree[d.URN]
	}
	g.listener(event)
}
