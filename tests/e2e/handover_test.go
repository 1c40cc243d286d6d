//go:build e2e

package e2e

import (
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/internal/handover"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// handOver looks for everything that the Control Plane wants, and writes what installs it.
func handOver(t *testing.T, cluster *verify.Cluster, options automation.Options) {
	checks, err := automation.CheckHandover(cluster.Context(), options)
	require.NoError(t, err)
	for _, c := range checks {
		assert.NotEqual(t, handover.Failed, c.Status, "%s: %s", c.Name, c.Detail)
	}
	dir := filepath.Join(t.TempDir(), "handover")
	contract, err := automation.Handover(cluster.Context(), options, automation.HandoverOptions{
		Dir: dir, Base: "../../internal/handover/testdata/controlplane/install/bundle",
	})
	require.NoError(t, err)
	assert.Equal(t, options.Stack, contract.Stack)
	for _, f := range contract.Files {
		assert.FileExists(t, filepath.Join(dir, f.Path))
	}
}
