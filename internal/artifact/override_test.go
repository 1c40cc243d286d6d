package artifact_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
)

// ref is what the overrides replace; it is never looked at.
var ref = artifact.Ref{Module: demo, Path: "deploy/chart"}

// chartArchive packs a chart as `helm package` does.
func chartArchive(t *testing.T, version string) []byte {
	t.Helper()
	var buffer bytes.Buffer
	zip := gzip.NewWriter(&buffer)
	archive := tar.NewWriter(zip)
	for name, content := range map[string]string{
		"demo/Chart.yaml":        "apiVersion: v2\nname: demo\nversion: " + version + "\n",
		"demo/templates/cm.yaml": "kind: ConfigMap\n",
	} {
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))}))
		_, err := archive.Write([]byte(content))
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	require.NoError(t, zip.Close())
	return buffer.Bytes()
}

func TestOverrideByDirectory(t *testing.T) {
	store := project(t, "off", "")
	dir := t.TempDir()
	write(t, filepath.Join(dir, "Chart.yaml"), "apiVersion: v2\nname: demo\nversion: 9.9.9\n")

	tree, err := store.Fetch(context.Background(), ref, &artifact.Override{Directory: dir})
	require.NoError(t, err)
	require.Equal(t, "9.9.9", tree.Version)
	require.Equal(t, []string{"Chart.yaml"}, names(t, tree))

	_, err = store.Fetch(context.Background(), ref, &artifact.Override{Directory: "charts/none"})
	require.ErrorContains(t, err, "override directory")
	require.ErrorContains(t, err, "charts/none")
}

// helmRepository serves a chart under the digest that the index claims.
func helmRepository(t *testing.T, chart []byte, digest string) (server *httptest.Server, downloads *int) {
	t.Helper()
	downloads = new(int)
	mux := http.NewServeMux()
	mux.HandleFunc("/stable/index.yaml", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, "apiVersion: v1\nentries:\n  demo:\n  - {name: demo, version: 1.0.0, digest: %s, urls: [charts/demo-1.0.0.tgz]}\n", digest)
		fmt.Fprint(w, "  - {name: demo, version: 0.9.0, urls: [charts/demo-0.9.0.tgz]}\n")
	})
	mux.HandleFunc("/stable/charts/demo-1.0.0.tgz", func(w http.ResponseWriter, _ *http.Request) {
		*downloads++
		_, _ = w.Write(chart)
	})
	server = httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return server, downloads
}

