package main

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/telekom/controlplane-infrastructure/components/cluster/preflight"
)

// cluster is an API server of a version, with a default StorageClass and nothing else, for somebody who may do
// everything; its kubeconfig is returned.
func cluster(t *testing.T, version string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answers := map[string]string{
			"/version": `{"gitVersion":"` + version + `"}`,
			"/apis/authorization.k8s.io/v1/selfsubjectaccessreviews": `{"apiVersion":"authorization.k8s.io/v1",` +
				`"kind":"SelfSubjectAccessReview","status":{"allowed":true}}`,
			"/apis/storage.k8s.io/v1/storageclasses": `{"apiVersion":"storage.k8s.io/v1","kind":"StorageClassList","items":[` +
				`{"metadata":{"name":"disk","annotations":{"storageclass.kubernetes.io/is-default-class":"true"}},` +
				`"provisioner":"example.com/disk","allowVolumeExpansion":true}]}`,
		}
		w.Header().Set("Content-Type", "application/json")
		if answer, found := answers[r.URL.Path]; found {
			_, _ = w.Write([]byte(answer))
			return
		}
		_, _ = w.Write([]byte(`{"apiVersion":"v1","kind":"List","items":[]}`))
	}))
	t.Cleanup(server.Close)
	config := clientcmdapi.NewConfig()
	config.Clusters["c"] = &clientcmdapi.Cluster{Server: server.URL}
	config.Contexts["c"] = &clientcmdapi.Context{Cluster: "c"}
	config.CurrentContext = "c"
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, clientcmd.WriteToFile(*config, path))
	return path
}

func TestPreflight(t *testing.T) {
	on := func(kubeconfig string) string {
		return project(t, "config:\n  controlplane:cluster: {kubeconfig: "+kubeconfig+"}\n")
	}
	t.Run("a cluster that will do", func(t *testing.T) {
		code, stdout, _ := execute(t, "preflight", "--stack", "test", "--project", on(cluster(t, "v1.35.1")))
		assert.Equal(t, exitDone, code, "warnings are no reason to stop")
		assert.Regexp(t, `(?m)^SEVERITY +CHECK +FOUND +NEEDED +WHAT TO DO$`, stdout)
		assert.Regexp(t, `(?m)^warning +network policies +none of those that are known to `, stdout)
		assert.True(t, strings.HasSuffix(stdout, "\nthe cluster has what stack test needs\n"), stdout)
	})
	t.Run("one that is too old", func(t *testing.T) {
		dir := on(cluster(t, "v1.30.9"))
		code, stdout, message := execute(t, "preflight", "--stack", "test", "--project", dir)
		assert.Equal(t, exitFailed, code)
		assert.Equal(t, "the cluster lacks what the stack needs", message)
		assert.Regexp(t, `(?m)^error +version +Kubernetes v1.30.9 +1.31 or newer +Upgrade the cluster.$`, stdout)

		code, stdout, _ = execute(t, "preflight", "--stack", "test", "--project", dir, "--json")
		assert.Equal(t, exitFailed, code)
		var report struct {
			Stack    string
			Ready    bool
			Findings []preflight.Finding
		}
		require.NoError(t, json.Unmarshal([]byte(stdout), &report), stdout)
		assert.Equal(t, "test", report.Stack)
		assert.False(t, report.Ready)
		assert.Equal(t, preflight.Finding{
			Check: "version", Severity: preflight.Error, Found: "Kubernetes v1.30.9", Needed: "1.31 or newer", Remedy: "Upgrade the cluster.",
		}, report.Findings[0])
	})
	t.Run("none", func(t *testing.T) {
		code, _, message := execute(t, "preflight", "--stack", "test", "--project", on(filepath.Join(t.TempDir(), "missing")))
		assert.Equal(t, exitFailed, code)
		assert.Contains(t, message, "cluster of stack test: ")
		assert.Contains(t, message, "missing")
	})
	t.Run("a local one that does not run", func(t *testing.T) {
		code, _, message := execute(t, "preflight", "--stack", "test", "--project", project(t, "config: {}\n"),
			"--local", "--local-dir", filepath.Join(t.TempDir(), "cp"))
		assert.Equal(t, exitFailed, code)
		assert.Contains(t, message, "the local control plane is not running")
	})
	t.Run("one that the stack makes", func(t *testing.T) {
		code, _, message := execute(t, "preflight", "--stack", "test", "--project",
			project(t, "config:\n  controlplane:aws: {region: eu-central-1}\n  controlplane:cluster: {kind: eks}\n"))
		assert.Equal(t, exitUsage, code)
		assert.Contains(t, message, "cluster.kind: stack test makes its cluster (eks)")
	})
}
