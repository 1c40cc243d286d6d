package automation

import (
	"io"
	"testing"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/events"
	"github.com/pulumi/pulumi/sdk/v3/go/common/apitype"
	"github.com/stretchr/testify/assert"
)

// Who imports the package is told in order what people read as progress.
func TestEventsTellWhatHappens(t *testing.T) {
	t.Parallel()
	var told []string
	g := newGatherer(&Result{Changes: map[string]int{}}, io.Discard)
	g.listener = func(e Event) {
		assert.False(t, e.Time.IsZero())
		told = append(told, string(e.Kind)+" "+e.Step.Operation+" "+e.Step.Name+" "+e.Severity+" "+e.Message)
	}
	for _, e := range []apitype.EngineEvent{
		{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: metadata(apitype.OpSame)}},
		{ResOutputsEvent: &apitype.ResOutputsEvent{Metadata: metadata(apitype.OpSame)}},
		{ResourcePreEvent: &apitype.ResourcePreEvent{Metadata: metadata(apitype.OpUpdate, "spec.replicas")}},
		{DiagnosticEvent: &apitype.DiagnosticEvent{URN: deploymentURN, Severity: "info", Ephemeral: true, Message: "0/1 available"}},
		{DiagnosticEvent: &apitype.DiagnosticEvent{URN: deploymentURN, Severity: "info#err", Message: "image cannot be pulled\n"}},
		{ResOpFailedEvent: &apitype.ResOpFailedEvent{Metadata: metadata(apitype.OpUpdate, "spec.replicas")}},
		{DiagnosticEvent: &apitype.DiagnosticEvent{Severity: "error", Message: "update failed"}},
	} {
		g.event(events.EngineEvent{EngineEvent: e})
	}
	assert.Equal(t, []string{
		"started update cert-manager/webhook  ",
		"diagnostic  cert-manager/webhook info image cannot be pulled",
		"failed update cert-manager/webhook  ",
		"diagnostic   error update failed",
	}, told)
}
