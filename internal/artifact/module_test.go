package artifact_test

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/mod/module"
	"golang.org/x/mod/sumdb/dirhash"
	modzip "golang.org/x/mod/zip"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
)

const demo = "example.com/demo"

// demoFiles are the content of module example.com/demo v1.2.3.
var demoFiles = map[string]string{
	"go.mod":                       "module example.com/demo\n",
	"deploy/chart/Chart.yaml":      "apiVersion: v2\nname: demo\nversion: 0.0.0\n",
	"deploy/chart/templates/a.yml": "kind: ConfigMap\n",
	"bundle.yaml":                  "kind: Namespace\n",
	"releases/demo-1.2.3.yaml":     "kind: Secret\n",
}

// mirror serves example.com/demo v1.2.3, and returns the address and the lines
// of go.sum.
func mirror(t *testing.T) (address, goSum string) {
	t.Helper()
	source := filepath.Join(t.TempDir(), "source")
	for name, content := range demoFiles {
		write(t, filepath.Join(source, name), content)
	}
	dir := filepath.Join(t.TempDir(), "example.com", "demo", "@v")
	require.NoError(t, os.MkdirAll(dir, 0o755))
	zip, err := os.Create(filepath.Join(dir, "v1.2.3.zip"))
	require.NoError(t, err)
	require.NoError(t, modzip.CreateFromDir(zip, module.Version{Path: demo, Version: "v1.2.3"}, source))
	require.NoError(t, zip.Close())
	write(t, filepath.Join(dir, "v1.2.3.mod"), demoFiles["go.mod"])
	write(t, filepath.Join(dir, "v1.2.3.info"), `{"Version":"v1.2.3"}`)

	zipSum, err := dirhash.HashZip(zip.Name(), dirhash.Hash1)
	require.NoError(t, err)
	modSum, err := dirhash.Hash1([]string{"go.mod"}, func(string) (io.ReadCloser, error) {
		return io.NopCloser(strings.NewReader(demoFiles["go.mod"])), nil
	})
	require.NoError(t, err)
	server := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "..", "..", ".."))))
	t.Cleanup(server.Close)
	return server.URL, fmt.Sprintf("%s v1.2.3 %s\n%s v1.2.3/go.mod %s\n", demo, zipSum, demo, modSum)
}

// project creates a project that pins example.com/demo, and takes the go
// command's caches out of the way.
func project(t *testing.T, goProxy, goSum string) *artifact.Store {
	t.Helper()
	root := t.TempDir()
	write(t, filepath.Join(root, "artifacts", "go.mod"), "module example.com/bom\n\ngo 1.26\n\nrequire example.com/demo v1.2.3\n")
	write(t, filepath.Join(root, "artifacts", "go.sum"), goSum)
	t.Setenv("GOMODCACHE", t.TempDir())
	t.Setenv("GOPROXY", goProxy)
	t.Setenv("GOFLAGS", "-modcacherw") // so that the test can clean up
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	store, err := artifact.Open(root)
	require.NoError(t, err)
	return store
}

func write(t *testing.T, name, content string) {
	t.Helper()
	require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
	require.NoError(t, os.WriteFile(name, []byte(content), 0o644))
}

func TestFetchesAModuleFromAMirror(t *testing.T) {
	address, goSum := mirror(t)
	store := project(t, address, goSum)

	tree, err := store.Fetch(context.Background(), artifact.Ref{Module: demo, Path: "deploy/chart"}, nil)
	require.NoError(t, err)
	require.Equal(t, "v1.2.3", tree.Version)
	require.Equal(t, "example.com/demo@v1.2.3/deploy/chart", tree.Origin)
	require.Equal(t, []string{"Chart.yaml", "templates/a.yml"}, names(t, tree))

	t.Run("then without network and without the go command", func(t *testing.T) {
		t.Setenv("GOPROXY", "off")
		t.Setenv("PATH", t.TempDir())
		tree, err := store.Fetch(context.Background(), artifact.Ref{Module: demo, Path: "bundle.yaml"}, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"bundle.yaml"}, names(t, tree))
	})
	t.Run("a file that is named after the version", func(t *testing.T) {
		tree, err := store.Fetch(context.Background(), artifact.Ref{Module: demo, Path: "releases/demo-{version}.yaml"}, nil)
		require.NoError(t, err)
		require.Equal(t, []string{"demo-1.2.3.yaml"}, names(t, tree))
		require.Equal(t, "example.com/demo@v1.2.3/releases/demo-1.2.3.yaml", tree.Origin)
	})
	t.Run("but a path must exist", func(t *testing.T) {
		_, err := store.Fetch(context.Background(), artifact.Ref{Module: demo, Path: "deploy/charts/demo"}, nil)
		require.ErrorContains(t, err, "module example.com/demo@v1.2.3: no deploy/charts/demo; deploy has chart")
	})
}

