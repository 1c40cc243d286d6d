package traefik

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

const (
	// controller is the name of the controller in the classes that are ours: there may be another Traefik in the cluster,
	// and another controller for the annotations of ingress-nginx.
	controller = "traefik.io/ingress-controller"
	// gatewayController is what Traefik's provider for the Gateway API answers to. It cannot be configured.
	gatewayController = "traefik.io/gateway-controller"

	gatewayGroup = "gateway.networking.k8s.io"
)

// class is the IngressClass.
func (b *builder) class() *networkingv1.IngressClass {
	class := &networkingv1.IngressClass{
		ObjectMeta: metav1.ObjectMeta{Name: b.args.ClassName, Labels: labels()},
		Spec:       networkingv1.IngressClassSpec{Controller: controller},
	}
	if b.args.DefaultClass {
		class.Annotations = map[string]string{networkingv1.AnnotationIsDefaultIngressClass: "true"}
	}
	return class
}

// watched are the namespaces whose objects are read; none: all. The ingress controller's own is always one of them,
// since the address of its Service becomes that of Ingress objects.
func (a Args) watched() []string {
	if len(a.Namespaces) == 0 {
		return nil
	}
	all := append([]string{Namespace}, a.Namespaces...)
	slices.Sort(all)
	return slices.Compact(all)
}

// permissions are an account and what it may do: nothing more than what Traefik's sources ask for. It reads Secrets, of
// which it needs those of TLS sections, but the API server cannot tell these from others.
func (b *builder) permissions() []runtime.Object {
	objects := []runtime.Object{
		&corev1.ServiceAccount{ObjectMeta: meta(name), AutomountServiceAccountToken: new(false)},
	}
	cluster := b.clusterRules()
	if watched := b.args.watched(); len(watched) > 0 {
		for _, namespace := range watched {
			role := metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels()}
			objects = append(objects, &rbacv1.Role{ObjectMeta: role, Rules: b.namespacedRules()}, &rbacv1.RoleBinding{
				ObjectMeta: role, Subjects: subjects(),
				RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: name},
			})
		}
	} else {
		cluster = append(cluster, b.namespacedRules()...)
	}
	role := metav1.ObjectMeta{Name: name, Labels: labels()}
	return append(objects, &rbacv1.ClusterRole{ObjectMeta: role, Rules: cluster}, &rbacv1.ClusterRoleBinding{
		ObjectMeta: role, Subjects: subjects(),
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: name},
	})
}

func subjects() []rbacv1.Subject {
	return []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: Namespace, Name: name}}
}

// clusterRules are about objects that belong to no namespace.
func (b *builder) clusterRules() []rbacv1.PolicyRule {
	rules := []rbacv1.PolicyRule{watch("networking.k8s.io", "ingressclasses")}
	switch {
	case b.args.GatewayAPI:
		rules = append(rules, watch("", "namespaces"),
			watch(gatewayGroup, "gatewayclasses"), update(gatewayGroup, "gatewayclasses/status"))
	case len(b.args.Namespaces) > 0:
		// They are selected by their label, once.
		rules = append(rules, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"namespaces"}, Verbs: []string{"list"}})
	}
	return rules
}

// namespacedRules are about objects in the namespaces that are watched.
func (b *builder) namespacedRules() []rbacv1.PolicyRule {
	rules := []rbacv1.PolicyRule{
		watch("", "services", "secrets", "configmaps"),
		watch("discovery.k8s.io", "endpointslices"),
		watch("networking.k8s.io", "ingresses"),
		update("networking.k8s.io", "ingresses/status"),
	}
	if b.args.GatewayAPI {
		rules = append(rules,
			watch(gatewayGroup, "gateways", "httproutes", "grpcroutes", "tlsroutes", "referencegrants", "backendtlspolicies"),
			update(gatewayGroup, "gateways/status", "httproutes/status", "grpcroutes/status", "tlsroutes/status",
				"backendtlspolicies/status"),
		)
	}
	return rules
}

func watch(group string, resources ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"list", "watch"}}
}

func update(group string, resources ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: []string{"update"}}
}
