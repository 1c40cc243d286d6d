// Package namespace makes the platform's namespaces: with Pod Security enforced, closed but for the flows that are
// declared, and part of the mesh where there is one.
package namespace

import (
	"maps"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Plan is what the namespaces of a platform follow from.
type Plan struct {
	// Flows are all of the platform's, as they pass through the mesh.
	Flows flow.Table
	// Mesh is the cluster's.
	Mesh mesh.Mesh
}

// Objects are a namespace with the given labels and what belongs to it before its first pod starts.
func (p Plan) Objects(name string, labels map[string]string) []runtime.Object {
	objects := []runtime.Object{p.Open(name, labels)}
	for _, policy := range p.Flows.Policies(name) {
		objects = append(objects, policy)
	}
	return append(objects, p.Mesh.Objects(name, p.Flows.Into(name))...)
}

// Open is a namespace without network policies: that of the Control Plane, which brings its own.
func (p Plan) Open(name string, labels map[string]string) runtime.Object {
	all := maps.Clone(p.Mesh.Labels(name))
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, labels)
	ns := workload.Namespace(name, all)
	if annotations := p.Mesh.Annotations(name, p.Flows.Into(name)); len(annotations) > 0 {
		ns.Annotations = annotations
	}
	return ns
}