func TestRejectsAModuleThatWasChanged(t *testing.T) {
	address, goSum := mirror(t)
	lines := strings.SplitAfter(goSum, "\n")
	lines[0] = demo + " v1.2.3 h1:UWgoYM+KLNtRlqmoWOKjKBOBUPVHeepQ6/ac3ERJW68=\n"

	t.Run("on the mirror", func(t *testing.T) {
		store := project(t, address, strings.Join(lines, ""))
		_, err := store.Fetch(context.Background(), artifact.Ref{Module: demo}, nil)
		require.ErrorContains(t, err, "is not the one that artifacts/go.sum names (h1:UWgo")
	})
	t.Run("in the cache", func(t *testing.T) {
		good := project(t, address, goSum)
		cache := os.Getenv("GOMODCACHE")
		_, err := good.Fetch(context.Background(), artifact.Ref{Module: demo}, nil)
		require.NoError(t, err)

		bad := project(t, address, strings.Join(lines, ""))
		t.Setenv("GOMODCACHE", cache)
		_, err = bad.Fetch(context.Background(), artifact.Ref{Module: demo}, nil)
		require.ErrorContains(t, err, "is not the one that artifacts/go.sum names (h1:UWgo")
	})
}

func TestErrorsSayWhatToDo(t *testing.T) {
	_, goSum := mirror(t)
	for name, tc := range map[string]struct {
		proxy, sum string
		ref        artifact.Ref
		want       []string
	}{
		"not pinned":        {"off", goSum, artifact.Ref{Module: "example.com/dmeo"}, []string{"artifacts/go.mod does not pin example.com/dmeo; did you mean example.com/demo?"}},
		"nothing like it":   {"off", goSum, artifact.Ref{Module: "github.com/cert-manager/cert-manager"}, []string{"does not pin github.com/cert-manager/cert-manager"}},
		"no hash":           {"off", "", artifact.Ref{Module: demo}, []string{"go.sum has no hash of example.com/demo@v1.2.3", "go mod download"}},
		"no network":        {"http://127.0.0.1:1", goSum, artifact.Ref{Module: demo}, []string{"GOPROXY=http://127.0.0.1:1", "set GOPROXY to a mirror"}},
		"network is closed": {"off", goSum, artifact.Ref{Module: demo}, []string{"GOPROXY=off", "set GOPROXY to a mirror"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := project(t, tc.proxy, tc.sum).Fetch(context.Background(), tc.ref, nil)
			require.Error(t, err)
			for _, want := range tc.want {
				require.ErrorContains(t, err, want)
			}
		})
	}
}

func TestRootComesFromTheEnvironmentOrTheWorkingDirectory(t *testing.T) {
	root, err := artifact.FindRoot()
	require.NoError(t, err)
	require.FileExists(t, filepath.Join(root, "artifacts", "go.mod"))

	t.Chdir(t.TempDir())
	_, err = artifact.FindRoot()
	require.ErrorContains(t, err, "set PLATFORM_ROOT to its root")

	t.Setenv(artifact.RootVariable, root)
	found, err := artifact.FindRoot()
	require.NoError(t, err)
	require.Equal(t, root, found)
}

// The charts that the platform installs must be where the components look for
// them, at whatever version artifacts/go.mod pins.
func TestThePinnedModulesHoldTheirCharts(t *testing.T) {
	root, err := artifact.FindRoot()
	require.NoError(t, err)
	store, err := artifact.Open(root)
	require.NoError(t, err)
	for ref, file := range map[artifact.Ref]string{
		{Module: "github.com/cert-manager/cert-manager", Path: "deploy/charts/cert-manager"}:                    "Chart.yaml",
		{Module: "github.com/cert-manager/trust-manager", Path: "deploy/charts/trust-manager"}:                  "Chart.yaml",
		{Module: "github.com/prometheus-operator/prometheus-operator", Path: "example/prometheus-operator-crd"}: "monitoring.coreos.com_servicemonitors.yaml",
		{Module: "github.com/cloudnative-pg/cloudnative-pg", Path: "releases/cnpg-{version}.yaml"}:              "cnpg-1.30.0.yaml",
		{Module: "github.com/cloudnative-pg/plugin-barman-cloud", Path: "manifest.yaml"}:                        "manifest.yaml",
	} {
		tree, err := store.Fetch(context.Background(), ref, nil)
		require.NoError(t, err)
		require.Contains(t, names(t, tree), file)
	}
}

func names(t *testing.T, tree fs.FS) (names []string) {
	t.Helper()
	require.NoError(t, fs.WalkDir(tree, ".", func(name string, entry fs.DirEntry, err error) error {
		if err == nil && !entry.IsDir() {
			names = append(names, name)
		}
		return err
	}))
	return names
}
