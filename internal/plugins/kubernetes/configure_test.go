package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/common/resource"
	pulumirpc "github.com/pulumi/pulumi/sdk/v3/proto/go"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/client-go/rest"
)

const providerURN = "urn:pulumi:test::test::pulumi:providers:kubernetes::cluster"

func kubeconfigFor(server, token string) string {
	return fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: here
contexts:
- {name: here, context: {cluster: one, user: me, namespace: from-context}}
- {name: there, context: {cluster: two, user: me}}
clusters:
- {name: one, cluster: {server: %q, insecure-skip-tls-verify: true}}
- {name: two, cluster: {server: "https://other.example.org"}}
users:
- {name: me, user: {token: %q}}
`, server, token)
}

func TestWhatMakesAnotherCluster(t *testing.T) {
	t.Parallel()
	one := kubeconfigFor("https://one.example.org", "secret")
	for name, c := range map[string]struct {
		olds, news doc
		replaces   []string
		changed    bool
	}{
		"nothing":                 {doc{"kubeconfig": one}, doc{"kubeconfig": one}, nil, false},
		"new credentials":         {doc{"kubeconfig": one}, doc{"kubeconfig": kubeconfigFor("https://one.example.org", "newer")}, nil, true},
		"another server":          {doc{"kubeconfig": one}, doc{"kubeconfig": kubeconfigFor("https://three.example.org", "secret")}, []string{"kubeconfig"}, true},
		"another context":         {doc{"kubeconfig": one}, doc{"kubeconfig": one, "context": "there"}, []string{"context"}, true},
		"identified all the same": {doc{"kubeconfig": one, "clusterIdentifier": "a"}, doc{"kubeconfig": kubeconfigFor("https://three.example.org", "x"), "clusterIdentifier": "a"}, nil, true},
		"another identity":        {doc{"kubeconfig": one, "clusterIdentifier": "a"}, doc{"kubeconfig": one, "clusterIdentifier": "b"}, []string{"clusterIdentifier"}, true},
		"identified from now on":  {doc{"kubeconfig": one}, doc{"kubeconfig": one, "clusterIdentifier": "b"}, nil, true},
		"a setting":               {doc{"kubeconfig": one}, doc{"kubeconfig": one, "deleteUnreachable": "true"}, nil, true},
		"not known yet":           {doc{"kubeconfig": one}, doc{"kubeconfig": resource.MakeComputed(resource.NewProperty(""))}, []string{"kubeconfig"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d, err := New(Options{}).DiffConfig(t.Context(), &pulumirpc.DiffRequest{
				Urn: providerURN, Olds: wire(t, c.olds), News: wire(t, c.news),
			})
			require.NoError(t, err)
			assert.Equal(t, c.replaces, d.GetReplaces())
			assert.Equal(t, c.changed, d.GetChanges() == pulumirpc.DiffResponse_DIFF_SOME)
		})
	}
}

func TestWhatOnlyThePublishedPluginCanDoIsRefused(t *testing.T) {
	t.Parallel()
	checked, err := New(Options{}).CheckConfig(t.Context(), &pulumirpc.CheckRequest{
		Urn: providerURN, News: wire(t, doc{"enableServerSideApply": "false", "renderYamlToDirectory": "out"}),
	})
	require.NoError(t, err)
	require.Len(t, checked.GetFailures(), 2)
	assert.Equal(t, "enableServerSideApply", checked.GetFailures()[0].GetProperty())

	e := unreachableEngine(t)
	_, err = e.client.Invoke(t.Context(), &pulumirpc.InvokeRequest{Tok: "kubernetes:helm:template"})
	assert.ErrorContains(t, err, "has no function kubernetes:helm:template")
	_, err = e.client.Construct(t.Context(), &pulumirpc.ConstructRequest{Type: "kubernetes:helm.sh/v4:Chart"})
	assert.ErrorContains(t, err, "has no component kubernetes:helm.sh/v4:Chart")
	list := doc{"apiVersion": "v1", "kind": "ConfigMapList"}
	_, err = e.client.Check(t.Context(), &pulumirpc.CheckRequest{Urn: urnOf(list, "l"), News: wire(t, list)})
	assert.ErrorContains(t, err, "register the objects in it")
}

// configFor returns a kubeconfig of the control plane.
func configFor(t *testing.T) string {
	t.Helper()
	c := real.REST()
	file := func(name string, content []byte, path string) string {
		if path != "" {
			return path
		}
		path = filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, content, 0o600))
		return path
	}
	return fmt.Sprintf(`
apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: c, user: u, namespace: from-context}}]
clusters: [{name: c, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: u, user: {client-certificate: %q, client-key: %q, token: %q}}]
`, c.Host, file("ca", c.CAData, c.CAFile), file("cert", c.CertData, c.CertFile), file("key", c.KeyData, c.KeyFile), c.BearerToken)
}

func TestAnyClusterByKubeconfig(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(path, []byte(configFor(t)), 0o600))
	for name, value := range map[string]string{"content": configFor(t), "path": path} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			e := dial(t, serve(t, Options{}))
			e.configure("kubeconfig", value)
			object := doc{"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"name": "it"}}
			inputs := e.check(urnOf(object, "it"), nil, object)
			assert.Contains(t, visible(t, inputs), `"namespace":"from-context"`)
			read, err := e.client.Read(t.Context(), &pulumirpc.ReadRequest{
				Id: "kube-system", Urn: urnOf(doc{"apiVersion": "v1", "kind": "Namespace"}, "n"),
			})
			require.NoError(t, err)
			assert.Equal(t, "kube-system", read.GetId(), "the cluster is reached")
		})
	}
	e := dial(t, serve(t, Options{}))
	e.configure("kubeconfig", "token: very-secret\nnot a kubeconfig")
	object := doc{"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"name": "it"}}
	_, err := e.tryCreate("it", object)
	require.ErrorContains(t, err, "neither a readable file nor valid kubeconfig content")
	assert.NotContains(t, err.Error(), "very-secret")
}

func TestClientLimits(t *testing.T) {
	t.Setenv("PULUMI_K8S_CLIENT_QPS", "7.5")
	t.Setenv("PULUMI_K8S_CLIENT_BURST", "9")
	var c rest.Config
	require.NoError(t, tune(&c, map[string]string{"kubeClientSettings": `{"burst":33,"timeout":12}`}))
	assert.EqualValues(t, 7.5, c.QPS, "the environment counts where the provider resource says nothing")
	assert.Equal(t, 33, c.Burst, "the provider resource comes first")
	assert.Equal(t, 12*time.Second, c.Timeout)

	t.Setenv("PULUMI_K8S_CLIENT_QPS", "many")
	assert.ErrorContains(t, tune(&c, nil), "PULUMI_K8S_CLIENT_QPS")
	assert.ErrorContains(t, tune(&c, map[string]string{"kubeClientSettings": "no"}), "kubeClientSettings")
}

func TestEachConnectionHasItsOwnConfiguration(t *testing.T) {
	t.Parallel()
	address := serve(t, Options{Target: &rest.Config{Host: "http://127.0.0.1:1"}})
	object := doc{"apiVersion": "v1", "kind": "ConfigMap", "metadata": doc{"name": "it"}}
	one := dial(t, address)
	one.configure("namespace", "one")

	again := dial(t, address)
	assert.Contains(t, visible(t, again.check(urnOf(object, "it"), nil, object)), `"namespace":"one"`,
		"an engine that has lost its connection goes on")

	two := dial(t, address)
	two.configure("namespace", "two")
	assert.Contains(t, visible(t, one.check(urnOf(object, "it"), nil, object)), `"namespace":"one"`)
	assert.Contains(t, visible(t, two.check(urnOf(object, "it"), nil, object)), `"namespace":"two"`)
	_, err := dial(t, address).client.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: urnOf(object, "it"), News: wire(t, object),
	})
	assert.ErrorContains(t, err, "lost its connection", "nobody can say any more which one it was")
	_, err = dial(t, serve(t, Options{})).client.Check(t.Context(), &pulumirpc.CheckRequest{
		Urn: urnOf(object, "it"), News: wire(t, object),
	})
	assert.ErrorContains(t, err, "not configured")
}
