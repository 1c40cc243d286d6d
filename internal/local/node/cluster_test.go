package node_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/local/node"
)

// patience is for programs that start while others do, on a machine that is busy.
const patience = 90 * time.Second

var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

func clientset(t *testing.T) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(cluster.REST())
	require.NoError(t, err)
	return c
}

// objects is a client for objects of any kind.
func objects(t *testing.T) client.Client {
	t.Helper()
	c, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	return c
}

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	require.NoError(t, yaml.Unmarshal([]byte(text), &object.Object))
	return object
}

// apply is `kubectl apply --server-side`.
func apply(ctx context.Context, c client.Client, object *unstructured.Unstructured) error {
	return c.Apply(ctx, client.ApplyConfigurationFromUnstructured(object), client.FieldOwner("test"), client.ForceOwnership)
}

func create(t *testing.T, texts ...string) {
	t.Helper()
	for _, text := range texts {
		require.NoError(t, apply(t.Context(), objects(t), parse(t, text)))
	}
}

// namespace makes a namespace of the test's own, and removes it afterwards.
func namespace(t *testing.T, labels map[string]string) string {
	t.Helper()
	c := clientset(t)
	created, err := c.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: "test-", Labels: labels},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	t.Cleanup(func() {
		assert.NoError(t, client.IgnoreNotFound(
			c.CoreV1().Namespaces().Delete(context.Background(), created.Name, metav1.DeleteOptions{})))
	})
	return created.Name
}

// eventually fails the test with the last complaint when there still is one after a while.
func eventually(t *testing.T, complaint func() string) {
	t.Helper()
	var last string
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		if last = complaint(); last == "" {
			return
		}
	}
	require.Fail(t, last)
}

// processes returns the running containers of a namespace whose pods have names that begin like that.
func processes(namespace, prefix string) []node.Pod {
	var found []node.Pod
	for _, pod := range cluster.Pods() {
		if pod.Namespace == namespace && len(pod.Name) >= len(prefix) && pod.Name[:len(prefix)] == prefix {
			found = append(found, pod)
		}
	}
	return found
}
