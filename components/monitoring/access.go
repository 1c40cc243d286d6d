package monitoring

import (
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
)

// secretsRole is what allows the operator to read the Secrets of a namespace, once it is bound there.
const secretsRole = names.Operator + "-secrets"

var (
	read  = []string{"get", "list", "watch"}
	write = []string{"get", "list", "watch", "create", "update", "patch", "delete"}
)

// everywhere is what the operator may do in all namespaces: read what others declare, and the ConfigMaps that it refers
// to, which is where the trust bundle is.
var everywhere = []rbacv1.PolicyRule{
	{APIGroups: []string{monitoringGroup}, Verbs: read, Resources: []string{
		"servicemonitors", "podmonitors", "probes", "prometheusrules", "scrapeconfigs",
	}},
	{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: read},
	{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"get"}},
	{APIGroups: []string{"storage.k8s.io"}, Resources: []string{"storageclasses"}, Verbs: []string{"get"}},
	// It says of a monitor that it leaves out why it does.
	{APIGroups: []string{"events.k8s.io"}, Resources: []string{"events"}, Verbs: []string{"create", "patch"}},
}

// here is what it may do in its own namespace: all that its servers consist of.
var here = []rbacv1.PolicyRule{
	{APIGroups: []string{monitoringGroup}, Resources: []string{"prometheuses", "alertmanagers", "alertmanagerconfigs"}, Verbs: read},
	{APIGroups: []string{monitoringGroup}, Verbs: []string{"get", "update", "patch"}, Resources: []string{
		"prometheuses/status", "prometheuses/finalizers", "alertmanagers/status", "alertmanagers/finalizers",
	}},
	{APIGroups: []string{"apps"}, Resources: []string{"statefulsets"}, Verbs: write},
	{APIGroups: []string{""}, Resources: []string{"configmaps", "secrets", "services"}, Verbs: write},
	{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"list"}},
}

const monitoringGroup = "monitoring.coreos.com"

// operatorAccess are the permissions, with those to read the Secrets of further namespaces.
func operatorAccess(secretNamespaces []string) []runtime.Object {
	labels := names.Labels(names.Operator)
	objects := []runtime.Object{
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: names.Operator, Labels: labels}, Rules: everywhere},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: metav1.ObjectMeta{Name: names.Operator, Labels: labels},
			RoleRef:    role("ClusterRole", names.Operator), Subjects: operatorAccount(),
		},
		&rbacv1.Role{ObjectMeta: meta(names.Operator), Rules: here},
		&rbacv1.RoleBinding{ObjectMeta: meta(names.Operator), RoleRef: role("Role", names.Operator), Subjects: operatorAccount()},
		&rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: secretsRole, Labels: labels}, Rules: []rbacv1.PolicyRule{
			{APIGroups: []string{""}, Resources: []string{"secrets"}, Verbs: []string{"get"}},
		}},
	}
	for _, namespace := range secretNamespaces {
		objects = append(objects, secretsIn(namespace))
	}
	return objects
}

// secretsIn lets the operator read the Secrets of a namespace.
func secretsIn(namespace string) runtime.Object {
	return &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: secretsRole, Labels: names.Labels(names.Operator)},
		RoleRef:    role("ClusterRole", secretsRole), Subjects: operatorAccount(),
	}
}

func role(kind, name string) rbacv1.RoleRef {
	return rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: kind, Name: name}
}

func operatorAccount() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: names.Namespace, Name: names.Operator}}
}
