package monitoring_test

import (
	"fmt"
	"strings"

	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// platform gives the cluster what the other components declare to Prometheus: their monitors and Services as a stack
// registers them, and pods with the labels and ports of their workloads, which nothing runs in.
func (i *installation) platform(g *graph.Graph) {
	i.t.Helper()
	ours := func(o *unstructured.Unstructured) bool {
		return o.GetNamespace() == names.Namespace || o.GetNamespace() == names.NodeExporterNamespace
	}
	for _, r := range g.Objects("Deployment", "StatefulSet", "DaemonSet") {
		if !ours(r.Object) {
			i.pods(r.Object)
		}
	}
	// What CloudNativePG makes of its custom resource.
	for n := range 3 {
		i.pod("postgresql", fmt.Sprintf("platform-%d", n+1), map[string]string{"cnpg.io/cluster": "platform", "cnpg.io/podRole": "instance"},
			corev1.PodSpec{Containers: []corev1.Container{{Name: "postgres", Ports: []corev1.ContainerPort{{Name: "metrics", ContainerPort: 9187}}}}})
	}
	for _, r := range g.Objects("Service", "ServiceMonitor", "PodMonitor") {
		if ours(r.Object) {
			continue
		}
		o := r.Object.DeepCopy()
		if o.GetKind() == "Service" {
			require.NoError(i.t, unstructured.SetNestedField(o.Object, "ClusterIP", "spec", "type"))
			for _, field := range []string{"externalTrafficPolicy", "loadBalancerClass", "allocateLoadBalancerNodePorts", "healthCheckNodePort"} {
				unstructured.RemoveNestedField(o.Object, "spec", field)
			}
		}
		i.trusts(o.GetNamespace())
		i.apply(o)
	}
	// Name servers are the cluster's.
	i.pod("kube-system", "coredns-0", map[string]string{"k8s-app": "kube-dns"}, corev1.PodSpec{Containers: []corev1.Container{{Ports: []corev1.ContainerPort{{Name: "metrics", ContainerPort: 9153}}}}})
}

// pods are those of a workload: as many as it has replicas, or two for nodes.
func (i *installation) pods(o *unstructured.Unstructured) {
	i.t.Helper()
	replicas := int64(2)
	if o.GetKind() != "DaemonSet" {
		replicas = 1
		if n, found, _ := unstructured.NestedInt64(o.Object, "spec", "replicas"); found {
			replicas = n
		}
		if n, found, _ := unstructured.NestedFloat64(o.Object, "spec", "replicas"); found {
			replicas = int64(n)
		}
	}
	content, _, err := unstructured.NestedMap(o.Object, "spec", "template")
	require.NoError(i.t, err)
	var template corev1.PodTemplateSpec
	require.NoError(i.t, runtime.DefaultUnstructuredConverter.FromUnstructured(content, &template))
	for n := range replicas {
		i.pod(o.GetNamespace(), fmt.Sprintf("%s-%d", o.GetName(), n), template.Labels, template.Spec)
	}
}

// pod is a pod with the ports of another one.
func (i *installation) pod(namespace, name string, labels map[string]string, like corev1.PodSpec) {
	i.t.Helper()
	i.namespace(namespace)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels},
		Spec:       corev1.PodSpec{HostNetwork: like.HostNetwork, AutomountServiceAccountToken: new(false)},
	}
	for n, c := range like.Containers {
		for p := range c.Ports {
			c.Ports[p].HostPort = 0
		}
		pod.Spec.Containers = append(pod.Spec.Containers, corev1.Container{
			Name: fmt.Sprintf("simulated-%d", n), Image: "example.com/simulated:1", Ports: c.Ports,
		})
	}
	require.Eventually(i.t, func() bool { // its namespace has just been made, and its service account follows
		_, err := i.clients.CoreV1().Pods(namespace).Create(i.t.Context(), pod, metav1.CreateOptions{})
		if err != nil && !strings.Contains(err.Error(), "serviceaccount") {
			require.NoError(i.t, err, "%s/%s", namespace, name)
		}
		return err == nil
	}, patience, patience/1000, "%s/%s", namespace, name)
}

// trusts makes a namespace that has the trust bundle.
func (i *installation) trusts(name string) {
	i.t.Helper()
	i.namespace(name)
	_, err := i.clients.CoreV1().ConfigMaps(name).Create(i.t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: process.Trust.ConfigMap}, Data: map[string]string{process.Trust.Key: i.ca.Certificate},
	}, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		require.NoError(i.t, err)
	}
}

func (i *installation) namespace(name string) {
	i.t.Helper()
	_, err := i.clients.CoreV1().Namespaces().Create(i.t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}, metav1.CreateOptions{})
	if !apierrors.IsAlreadyExists(err) {
		require.NoError(i.t, err)
	}
}

// controlPlane declares metrics as the Control Plane does: with a token from a file, without verification, without any label that a
// selector might ask for, and in its own namespace.
func (i *installation) controlPlane() {
	i.t.Helper()
	const namespace = "controlplane-system"
	labels := map[string]string{"control-plane": "controller-manager", "app.kubernetes.io/name": "rover"}
	i.pod(namespace, "rover-controller-manager-0", labels, corev1.PodSpec{Containers: []corev1.Container{{}}})
	match := map[string]any{"control-plane": "controller-manager"}
	objects := []runtime.Object{
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "rover-controller-manager-metrics-service", Labels: labels},
			Spec: corev1.ServiceSpec{
				Selector: labels, Ports: []corev1.ServicePort{{Name: "https", Port: 8443, TargetPort: intstr.FromInt32(8443)}},
			},
		},
		manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", namespace, "rover-controller-manager-metrics-monitor", "", map[string]any{
			"selector": map[string]any{"matchLabels": match},
			"endpoints": []any{map[string]any{
				"path": "/metrics", "port": "https", "scheme": "https", "tlsConfig": map[string]any{"insecureSkipVerify": true},
				"bearerTokenFile": "/var/run/secrets/kubernetes.io/serviceaccount/token",
			}},
		}),
	}
	set, err := manifest.Typed(objects...)
	require.NoError(i.t, err)
	for _, o := range set.Objects {
		i.apply(o.Unstructured)
	}
}

// kubelets has the simulated nodes say where real ones have their kubelets.
func (i *installation) kubelets() {
	i.t.Helper()
	nodes, err := i.clients.CoreV1().Nodes().List(i.t.Context(), metav1.ListOptions{})
	require.NoError(i.t, err)
	for _, node := range nodes.Items {
		_, err := i.clients.CoreV1().Nodes().Patch(i.t.Context(), node.Name, types.StrategicMergePatchType,
			[]byte(`{"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}`), metav1.PatchOptions{}, "status")
		require.NoError(i.t, err)
	}
}
