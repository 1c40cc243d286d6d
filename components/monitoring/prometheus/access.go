package prometheus

import (
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
)

// clusterRole is the name of what belongs to no namespace.
const clusterRole = "platform-prometheus"

// rules are what Prometheus may read: where targets are, and metrics. The kubelet asks for nodes/metrics.
var rules = []rbacv1.PolicyRule{
	{APIGroups: []string{""}, Resources: []string{"nodes", "services", "endpoints", "pods"}, Verbs: read},
	{APIGroups: []string{"discovery.k8s.io"}, Resources: []string{"endpointslices"}, Verbs: read},
	{APIGroups: []string{"networking.k8s.io"}, Resources: []string{"ingresses"}, Verbs: read}, // targets of Probes
	{APIGroups: []string{""}, Resources: []string{"nodes/metrics"}, Verbs: []string{"get"}},
	{NonResourceURLs: []string{"/metrics", "/metrics/cadvisor", "/metrics/slis"}, Verbs: []string{"get"}},
}

var read = []string{"get", "list", "watch"}

// access is the identity of the servers, and what it may do.
func access() []runtime.Object {
	labels := names.Labels(names.Prometheus)
	return []runtime.Object{
		&corev1.ServiceAccount{ObjectMeta: meta(names.Prometheus), AutomountServiceAccountToken: new(false)},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: clusterRole, Labels: labels}, Rules: rules},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: clusterRole, Labels: labels},
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterRole},
			Subjects: []rbacv1.Subject{{
				Kind: rbacv1.ServiceAccountKind, Namespace: names.Namespace, Name: names.Prometheus,
			}},
		},
	}
}
