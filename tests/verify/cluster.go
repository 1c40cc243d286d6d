// Package verify checks what a user of a cluster would notice. The integration tests use it on a local control plane
// and the end-to-end tests on whatever cluster they are given.
package verify

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"
)

// Patience is how long a controller may take to do what it is there for.
const Patience = time.Minute

// Cluster is a cluster as an administrator sees it.
type Cluster struct {
	T       *testing.T
	Dynamic dynamic.Interface
	Clients kubernetes.Interface
}

// Connect reads a kubeconfig file.
func Connect(t *testing.T, kubeconfig string) *Cluster {
	t.Helper()
	rest, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	require.NoError(t, err)
	rest.QPS, rest.Burst = 200, 400
	c := &Cluster{T: t}
	c.Dynamic, err = dynamic.NewForConfig(rest)
	require.NoError(t, err)
	c.Clients, err = kubernetes.NewForConfig(rest)
	require.NoError(t, err)
	return c
}

// For is the cluster for a subtest: what fails there ends the subtest, and what is made there is removed after it.
func (c *Cluster) For(t *testing.T) *Cluster {
	return &Cluster{T: t, Dynamic: c.Dynamic, Clients: c.Clients}
}

// Context bounds a call.
func (c *Cluster) Context() context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	c.T.Cleanup(cancel)
	return ctx
}

// Get reads one object; namespace is empty for those without.
func (c *Cluster) Get(gvr schema.GroupVersionResource, namespace, name string) *unstructured.Unstructured {
	c.T.Helper()
	object, err := c.Dynamic.Resource(gvr).Namespace(namespace).Get(c.Context(), name, metav1.GetOptions{})
	require.NoError(c.T, err)
	return object
}

// Namespace makes a namespace of the test's own and removes it at the end.
func (c *Cluster) Namespace(name string, labels map[string]string) {
	c.T.Helper()
	namespaces := c.Clients.CoreV1().Namespaces()
	_, err := namespaces.Create(c.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels},
	}, metav1.CreateOptions{})
	require.NoError(c.T, err)
	c.T.Cleanup(func() { _ = namespaces.Delete(context.Background(), name, metav1.DeleteOptions{}) })
}

// Inventory names everything that is in the cluster for longer: "resource.group namespace/name".
func (c *Cluster) Inventory() []string {
	c.T.Helper()
	found, err := c.inventory()
	require.NoError(c.T, err)
	return found
}

// Settles waits until the cluster holds what it held before. Namespaces and what they contain go in their own time.
func (c *Cluster) Settles(before []string) {
	c.T.Helper()
	assert.EventuallyWithT(c.T, func(t *assert.CollectT) {
		now, err := c.inventory()
		if assert.NoError(t, err) {
			assert.Equal(t, before, now)
		}
	}, Patience, 2*time.Second, "the cluster is as it was before")
}

func (c *Cluster) inventory() ([]string, error) {
	lists, err := c.Clients.Discovery().ServerPreferredResources()
	if err != nil {
		return nil, err
	}
	var found []string
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, r := range list.APIResources {
			if !slices.Contains(r.Verbs, "list") || ephemeral[r.Name] {
				continue
			}
			all, err := c.Dynamic.Resource(gv.WithResource(r.Name)).List(c.Context(), metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("list %s of %s: %w", r.Name, gv, err)
			}
			for _, item := range all.Items {
				found = append(found, fmt.Sprintf("%s.%s %s/%s", r.Name, gv.Group, item.GetNamespace(), item.GetName()))
			}
		}
	}
	slices.Sort(found)
	return found, nil
}

// ephemeral resources come and go without anyone's doing.
var ephemeral = map[string]bool{
	"events": true, "leases": true, "componentstatuses": true, "endpointslices": true, "endpoints": true,
}
