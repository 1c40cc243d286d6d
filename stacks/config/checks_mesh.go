package config

import (
	"fmt"
	"slices"
	"strings"
)

// istioCharts is the minor version of Istio that the pinned charts are of.
const istioCharts = "1.31"

func (k *checker) mesh() {
	const path = "network.mesh"
	m := k.cfg.Network.Mesh
	if m.Istio != nil && m.Type != MeshIstio {
		k.add(path+".istio", nil, fmt.Sprintf("is only allowed with type istio; type is %s", m.Type), path+".type")
	}
	if m.Linkerd != nil && m.Type != MeshLinkerd {
		k.add(path+".linkerd", nil, fmt.Sprintf("is only allowed with type linkerd; type is %s", m.Type), path+".type")
	}
	if m.Type == MeshNone && len(m.Namespaces) > 0 {
		k.add(path+".namespaces", nil, "is only allowed with type istio or linkerd; type is none", path+".type")
		return
	}
	k.meshNamespaces(path+".namespaces", m)
	if m.Istio != nil {
		k.istioVersion(path+".istio.version", m.Istio.Version)
	}
}

// istioVersion checks that images fit the charts.
func (k *checker) istioVersion(path, version string) {
	if k.cfg.Artifacts.Overrides.Istiod == nil && minor(version) != istioCharts {
		k.add(path, version, fmt.Sprintf("must be a version of Istio %s, which the charts are of; another one needs its charts too, by controlplane:artifacts.overrides (istioBase, istiod, istioCNI, ztunnel)", istioCharts), "artifacts.overrides")
	}
}

func (k *checker) meshNamespaces(path string, m Mesh) {
	allowed := k.cfg.meshable()
	seen := map[string]bool{}
	for i, namespace := range m.Namespaces {
		at := fmt.Sprintf("%s.%d", path, i)
		switch {
		case seen[namespace]:
			k.add(at, namespace, "is in the list already; must be in it once")
		case !slices.Contains(allowed, namespace):
			k.suggest(at, namespace, "cannot take part in the mesh; must be one of "+strings.Join(allowed, ", "), nearest(namespace, allowed),
				"network.mesh.type", ingressPath+".controller", objectStoragePath+".backend")
		}
		seen[namespace] = true
	}
}

// meshable returns the namespaces of the stack that may take part in a mesh.
// Operators whose webhooks the API server calls stay outside, so that the
// platform can start while the mesh is down; that of Prometheus may take part,
// because nothing waits for its webhook but rules of alerts. The mesh's own
// namespaces stay outside as well, and pods in the network of their node.
func (c *Config) meshable() []string {
	outside := []string{
		NamespaceCertManager, NamespaceDatabaseOperator, NamespaceIstio, NamespaceIstioNodes, NamespaceLinkerd, NamespaceLinkerdNodes,
		NamespaceNodeExporter, NamespaceAutoscaler, NamespaceMetricsServer,
	}
	namespaces := slices.DeleteFunc(c.closedNamespaces(), func(n string) bool { return slices.Contains(outside, n) })
	namespaces = append(namespaces, NamespaceControlPlane)
	slices.Sort(namespaces)
	return namespaces
}
