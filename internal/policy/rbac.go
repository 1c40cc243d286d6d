package policy

import (
	"fmt"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// privilege is a right that leads to more rights, after the list of Kubernetes' own documentation, "Role Based Access
// Control Good Practices".
type privilege struct {
	group     string
	resources []string
	// verbs are those that lead to more; none: all do.
	verbs []string
	// everywhere says that it is one only in all namespaces.
	everywhere bool
	because    string
}

var write = []string{"create", "update", "patch"}

var privileges = []privilege{
	{"", []string{"secrets"}, nil, true, "reads passwords and keys of every component"},
	{"", []string{"pods/exec", "pods/attach", "pods/ephemeralcontainers", "pods/portforward", "pods/proxy", "nodes/proxy"}, nil, false,
		"gets into running containers"},
	{"", []string{"serviceaccounts/token"}, []string{"create"}, false, "acts as any service account"},
	{"", []string{"pods", "replicationcontrollers"}, write, true, "runs pods with any service account and any Secret"},
	{"apps", []string{"deployments", "statefulsets", "daemonsets", "replicasets"}, write, true,
		"runs pods with any service account and any Secret"},
	{"batch", []string{"jobs", "cronjobs"}, write, true, "runs pods with any service account and any Secret"},
	{"", []string{"persistentvolumes"}, []string{"create"}, true, "mounts directories of nodes"},
	{"rbac.authorization.k8s.io", []string{"roles", "rolebindings", "clusterroles", "clusterrolebindings"}, write, true,
		"hands on the rights that it has"},
	{"admissionregistration.k8s.io", []string{"mutatingwebhookconfigurations", "validatingwebhookconfigurations"}, write, true,
		"reads and changes what others create"},
	{"certificates.k8s.io", []string{"certificatesigningrequests/approval"}, []string{"update", "patch"}, true,
		"signs certificates in the name of any user"},
}

// permissions looks at roles and bindings for rights that are wider than their purpose.
func permissions(s *stack, r *resource) []breach {
	switch {
	case r.is("Role", "ClusterRole"):
		return roleBreaches(s, r)
	case r.is("RoleBinding", "ClusterRoleBinding"):
		return bindingBreaches(r)
	}
	return nil
}

func roleBreaches(s *stack, r *resource) []breach {
	var role rbacv1.ClusterRole
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(r.object.Object, &role); err != nil {
		return []breach{{message: "its rules cannot be judged: " + err.Error()}}
	}
	everywhere := s.everywhere(r)
	var found []breach
	for _, rule := range role.Rules {
		found = append(found, wildcards(rule)...)
		for _, p := range privileges {
			if everywhere || !p.everywhere {
				found = append(found, p.in(rule)...)
			}
		}
	}
	slices.SortFunc(found, func(a, b breach) int { return strings.Compare(a.message, b.message) })
	return slices.Compact(found)
}

// aggregates begins the labels by which a role becomes part of one of Kubernetes' own, such as view.
const aggregates = "rbac.authorization.k8s.io/aggregate-to-"

// everywhere tells whether somebody has the rights of a role in all namespaces. A ClusterRole that nothing binds, or that
// RoleBindings do, gives none there.
func (s *stack) everywhere(r *resource) bool {
	if r.is("Role") {
		return false
	}
	for label := range r.object.GetLabels() {
		if strings.HasPrefix(label, aggregates) {
			return true
		}
	}
	return slices.ContainsFunc(s.byKind["ClusterRoleBinding"], func(b *resource) bool {
		return text(b.object.Object, "roleRef", "name") == r.object.GetName()
	})
}

// wildcards are rights that nobody has counted, and those to take any other.
func wildcards(rule rbacv1.PolicyRule) []breach {
	var found []breach
	for what, names := range map[string][]string{
		"verbs": rule.Verbs, "API groups": rule.APIGroups, "resources": rule.Resources, "URLs": rule.NonResourceURLs,
	} {
		for _, name := range names {
			if strings.Contains(name, "*") {
				on := strings.Join(append(slices.Clone(rule.Resources), rule.NonResourceURLs...), ", ")
				found = append(found, breach{what + " " + name, fmt.Sprintf("it has all %s (%q) on %s: name them", what, name, on)})
			}
		}
	}
	for _, verb := range []string{"escalate", "bind", "impersonate"} {
		if slices.Contains(rule.Verbs, verb) {
			found = append(found, breach{"verb " + verb, fmt.Sprintf("it may %s %s, and so take any rights", verb, strings.Join(rule.Resources, ", "))})
		}
	}
	return found
}

// in is what of a privilege a rule grants. One for named objects alone is none.
func (p privilege) in(rule rbacv1.PolicyRule) []breach {
	if !slices.Contains(rule.APIGroups, p.group) && !slices.Contains(rule.APIGroups, "*") || len(rule.ResourceNames) > 0 {
		return nil
	}
	var verbs []string
	for _, verb := range rule.Verbs {
		if len(p.verbs) == 0 || slices.Contains(p.verbs, verb) || verb == "*" {
			verbs = append(verbs, verb)
		}
	}
	var found []breach
	for _, resource := range p.resources {
		if len(verbs) > 0 && slices.Contains(rule.Resources, resource) {
			where := ""
			if p.everywhere {
				where = " in all namespaces"
			}
			found = append(found, breach{resource, fmt.Sprintf("it may %s %s%s: whoever does so %s", list(verbs), resource, where, p.because)})
		}
	}
	return found
}

// everybody are the subjects that nobody has to be anybody for.
var everybody = []string{"system:anonymous", "system:unauthenticated", "system:authenticated", "system:serviceaccounts"}

// bindingBreaches are roles of Kubernetes' own that allow everything, and roles for everybody.
func bindingBreaches(r *resource) []breach {
	var found []breach
	if role := text(r.object.Object, "roleRef", "name"); slices.Contains([]string{"cluster-admin", "admin", "edit"}, role) {
		found = append(found, breach{role, fmt.Sprintf("it grants %s, which allows nearly everything: grant what is needed", role)})
	}
	for _, subject := range items(r.object.Object, "subjects") {
		if name := text(subject, "name"); slices.Contains(everybody, name) {
			found = append(found, breach{name, fmt.Sprintf("it grants rights to %s, which is everybody", name)})
		}
	}
	return found
}
