// Package artifacttest gives tests the artefacts that artifacts/go.mod pins.
package artifacttest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
)

// PrometheusOperator and PrometheusCRDs are the module and the directory of the Prometheus operator's definitions.
const (
	PrometheusOperator = "github.com/prometheus-operator/prometheus-operator"
	PrometheusCRDs     = "example/prometheus-operator-crd"
)

// Fetch is a directory or a file of a pinned module.
func Fetch(t testing.TB, module, path string) *artifact.Tree {
	t.Helper()
	root, err := artifact.FindRoot()
	require.NoError(t, err)
	store, err := artifact.Open(root)
	require.NoError(t, err)
	tree, err := store.Fetch(t.Context(), artifact.Ref{Module: module, Path: path}, nil)
	require.NoError(t, err)
	return tree
}
