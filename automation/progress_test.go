package automation

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
)

const deploymentURN = "urn:pulumi:dev::controlplane::controlplane:certtrust:CertTrust$kubernetes:apps/v1:Deployment::cert-manager/webhook"

func metadata(op apitype.OpType, changed ...string) apitype.StepEventMetadata {
	m := apitype.StepEventMetadata{
		Op: op, URN: deploymentURN, Type: "kubernetes:apps/v1:Deployment", DetailedDiff: map[string]apitype.PropertyDiff{},
		New: &apitype.StepEventStateMetadata{URN: deploymentURN, Custom: true},
	}
	for _, path := range changed {
		m.DetailedDiff[path] = apitype.PropertyDiff{}
	}
	return m
}

// gather runs events through a gatherer and returns what it made of them.
func gather(list ...apitype.EngineEvent) (*Result, string) {
	var out bytes.Buffer
	g := newGatherer(&Result{Changes: map[string]int{}}, &out)
	for _, e := range list {
		g.event(events.EngineEvent{EngineEvent: e})
	}
	return g.result, out.String()
}

func TestStepsAndProgressOfAnUp(t *testing.T) {
	result, out := gather(
		apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: metadata(apitype.OpUpdate, "spec.replicas")}},
		apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: metadata(apitype.OpUpdate, "spec.replicas")}},
		apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: metadata(apitype.OpSame)}},
		apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: metadata(apitype.OpSame)}},
		apitype.EngineEvent{SummaryEvent: &apitype.SummaryEvent{ResourceChanges: map[apitype.OpType]int{"update": 1, "same": 7}}},
	)
	assert.Equal(t, "update   cert-manager/webhook  kubernetes:apps/v1:Deployment\n", out)
	assert.Equal(t, []Step{{
		Operation: "update", Type: "kubernetes:apps/v1:Deployment", Name: "cert-manager/webhook", URN: deploymentURN,
		Properties: []string{"spec.replicas"}, Custom: true,
	}}, result.Steps)
	assert.True(t, result.HasChanges())
	assert.Equal(t, map[string]int{"update": 1, "same": 7}, result.Changes)
}

// The Automation API never closes the channel of an operation that could not begin, such as with a full temporary directory.
func TestAnOperationThatCouldNotBeginEnds(t *testing.T) {
	broken := errors.New("no space left on device")
	started := time.Now()
	err := follow(newGatherer(&Result{Changes: map[string]int{}}, io.Discard), func(chan<- events.EngineEvent) error { return broken })
	assert.ErrorIs(t, err, broken)
	assert.Less(t, time.Since(started), 2*closing)
}

func TestRefreshListsOnlyDrift(t *testing.T) {
	for name, c := range map[string]struct {
		found apitype.StepEventMetadata
		steps []string
	}{
		"as it was": {metadata(apitype.OpSame), nil},
		"changed":   {metadata(apitype.OpUpdate, "spec.replicas"), []string{"update"}},
		"gone":      {metadata(apitype.OpDelete), []string{"delete"}},
	} {
		t.Run(name, func(t *testing.T) {
			result, _ := gather(
				apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: metadata(apitype.OpRefresh)}},
				apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: c.found}},
			)
			var operations []string
			for _, s := range result.Steps {
				operations = append(operations, s.Operation)
			}
			assert.Equal(t, c.steps, operations)
		})
	}
}

func TestAFailureNamesTheResourceOnce(t *testing.T) {
	diagnostic := apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{
		URN: deploymentURN, Severity: "error", Message: "deployment is not ready: image cannot be pulled\n",
	}}
	result, out := gather(
		apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: metadata(apitype.OpCreate)}},
		diagnostic, diagnostic,
		apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "error", Message: "update failed"}},
		apitype.EngineEvent{ResOpFailedEvent: &apitype.ResOpFailedEvent{Metadata: metadata(apitype.OpCreate)}},
	)
	assert.True(t, result.Steps[0].Failed)
	assert.Equal(t, []string{"cert-manager/webhook: deployment is not ready: image cannot be pulled"}, result.Errors)
	assert.Contains(t, out, "failed   cert-manager/webhook")

	result.Stack, result.Operation = "dev", "up"
	err := &OperationError{Result: result, Err: errors.New("exit status 255\nstdout: a lot of text")}
	assert.Equal(t, "up of stack dev failed:\n  cert-manager/webhook: deployment is not ready: image cannot be pulled", err.Error())
}

func TestALongWaitSaysWhy(t *testing.T) {
	var out bytes.Buffer
	g := newGatherer(&Result{Changes: map[string]int{}}, &out)
	send := func(e apitype.EngineEvent) { g.event(events.EngineEvent{EngineEvent: e}) }
	send(apitype.EngineEvent{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: metadata(apitype.OpCreate)}})
	send(apitype.EngineEvent{DiagnosticEvent: &apitype.DiagnosticEvent{
		URN: deploymentURN, Severity: "info", Ephemeral: true, Message: "Available: 0/1, image cannot be pulled\n",
	}})
	begin := time.Now()
	for _, after := range []time.Duration{5, 12, 13, 23} {
		g.waiting(begin.Add(after * time.Second))
	}
	line := "waiting  cert-manager/webhook  kubernetes:apps/v1:Deployment  %ds: Available: 0/1, image cannot be pulled\n"
	assert.Equal(t, fmt.Sprintf(line, 12)+fmt.Sprintf(line, 23), out.String())

	out.Reset()
	send(apitype.EngineEvent{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: metadata(apitype.OpCreate)}})
	out.Reset()
	g.waiting(begin.Add(time.Hour))
	assert.Empty(t, out.String(), "what is done is not waited for")
}

func TestSummary(t *testing.T) {
	done := &Result{Stack: "dev", Operation: "up", Changes: map[string]int{"create": 3, "same": 2}, Seconds: 1.25}
	assert.Equal(t, "up dev: 3 created, 2 unchanged (1.3s)", done.Summary())
	planned := &Result{Stack: "dev", Operation: "preview", Changes: map[string]int{"replace": 1, "same": 2}, Seconds: 1}
	assert.Equal(t, "preview dev: 1 to replace, 2 unchanged (1s)", planned.Summary())
}
