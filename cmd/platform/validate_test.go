package main

import (
	"bytes"
	"context"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestValidateWarns checks a stack that is valid, and on a version of Kubernetes
// that EKS has no standard support for any more.
func TestValidateWarns(t *testing.T) {
	dir := project(t, "config:\n  controlplane:aws: {region: eu-central-1}\n  controlplane:cluster: {kind: eks, eks: {version: '1.31'}}\n")
	var out, errs bytes.Buffer
	root := newRoot()
	root.SetArgs([]string{"validate", "--stack", "test", "--project", dir})
	root.SetOut(&out)
	root.SetErr(&errs)
	require.NoError(t, root.ExecuteContext(context.Background()))
	assert.Equal(t, "stack test is valid\n", out.String())
	assert.Regexp(t, `^warning: controlplane:cluster.eks.version: "1.31" (is outside of standard|has no) support .*\n$`, errs.String())

	code, stdout, _ := execute(t, "validate", "--stack", "test", "--json", "--project", dir)
	assert.Zero(t, code)
	var report struct {
		Valid              bool
		Problems, Warnings []struct{ Path string }
	}
	require.NoError(t, json.Unmarshal([]byte(stdout), &report))
	assert.True(t, report.Valid)
	assert.NotNil(t, report.Problems, "an empty list")
	assert.Empty(t, report.Problems)
	require.Len(t, report.Warnings, 1)
	assert.Equal(t, "controlplane:cluster.eks.version", report.Warnings[0].Path)
}