func TestOverrideByHelmRepository(t *testing.T) {
	chart := chartArchive(t, "1.0.0")
	server, downloads := helmRepository(t, chart, hexSum(chart))
	store := project(t, "off", "")
	override := artifact.Override{Repository: server.URL + "/stable", Chart: "demo", Version: "1.0.0"}

	for range 2 {
		tree, err := store.Fetch(context.Background(), ref, &override)
		require.NoError(t, err)
		require.Equal(t, "1.0.0", tree.Version)
		require.Equal(t, []string{"Chart.yaml", "templates/cm.yaml"}, names(t, tree))
	}
	require.Equal(t, 1, *downloads, "the second time the chart comes from the cache")

	write(t, filepath.Join(os.Getenv("XDG_CACHE_HOME"), "controlplane-infrastructure", "artifacts", hexSum(chart)), "damaged")
	_, err := store.Fetch(context.Background(), ref, &override)
	require.NoError(t, err)
	require.Equal(t, 2, *downloads, "unless the cache was damaged")

	for name, tc := range map[string]struct{ chart, version, want string }{
		"no such chart":   {"dmeo", "1.0.0", `no chart "dmeo"`},
		"no such version": {"demo", "2.0.0", `chart demo has no version "2.0.0" (it has 1.0.0, 0.9.0)`},
		"no digest":       {"demo", "0.9.0", "cannot be verified"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := store.Fetch(context.Background(), ref, &artifact.Override{Repository: override.Repository, Chart: tc.chart, Version: tc.version})
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func TestChartThatNoModuleHas(t *testing.T) {
	chart := chartArchive(t, "1.0.0")
	server, _ := helmRepository(t, chart, hexSum(chart))
	store := project(t, "off", "")
	published := artifact.Ref{Repository: server.URL + "/stable", Chart: "demo", Version: "1.0.0"}
	tree, err := store.Fetch(context.Background(), published, nil)
	require.NoError(t, err)
	require.Equal(t, "1.0.0", tree.Version)

	dir := t.TempDir()
	write(t, filepath.Join(dir, "Chart.yaml"), "apiVersion: v2\nname: demo\nversion: 9.9.9\n")
	tree, err = store.Fetch(context.Background(), published, &artifact.Override{Directory: dir})
	require.NoError(t, err)
	require.Equal(t, "9.9.9", tree.Version)

	server.Close()
	_, err = store.Fetch(context.Background(), published, nil)
	require.ErrorContains(t, err, "chart demo 1.0.0: index of repository "+server.URL+"/stable/: ")
	require.ErrorContains(t, err, "override the chart by a directory, another repository or an OCI reference")
}

func TestHelmRepositoryWithAPassword(t *testing.T) {
	chart := chartArchive(t, "1.0.0")
	open, _ := helmRepository(t, chart, hexSum(chart))
	closed := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, _ := r.BasicAuth(); user != "robot" || password != "secret" {
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		open.Config.Handler.ServeHTTP(w, r)
	}))
	defer closed.Close()
	store := project(t, "off", "")
	override := artifact.Override{Chart: "demo", Version: "1.0.0"}

	override.Repository = strings.Replace(closed.URL, "http://", "http://robot:secret@", 1) + "/stable"
	tree, err := store.Fetch(context.Background(), ref, &override)
	require.NoError(t, err)
	require.Equal(t, "1.0.0", tree.Version)
	require.NotContains(t, tree.Origin, "secret")

	override.Repository = strings.Replace(closed.URL, "http://", "http://robot:wrong-one@", 1) + "/stable"
	_, err = store.Fetch(context.Background(), ref, &override)
	require.ErrorContains(t, err, "401")
	require.NotContains(t, err.Error(), "wrong-one")
}

func TestHelmRepositoryWithAnotherChartThanItsIndexSays(t *testing.T) {
	server, _ := helmRepository(t, chartArchive(t, "1.0.0"), hexSum([]byte("another")))
	_, err := project(t, "off", "").Fetch(context.Background(), ref,
		&artifact.Override{Repository: server.URL + "/stable", Chart: "demo", Version: "1.0.0"})
	require.ErrorContains(t, err, "digest mismatch: expected sha256:"+hexSum([]byte("another")))
}

// push puts a chart into a registry and returns its oci:// reference.
func push(t *testing.T, server *httptest.Server, chart []byte) string {
	t.Helper()
	config := []byte("{}")
	for _, blob := range [][]byte{config, chart} {
		send(t, http.MethodPost, server.URL+"/v2/charts/demo/blobs/uploads/?digest=sha256:"+hexSum(blob), "application/octet-stream", blob)
	}
	const manifestType = "application/vnd.oci.image.manifest.v1+json"
	manifest := fmt.Appendf(nil, `{"schemaVersion":2,"mediaType":%q,
		"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:%s","size":%d},
		"layers":[{"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"sha256:%s","size":%d}]}`,
		manifestType, hexSum(config), len(config), hexSum(chart), len(chart))
	send(t, http.MethodPut, server.URL+"/v2/charts/demo/manifests/1.0.0", manifestType, manifest)
	host, err := url.Parse(server.URL)
	require.NoError(t, err)
	return fmt.Sprintf("oci://%s/charts/demo@sha256:%s", host.Host, hexSum(manifest))
}

func send(t *testing.T, method, address, contentType string, body []byte) {
	t.Helper()
	req, err := http.NewRequest(method, address, bytes.NewReader(body))
	require.NoError(t, err)
	req.Header.Set("Content-Type", contentType)
	resp, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer resp.Body.Close()
	require.Equal(t, http.StatusCreated, resp.StatusCode)
}

func TestOverrideByOCIReference(t *testing.T) {
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	defer server.Close()
	override := artifact.Override{OCI: push(t, server, chartArchive(t, "2.0.0"))}
	store := project(t, "off", "")

	tree, err := store.Fetch(context.Background(), ref, &override)
	require.NoError(t, err)
	require.Equal(t, "2.0.0", tree.Version)
	require.Equal(t, []string{"Chart.yaml", "templates/cm.yaml"}, names(t, tree))

	server.Close()
	tree, err = store.Fetch(context.Background(), ref, &override)
	require.NoError(t, err, "the second time it comes from the cache")
	require.Equal(t, "2.0.0", tree.Version)
}

func TestOCIRegistryThatServesSomethingElse(t *testing.T) {
	chart := chartArchive(t, "2.0.0")
	real := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/blobs/sha256:"+hexSum(chart)) {
			_, _ = w.Write(bytes.Repeat([]byte("x"), len(chart)))
			return
		}
		real.ServeHTTP(w, r)
	}))
	defer server.Close()
	_, err := project(t, "off", "").Fetch(context.Background(), ref, &artifact.Override{OCI: push(t, server, chart)})
	require.ErrorContains(t, err, "digest mismatch: expected sha256:"+hexSum(chart))
}

func TestOverridesThatAreRejected(t *testing.T) {
	digest := "@sha256:" + hexSum(nil)
	for name, tc := range map[string]struct {
		override artifact.Override
		want     string
	}{
		"two sources":         {artifact.Override{Directory: "x", OCI: "oci://host/x" + digest}, "exactly one of"},
		"chart alone":         {artifact.Override{Chart: "x"}, "needs repository, chart and version; only chart is given"},
		"no version":          {artifact.Override{Repository: "https://host", Chart: "x"}, "only repository, chart is given"},
		"plain HTTP":          {artifact.Override{Repository: "http://charts.example.com", Chart: "x", Version: "1"}, "only https:// is allowed"},
		"OCI without scheme":  {artifact.Override{OCI: "host/x" + digest}, "must look like oci://"},
		"OCI by tag":          {artifact.Override{OCI: "oci://host/x:1.0.0"}, "needs a digest"},
		"OCI without version": {artifact.Override{OCI: "oci://host/x"}, "needs a digest"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := project(t, "off", "").Fetch(context.Background(), ref, &tc.override)
			require.ErrorContains(t, err, tc.want)
		})
	}
}

func hexSum(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }
