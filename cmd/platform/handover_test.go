package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/handover"
)

func TestPrintChecks(t *testing.T) {
	t.Parallel()
	checks := []handover.Check{
		{Name: "namespace", What: "it is there", Status: handover.OK, Detail: "restricted"},
		{Name: "redis", What: "it serves", Status: handover.Failed, Detail: "no pod\nis ready", Mend: "Look at its pods."},
		{Name: "network-policies", What: "they are enforced", Status: handover.Unknown, Mend: "Make sure of it."},
	}
	var out bytes.Buffer
	require.NoError(t, printChecks(&out, "dev", checks, false))
	assert.Equal(t, `STATUS   CHECK             WHAT               FOUND
ok       namespace         it is there        restricted
failed   redis             it serves          no pod is ready
unknown  network-policies  they are enforced  
to mend redis: Look at its pods.
`, out.String())
	assert.False(t, handover.AllHold(checks))
	assert.True(t, handover.AllHold(checks[2:]), "what cannot be seen is no failure")

	out.Reset()
	require.NoError(t, printChecks(&out, "dev", checks, true))
	assert.Contains(t, out.String(), `"ready": false`)
	assert.Contains(t, out.String(), `"mend": "Look at its pods."`)
}

func TestHandoverUsage(t *testing.T) {
	t.Parallel()
	run := func(args ...string) error {
		root := newRoot()
		root.SetArgs(append([]string{"handover"}, args...))
		root.SetOut(&bytes.Buffer{})
		root.SetErr(&bytes.Buffer{})
		return root.ExecuteContext(t.Context())
	}
	assert.Equal(t, exitUsage, exitCode(run("--out", t.TempDir())), "no stack is named")
	assert.Equal(t, exitUsage, exitCode(run("chekc")), "a mistyped command")
	assert.Equal(t, exitUsage, exitCode(run("check", "--stack", "none")), "a stack without a file")
}
