package render_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/planned"
	"github.com/telekom/controlplane-infrastructure/internal/render"
)

// settings are manifests with a ConfigMap of each name, in a component that is called like it.
func settings(t *testing.T, names ...string) *render.Manifests {
	t.Helper()
	var s render.Stack
	for _, name := range names {
		s.Resources = append(s.Resources, planned.Resource{
			URN: name, Type: "kubernetes:core/v1:ConfigMap", Name: name, Component: name, Inputs: map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name, "namespace": "default"},
			},
		})
	}
	m, err := render.Make(s)
	require.NoError(t, err)
	return m
}

func file(name string) string { return filepath.Join(name, "configmap_default_"+name+".yaml") }

func TestStaleFilesAreRemovedAndOthersStay(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	require.NoError(t, settings(t, "old", "shared").Write(dir, false))
	require.FileExists(t, filepath.Join(dir, file("old")))
	own := filepath.Join(dir, "shared", "mine.yaml")
	require.NoError(t, os.WriteFile(own, []byte("kind: Mine\n"), 0o600))

	require.NoError(t, settings(t, "new").Write(dir, false))
	assert.FileExists(t, filepath.Join(dir, file("new")))
	assert.NoDirExists(t, filepath.Join(dir, "old"), "with its last file goes the directory")
	assert.NoFileExists(t, filepath.Join(dir, file("shared")))
	assert.FileExists(t, own, "nobody rendered it")
}

func TestForeignDirectoriesAreRefused(t *testing.T) {
	t.Parallel()
	var foreign *render.ForeignError

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "README.md"), []byte("mine\n"), 0o600))
	err := settings(t, "one").Write(dir, false)
	require.True(t, errors.As(err, &foreign), "%v", err)
	assert.Equal(t, "README.md", foreign.File)
	assert.NoFileExists(t, filepath.Join(dir, file("one")), "nothing was written")
	require.NoError(t, settings(t, "one").Write(dir, true))
	assert.FileExists(t, filepath.Join(dir, file("one")))

	rendered := t.TempDir()
	require.NoError(t, settings(t, "one").Write(rendered, false))
	require.NoError(t, os.MkdirAll(filepath.Join(rendered, "two"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(rendered, file("two")), []byte("mine\n"), 0o600))
	assert.ErrorAs(t, settings(t, "one", "two").Write(rendered, false), &foreign, "a file of somebody else's is in the way")
}

// A list is a file in a repository: it may say anything.
func TestNothingOutsideIsRemoved(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	outside, dir := filepath.Join(parent, "outside.yaml"), filepath.Join(parent, "out")
	require.NoError(t, os.WriteFile(outside, nil, 0o600))
	require.NoError(t, os.Mkdir(dir, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(dir, render.ListFile), []byte("../outside.yaml\n"), 0o600))
	assert.ErrorContains(t, settings(t, "one").Write(dir, false), "../outside.yaml")
	assert.FileExists(t, outside)
}
