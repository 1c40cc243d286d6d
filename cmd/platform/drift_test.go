package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/automation"
)

func TestDriftIsToldByObjectAndField(t *testing.T) {
	t.Parallel()
	report := &automation.DriftReport{Stack: "prod", Objects: []automation.DriftedObject{
		{Type: "kubernetes:apps/v1:Deployment", Name: "identity/iris", Fields: []automation.DriftedField{
			{Path: "spec.replicas", Wanted: 3, Found: 1}, {Path: "metadata.labels.app", Wanted: "iris"},
			{Path: "spec.template", Wanted: strings.Repeat("x", 300), Found: "y"},
		}},
		{Type: "kubernetes:core/v1:Service", Name: "identity/iris", Gone: true},
	}}
	var out bytes.Buffer
	require.NoError(t, printDrift(&out, report, false))
	assert.Equal(t, "identity/iris  kubernetes:apps/v1:Deployment\n"+
		"  spec.replicas: wanted 3, found 1\n"+
		"  metadata.labels.app: wanted \"iris\", found nothing\n"+
		"  spec.template: wanted \""+strings.Repeat("x", longestValue-1)+"…, found \"y\"\n"+
		"identity/iris  kubernetes:core/v1:Service\n"+
		"  is gone\n"+
		"drift prod: 2 differ\n", out.String())

	out.Reset()
	report.Repair = &automation.Result{Stack: "prod", Operation: "up", Changes: map[string]int{"create": 1, "update": 1}, Seconds: 2}
	require.NoError(t, printDrift(&out, report, false))
	assert.Contains(t, out.String(), "drift prod: 2 differ; up prod: 1 created, 1 updated (2s)\n")

	out.Reset()
	require.NoError(t, printDrift(&out, &automation.DriftReport{Stack: "prod"}, false))
	assert.Equal(t, "drift prod: nothing differs\n", out.String())
}
