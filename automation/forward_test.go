package automation

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/clientcmd/api"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// pod is a cluster's answer to who asks for Keycloak's pods: there is one, and it is ready.
const pod = `{"kind":"PodList","apiVersion":"v1","items":[{"metadata":{"name":"iris-1","namespace":"identity","uid":"1"},
	"status":{"phase":"Running","conditions":[{"type":"Ready","status":"True"}]}}]}`

// opened is a session of a stack on a cluster that its project's kubeconfig names, and what is asked of that cluster.
func opened(t *testing.T, adminAPI string) (s *session, asked <-chan *url.URL) {
	t.Helper()
	requests := make(chan *url.URL, 10)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests <- r.URL
		w.Header().Set("Content-Type", "application/json")
		if r.URL.Path == "/api/v1/namespaces/identity/pods" {
			_, _ = io.WriteString(w, pod)
			return
		}
		w.WriteHeader(http.StatusForbidden)
	}))
	t.Cleanup(server.Close)
	project := t.TempDir()
	require.NoError(t, clientcmd.WriteToFile(api.Config{
		Clusters: map[string]*api.Cluster{"ours": {Server: server.URL}, "another": {Server: "http://127.0.0.1:1"}},
		Contexts: map[string]*api.Context{"ours": {Cluster: "ours"}, "another": {Cluster: "another"}}, CurrentContext: "another",
	}, filepath.Join(project, "kubeconfig")))
	s = &session{
		Options: Options{Project: project, Progress: io.Discard},
		cfg: &config.Config{
			Cluster:  config.Cluster{Kubeconfig: "kubeconfig", Context: "ours"},
			Identity: config.Identity{AdminAPI: config.AdminAPI{URL: adminAPI}},
		},
	}
	t.Cleanup(s.close)
	return s, requests
}

// free is a port of this machine that nobody uses.
func free(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	require.NoError(t, listener.Close())
	return strconv.Itoa(listener.Addr().(*net.TCPAddr).Port)
}

func TestThePortOfTheAdminAPILeadsToKeycloaksPods(t *testing.T) {
	t.Setenv("KUBECONFIG", os.DevNull) // the stack says which cluster it is
	port := free(t)
	s, asked := opened(t, "https://localhost:"+port)
	ctx, cancel := context.WithCancel(t.Context())
	require.NoError(t, s.forward(ctx))
	assert.Empty(t, asked, "the cluster may not exist yet")
	cancel() // a cancelled run finishes what is under way

	conn, err := net.Dial("tcp", "127.0.0.1:"+port)
	require.NoError(t, err)
	defer conn.Close()
	for _, want := range []string{"/api/v1/namespaces/identity/pods", "/api/v1/namespaces/identity/pods/iris-1/portforward"} {
		select {
		case got := <-asked:
			assert.Equal(t, want, got.Path)
		case <-time.After(10 * time.Second):
			require.Failf(t, "the cluster is not asked", "%s", want)
		}
	}
	s.close()
	_, err = net.Dial("tcp", "127.0.0.1:"+port)
	require.ErrorContains(t, err, "refused", "the port is free again")
}

func TestAnAdminAPIWithoutTLSIsAtAnotherPort(t *testing.T) {
	for url, port := range map[string]int{"https://localhost:18443": 8443, "http://localhost:18443": 8080} {
		assert.Equal(t, port, adminServers(config.Identity{AdminAPI: config.AdminAPI{URL: url}}).Port, url)
	}
}
