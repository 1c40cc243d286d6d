package mesh

import (
	"maps"
	"slices"
	"strconv"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

const (
	strict     = "STRICT"
	permissive = "PERMISSIVE"
)

// exemption is what pods with certain labels accept outside of the mesh too.
type exemption struct {
	name      string // the first, by the alphabet, of the flows that ask for it
	pods      map[string]string
	ports     []int
	everyPort bool
}

// peerAuthentications have the pods of a namespace accept what comes through the mesh only, but for the ports on which
// others connect: the API server, Prometheus, clients from outside.
//
// Only one policy with a selector counts for a pod, the oldest. So what two selectors ask for that may mean the same
// pod is in both. An exemption for all pods of a namespace cannot name ports, and holds for the namespace as a whole.
// Source: istio.io, reference of PeerAuthentication, and pilot/pkg/serviceregistry/ambient/authorization.go of Istio.
func (m Mesh) peerAuthentications(namespace string, into []flow.Flow) []runtime.Object {
	exempt := m.exemptions(into)
	everyPod := slices.ContainsFunc(exempt, func(e exemption) bool { return len(e.pods) == 0 })
	if everyPod || slices.Contains(m.Lenient, namespace) {
		return []runtime.Object{peerAuthentication(namespace, "default", map[string]any{"mtls": mode(permissive)})}
	}
	objects := []runtime.Object{peerAuthentication(namespace, "default", map[string]any{"mtls": mode(strict)})}
	for _, e := range exempt {
		spec := map[string]any{"selector": matchLabels(e.pods), "mtls": mode(strict)}
		for _, other := range exempt {
			if compatible(e.pods, other.pods) {
				e.everyPort = e.everyPort || other.everyPort
				e.ports = append(slices.Clone(e.ports), other.ports...)
			}
		}
		if e.everyPort {
			spec["mtls"] = mode(permissive)
		} else {
			ports := map[string]any{}
			for _, port := range e.ports {
				ports[strconv.Itoa(port)] = mode(permissive)
			}
			spec["portLevelMtls"] = ports
		}
		objects = append(objects, peerAuthentication(namespace, "outside-"+e.name, spec))
	}
	return objects
}

// exemptions are those that flows from outside of the mesh ask for, one for each set of labels.
func (m Mesh) exemptions(into []flow.Flow) []exemption {
	var all []exemption
	for _, f := range into {
		if m.takesPart(f.From) {
			continue
		}
		i := slices.IndexFunc(all, func(e exemption) bool { return maps.Equal(e.pods, f.To.Pods) })
		if i < 0 {
			i = len(all)
			all = append(all, exemption{name: f.Name, pods: f.To.Pods})
		}
		all[i].name = min(all[i].name, f.Name)
		all[i].ports = append(all[i].ports, f.Ports...)
		all[i].everyPort = all[i].everyPort || len(f.Ports) == 0
	}
	return all
}

// compatible tells whether a pod can have both sets of labels.
func compatible(a, b map[string]string) bool {
	for key, value := range a {
		if other, ok := b[key]; ok && other != value {
			return false
		}
	}
	return true
}

func peerAuthentication(namespace, name string, spec map[string]any) runtime.Object {
	return policy("PeerAuthentication", namespace, name, spec)
}

func mode(name string) map[string]any { return map[string]any{"mode": name} }

func matchLabels(pods map[string]string) map[string]any {
	labels := map[string]any{}
	for key, value := range pods {
		labels[key] = value
	}
	return map[string]any{"matchLabels": labels}
}
