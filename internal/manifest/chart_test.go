package manifest_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

func fetch(t *testing.T, module, path string) *artifact.Tree {
	t.Helper()
	root, err := artifact.FindRoot()
	require.NoError(t, err)
	store, err := artifact.Open(root)
	require.NoError(t, err)
	tree, err := store.Fetch(context.Background(), artifact.Ref{Module: module, Path: path}, nil)
	require.NoError(t, err)
	return tree
}

func certManager(t *testing.T) manifest.Chart {
	tree := fetch(t, "github.com/cert-manager/cert-manager", "deploy/charts/cert-manager")
	return manifest.Chart{
		Tree: tree, Release: "cert-manager", Namespace: "cert-manager", Version: tree.Version, AppVersion: tree.Version,
		Values: map[string]any{"crds": map[string]any{"enabled": true, "keep": false}},
	}
}

func TestDump(t *testing.T) {
	s, err := certManager(t).Render()
	require.NoError(t, err)
	fmt.Println(len(s.CRDs), len(s.Objects), len(s.Hooks))
	for _, o := range s.All() {
		fmt.Println(o, o.GetAPIVersion(), o.Hook)
	}
	tree := fetch(t, "github.com/cert-manager/trust-manager", "deploy/charts/trust-manager")
	s, err = manifest.Chart{
		Tree: tree, Release: "trust-manager", Namespace: "cert-manager", Version: tree.Version, AppVersion: tree.Version,
		Values: map[string]any{"app": map[string]any{"trust": map[string]any{"namespace": "controlplane-system"}}},
	}.Render()
	require.NoError(t, err)
	fmt.Println(len(s.CRDs), len(s.Objects), len(s.Hooks))
	for _, o := range s.All() {
		fmt.Println(o, o.GetAPIVersion(), o.Hook)
	}
	tree = fetch(t, "github.com/prometheus-operator/prometheus-operator", "example/prometheus-operator-crd")
	s, err = manifest.ParseTree(tree)
	require.NoError(t, err)
	fmt.Println(len(s.CRDs), len(s.Objects), len(s.Hooks))
}
