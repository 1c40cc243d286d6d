package automation

import (
	"encoding/base64"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/render"
)

func TestRenderNeedsADirectory(t *testing.T) {
	_, err := Render(t.Context(), Options{Stack: "dev"}, RenderOptions{})
	require.EqualError(t, err, "directory: none is named; name one, such as --out manifests")
	assert.True(t, IsUsage(err))

	dir := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	_, err = Render(t.Context(), Options{Stack: "dev"}, RenderOptions{Dir: dir})
	require.ErrorContains(t, err, "notes.txt, which has not been rendered")
	assert.True(t, IsUsage(err))
}

// Two runs of the engine, which does things in whatever order, write the same.
func TestRenderIsTheSameEachTime(t *testing.T) {
	for _, stack := range []string{"dev", "onprem", "prod"} {
		t.Run(stack, func(t *testing.T) {
			t.Parallel()
			first, second := t.TempDir(), t.TempDir()
			rendered, err := Render(t.Context(), Options{Stack: stack}, RenderOptions{Dir: first})
			require.NoError(t, err)
			_, err = Render(t.Context(), Options{Stack: stack}, RenderOptions{Dir: second})
			require.NoError(t, err)
			assert.Equal(t, contents(t, first), contents(t, second))

			for _, s := range rendered.Secrets {
				assert.NotEmpty(t, s.Keys, "%s: the keys are no secret", s.Name)
			}
			i := slices.IndexFunc(rendered.Secrets, func(s render.Secret) bool { return s.Name == "iris-database" })
			require.GreaterOrEqual(t, i, 0)
			assert.Equal(t, []string{"password", "username"}, rendered.Secrets[i].Keys)
			assert.Equal(t, []string{"storage-postgresql-platform-iris"}, rendered.Secrets[i].MadeOf, "the password that the database's own Secret has")
		})
	}
}

// What is secret in the configuration is in no file.
func TestRenderWritesNoSecrets(t *testing.T) {
	t.Parallel()
	const token = "correct-horse-battery-staple"
	project, out := t.TempDir(), t.TempDir()
	for _, name := range []string{"Pulumi.yaml", "artifacts"} {
		from, err := filepath.Abs(filepath.Join("..", name))
		require.NoError(t, err)
		require.NoError(t, os.Symlink(from, filepath.Join(project, name)))
	}
	stack, err := os.ReadFile("../Pulumi.dev.yaml")
	require.NoError(t, err)
	stack = append(stack, []byte(`
  controlplane:monitoring:
    alertmanager:
      receivers: [{name: on-call, webhook: {url: "https://alerts.example.com/`+token+`"}}]
      defaultReceiver: on-call
`)...)
	require.NoError(t, os.WriteFile(filepath.Join(project, "Pulumi.dev.yaml"), stack, 0o600))
	_, err = Render(t.Context(), Options{Project: project, Stack: "dev"}, RenderOptions{Dir: out})
	require.NoError(t, err)
	all := contents(t, out)
	require.Greater(t, len(all), 300)
	for name, data := range all {
		assert.NotContains(t, data, token, name)
		assert.NotContains(t, data, base64.StdEncoding.EncodeToString([]byte(token))[:24], name)
	}
}

// contents are the files below a directory.
func contents(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	require.NoError(t, fs.WalkDir(os.DirFS(dir), ".", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(dir, path))
		all[path] = string(data)
		return err
	}))
	return all
}
