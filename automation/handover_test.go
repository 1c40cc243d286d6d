package automation

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
	"github.com/telekom/controlplane-infrastructure/internal/handover"
)

// What preflight finds wrong for a stack fails a precondition only where the Control Plane cannot do without.
func TestClusterChecks(t *testing.T) {
	t.Parallel()
	found := func(check string, severity preflight.Severity) preflight.Finding {
		return preflight.Finding{Check: check, Severity: severity, Found: "something else", Remedy: "Mend it."}
	}
	checks := clusterChecks([]preflight.Finding{
		found("version", preflight.Warning), found("network policies", preflight.Warning), found("storage class", preflight.Warning),
		found("storage class", preflight.Error), found("ingress class", preflight.Warning), found("zones", preflight.Error),
	})
	statuses := map[string]handover.Status{}
	for _, c := range checks {
		statuses[c.Name] = c.Status
		assert.Equal(t, "something else", c.Detail)
		assert.Equal(t, "Mend it.", c.Mend)
	}
	assert.Equal(t, map[string]handover.Status{
		"kubernetes-version": handover.OK, "network-policies": handover.Unknown, "storage-class": handover.Failed, "ingress-class": handover.Failed,
	}, statuses)
	for _, c := range clusterChecks(nil) {
		assert.Equal(t, handover.OK, c.Status, c.Name)
	}
}

// Nothing is written for a stack that is not there.
func TestHandoverOfNothing(t *testing.T) {
	t.Parallel()
	o := Options{Project: "..", Stack: "dev", Local: true, LocalDir: t.TempDir() + "/none"}
	dir := t.TempDir() + "/handover"
	_, err := Handover(t.Context(), o, HandoverOptions{Dir: dir})
	require.ErrorIs(t, err, ErrNotRunning)
	assert.NoDirExists(t, dir)
	_, err = CheckHandover(t.Context(), o)
	require.ErrorIs(t, err, ErrNotRunning)
}
