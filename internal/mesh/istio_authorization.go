package mesh

import (
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// authorizationPolicies say again, for what comes through the mesh, which ports the flows are about: network policies see
// the tunnel's port only, and would let whoever may use it reach every port behind it. The first denies what no other
// allows; all others count together.
//
// Source: istio.io, "Ambient and Kubernetes NetworkPolicy" and "Use Layer 4 security policy".
func (m Mesh) authorizationPolicies(namespace string, into []flow.Flow) []runtime.Object {
	objects := []runtime.Object{authorizationPolicy(namespace, "default-deny", map[string]any{})}
	for _, f := range into {
		spec := map[string]any{"action": "ALLOW", "rules": []any{m.rule(namespace, f)}}
		if len(f.To.Pods) > 0 {
			spec["selector"] = matchLabels(f.To.Pods)
		}
		objects = append(objects, authorizationPolicy(namespace, "allow-"+f.Name, spec))
	}
	return objects
}

// rule is a flow as the mesh sees it. From where a connection comes that is not part of the mesh, network policies judge.
func (m Mesh) rule(namespace string, f flow.Flow) map[string]any {
	rule := map[string]any{}
	switch {
	case m.takesPart(f.From) && !slices.Contains(m.Lenient, namespace):
		rule["from"] = source(map[string]any{"namespaces": []any{f.From.Namespace}})
	case !m.takesPart(f.From) && !m.mayTakePart(f.From) && !f.From.Everywhere:
		rule["from"] = source(map[string]any{"notPrincipals": []any{"*"}})
	}
	if len(f.Ports) > 0 {
		ports := []any{}
		for _, port := range f.Ports {
			ports = append(ports, strconv.Itoa(port))
		}
		rule["to"] = []any{map[string]any{"operation": map[string]any{"ports": ports}}}
	}
	return rule
}

func source(of map[string]any) []any { return []any{map[string]any{"source": of}} }

func authorizationPolicy(namespace, name string, spec map[string]any) runtime.Object {
	return policy("AuthorizationPolicy", namespace, name, spec)
}
