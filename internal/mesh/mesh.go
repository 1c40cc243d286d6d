// Package mesh adapts namespaces, and the flows between them, to a service mesh. What the mesh itself consists of is the
// business of the component that installs it.
package mesh

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// Kind is a service mesh.
type Kind string

const (
	// None is no mesh at all.
	None Kind = "none"
	// Istio is Istio in ambient mode: proxies belong to nodes, and pods stay as they are.
	Istio Kind = "istio"
	// Linkerd puts a proxy into each pod.
	Linkerd Kind = "linkerd"
)

// Mesh is the mesh of a cluster, and the namespaces whose pods take part in it. The zero value is no mesh.
type Mesh struct {
	Kind       Kind
	Namespaces []string
	// Lenient are those of the Namespaces that also accept what does not come through the mesh, on every port.
	Lenient []string
}

// Enrolled tells whether the pods of a namespace take part.
func (m Mesh) Enrolled(namespace string) bool {
	return (m.Kind == Istio || m.Kind == Linkerd) && slices.Contains(m.Namespaces, namespace)
}

// Labels and Annotations of a namespace have its pods take part, if they shall. The flows are those that end there.
func (m Mesh) Labels(namespace string) map[string]string {
	if m.Kind == Istio && m.Enrolled(namespace) {
		return istioLabels()
	}
	return nil
}

// Annotations of a namespace: see Labels.
func (m Mesh) Annotations(namespace string, into []flow.Flow) map[string]string {
	if m.Kind == Linkerd && m.Enrolled(namespace) {
		return m.linkerdAnnotations(namespace, into)
	}
	return nil
}

// Objects are what a namespace holds so that its pods accept nothing but what comes through the mesh, except for the
// flows from elsewhere among those that end there.
func (m Mesh) Objects(namespace string, into []flow.Flow) []runtime.Object {
	if m.Kind == Istio && m.Enrolled(namespace) {
		return m.istioObjects(namespace, into)
	}
	return nil
}

// Flows are the given ones, as they pass through the mesh, and those that the mesh itself needs in the namespaces that
// take part.
func (m Mesh) Flows(flows []flow.Flow) []flow.Flow {
	switch m.Kind {
	case Istio:
		return m.istioFlows(flows)
	case Linkerd:
		return m.linkerdFlows(flows)
	default:
		return flows
	}
}
