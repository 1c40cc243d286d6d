package autoscaler

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	corev1 "k8s.io/api/core/v1"
)

// permissions are what upstream's manifests ask for, without what only other settings need. A kind that it may not list
// stops it without a word: it waits for all of them before it looks at the first pod.
func (a Args) permissions() []runtime.Object {
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: Namespace, Name: ServiceAccount}}
	inNamespace := metav1.ObjectMeta{Namespace: Namespace, Name: name, Labels: labels()}
	everywhere := metav1.ObjectMeta{Name: name, Labels: labels()}
	return []runtime.Object{
		&corev1.ServiceAccount{
			ObjectMeta:                   metav1.ObjectMeta{Namespace: Namespace, Name: ServiceAccount, Labels: labels()},
			AutomountServiceAccountToken: new(false),
		},
		&rbacv1.ClusterRole{ObjectMeta: everywhere, Rules: clusterRules()},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: everywhere, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
		},
		&rbacv1.Role{ObjectMeta: inNamespace, Rules: namespaceRules()},
		&rbacv1.RoleBinding{
			ObjectMeta: inNamespace, Subjects: subjects,
			RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
		},
	}
}

// clusterRules simulate the scheduler, drain nodes, and say in events what was done. Sources:
// cluster-autoscaler/cloudprovider/aws/examples in https://github.com/kubernetes/autoscaler; VolumeAttachments are
// needed from version 1.32 on, and the kinds of dynamic resource allocation from 1.35 on.
func clusterRules() []rbacv1.PolicyRule {
	read := func(group string, resources ...string) rbacv1.PolicyRule {
		return rbacv1.PolicyRule{
			APIGroups: []string{group}, Resources: resources, Verbs: []string{"get", "list", "watch"},
		}
	}
	return []rbacv1.PolicyRule{
		read("", "namespaces", "persistentvolumeclaims", "persistentvolumes", "pods", "replicationcontrollers", "services"),
		read("apps", "daemonsets", "replicasets", "statefulsets"),
		read("batch", "cronjobs", "jobs"),
		read("policy", "poddisruptionbudgets"),
		read("resource.k8s.io", "deviceclasses", "resourceclaims", "resourceslices"),
		read("storage.k8s.io", "csidrivers", "csinodes", "csistoragecapacities", "storageclasses", "volumeattachments"),
		{APIGroups: []string{""}, Resources: []string{"nodes"}, Verbs: []string{"get", "list", "update", "watch"}},
		{APIGroups: []string{""}, Resources: []string{"pods/eviction"}, Verbs: []string{"create"}},
		{APIGroups: []string{""}, Resources: []string{"pods/status"}, Verbs: []string{"update"}},
		{APIGroups: []string{""}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
	}
}

// namespaceRules are for the lease of the one that leads, and the ConfigMap with its status.
func namespaceRules() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		{APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, Verbs: []string{"create"}},
		{
			APIGroups: []string{"coordination.k8s.io"}, Resources: []string{"leases"}, ResourceNames: []string{name},
			Verbs: []string{"get", "update"},
		},
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create", "list", "watch"}},
		{
			APIGroups: []string{""}, Resources: []string{"configmaps"}, ResourceNames: []string{name + "-status"},
			Verbs: []string{"delete", "get", "update"},
		},
	}
}
