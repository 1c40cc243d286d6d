package metricsserver_test

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/cluster/metricsserver"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// patience is for what takes two readings of the kubelets, a quarter of a minute apart, and a look of the autoscaler.
const patience = 2 * time.Minute

// The real program, with no more than its own permissions, is found by the API server, and tells `kubectl top` and
// autoscalers what is used.
func TestMetricsAPI(t *testing.T) {
	t.Parallel()
	install(t)
	clients, err := kubernetes.NewForConfig(cluster.REST())
	require.NoError(t, err)
	scaled(t)

	var nodes, pods metrics
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		nodes = read(c, clients, "nodes")
		pods = read(c, clients, "namespaces/scaled/pods")
		assert.Len(c, nodes.Items, 9)
		assert.Len(c, pods.Items, 2)
	}, patience, time.Second)
	for _, node := range nodes.Items {
		assert.Positive(t, node.Usage.Cpu().MilliValue(), node.Metadata.Name)
		assert.Positive(t, node.Usage.Memory().Value(), node.Metadata.Name)
	}
	for _, pod := range pods.Items {
		assert.InDelta(t, 180, pod.Containers[0].Usage.Cpu().MilliValue(), 20, "as its annotation says")
		assert.Equal(t, "64Mi", pod.Containers[0].Usage.Memory().String(), "half of what it requests")
	}
	// What runs for real is measured.
	own := read(t, clients, "namespaces/"+metricsserver.Namespace+"/pods")
	require.Len(t, own.Items, 1)
	assert.Positive(t, own.Items[0].Containers[0].Usage.Memory().Value())

	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		autoscaler, err := clients.AutoscalingV2().HorizontalPodAutoscalers("scaled").Get(t.Context(), "busy", metav1.GetOptions{})
		require.NoError(c, err)
		require.Len(c, autoscaler.Status.CurrentMetrics, 1)
		require.NotNil(c, autoscaler.Status.CurrentMetrics[0].Resource, "%+v", autoscaler.Status.Conditions)
		used := autoscaler.Status.CurrentMetrics[0].Resource.Current.AverageUtilization
		require.NotNil(c, used, "%+v", autoscaler.Status.Conditions)
		assert.InDelta(c, 180, *used, 20, "180m of the 100m that it requests")
		assert.EqualValues(c, 4, autoscaler.Status.DesiredReplicas, "%+v", autoscaler.Status.Conditions)
	}, patience, time.Second)

	// An API that does not answer would keep namespaces for ever.
	require.NoError(t, clients.CoreV1().Namespaces().Delete(t.Context(), "scaled", metav1.DeleteOptions{}))
	assert.Eventually(t, func() bool {
		_, err := clients.CoreV1().Namespaces().Get(context.WithoutCancel(t.Context()), "scaled", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	}, patience, 200*time.Millisecond)
}

// metrics are a list of metrics.k8s.io.
type metrics struct {
	Items []struct {
		Metadata   metav1.ObjectMeta   `json:"metadata"`
		Usage      corev1.ResourceList `json:"usage"`
		Containers []struct {
			Usage corev1.ResourceList `json:"usage"`
		} `json:"containers"`
	} `json:"items"`
}

func read(t require.TestingT, clients kubernetes.Interface, path string) (m metrics) {
	data, err := clients.Discovery().RESTClient().Get().AbsPath("/apis/metrics.k8s.io/v1beta1/" + path).DoRaw(context.Background())
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &m))
	return m
}

// install applies what the component registers, and does what cert-manager does: it issues the certificate and tells the
// API server by which authority to verify it.
func install(t *testing.T) {
	t.Helper()
	ca := verify.NewCA(t, "platform")
	o := render(t, ca, arguments(t), workload.Single)
	c, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	for _, object := range o.InOrder() {
		if object.GetKind() == "APIService" {
			bundle := base64.StdEncoding.EncodeToString([]byte(ca.Certificate))
			require.NoError(t, unstructured.SetNestedField(object.Object, bundle, "spec", "caBundle"))
		}
		apply(t, c, object.Unstructured)
	}
}

func apply(t *testing.T, c client.Client, o *unstructured.Unstructured) {
	t.Helper()
	require.NoError(t, client.WithFieldValidation(c, metav1.FieldValidationStrict).Apply(t.Context(),
		client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("test"), client.ForceOwnership),
		"%s %s", o.GetKind(), o.GetName())
}

// scaled is a Deployment whose two pods use more than they request, and an autoscaler that shall have twice as many.
func scaled(t *testing.T) {
	t.Helper()
	c, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	for _, text := range []string{
		`{apiVersion: v1, kind: Namespace, metadata: {name: scaled}}`,
		`{apiVersion: apps/v1, kind: Deployment, metadata: {name: busy, namespace: scaled}, spec: {replicas: 2, selector: {matchLabels: {app: busy}},
		  template: {metadata: {labels: {app: busy}, annotations: {kwok.x-k8s.io/usage-cpu: 180m}}, spec: {containers: [
		    {name: busy, image: registry.example.com/busy:v1, resources: {requests: {cpu: 100m, memory: 128Mi}}}]}}}}`,
	} {
		o := &unstructured.Unstructured{}
		require.NoError(t, yaml.Unmarshal([]byte(text), &o.Object))
		apply(t, c, o)
	}
	require.NoError(t, c.Create(t.Context(), workload.Autoscaler(metav1.ObjectMeta{Namespace: "scaled", Name: "busy"}, 2,
		workload.Autoscaling{MaxReplicas: 9, TargetCPUPercent: 90}, workload.Pace{
			Up: workload.Step{Every: 15}, Down: workload.Step{Window: 300, Every: 60},
		})))
}
