package render_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/render"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// cluster applies what a directory of manifests holds.
type cluster struct {
	*verify.Cluster
	mapper meta.RESTMapper
}

func (c *cluster) discover(t *testing.T) {
	groups, err := restmapper.GetAPIGroupResources(c.Clients.Discovery())
	require.NoError(t, err)
	c.mapper = restmapper.NewDiscoveryRESTMapper(groups)
}

func (c *cluster) apply(t *testing.T, object *unstructured.Unstructured, dry bool) error {
	gvk := object.GroupVersionKind()
	mapping, err := c.mapper.RESTMapping(gvk.GroupKind(), gvk.Version)
	if err != nil {
		return err
	}
	options := metav1.ApplyOptions{FieldManager: "gitops"}
	if dry {
		options.DryRun = []string{metav1.DryRunAll}
	}
	_, err = c.Dynamic.Resource(mapping.Resource).Namespace(object.GetNamespace()).Apply(t.Context(), object.GetName(), object, options)
	return err
}

// A real API server takes every manifest, the templates of Secrets among them: definitions and namespaces for real, as the rest
// needs them, and the rest for a try.
func TestAnAPIServerAcceptsAll(t *testing.T) {
	t.Parallel()
	m, err := render.Make(profile(t, "onprem", nil))
	require.NoError(t, err)
	c := &cluster{Cluster: verify.Connect(t, localtest.Start(t).Kubeconfig)}
	c.discover(t)

	for _, r := range build(t, m, "crds").Resources() {
		require.NoError(t, c.apply(t, unmarshal(t, r.MustYaml()), false))
	}
	objects := build(t, m, ".").Resources()
	for _, r := range objects {
		if r.GetKind() == "Namespace" {
			require.NoError(t, c.apply(t, unmarshal(t, r.MustYaml()), false))
		}
	}
	tried := 0
	try := func(text, name string) {
		object := unmarshal(t, text)
		tried++
		var err error
		assert.Eventually(t, func() bool {
			if err = c.apply(t, object, true); meta.IsNoMatchError(err) {
				c.discover(t) // definitions take a moment
			}
			return err == nil || !meta.IsNoMatchError(err)
		}, verify.Patience, 100*time.Millisecond)
		assert.NoError(t, err, name)
	}
	for _, r := range objects {
		try(r.MustYaml(), r.GetKind()+" "+r.GetNamespace()+"/"+r.GetName())
	}
	for _, s := range m.Secrets {
		try(string(m.Content(s.File)), filepath.Base(s.File))
	}
	assert.Greater(t, tried, 400)
}

func unmarshal(t *testing.T, text string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &object.Object))
	return object
}
