package mesh

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// tunnelPort is where pods of an Istio mesh in ambient mode accept what comes through it, whatever port it is meant for.
// Network policies judge the tunnel. Source: istio.io, "Ambient and Kubernetes NetworkPolicy".
const tunnelPort = 15008

// probes is whom the kubelet's probes seem to come from in an ambient mesh, over IPv4 and IPv6: addresses that nothing
// else has. Istio's node agent puts them there, so that probes need not come through the mesh, and network policies no
// longer take them for the node's. Source: as above, and cni/pkg/nodeagent/options.go of Istio.
var probes = flow.Peer{
	Name:  "kubelet's probes in the mesh",
	CIDRs: []string{"169.254.7.127/32", "fd16:9254:7127:1337:ffff:ffff:ffff:ffff/128"},
}

func istioLabels() map[string]string { return map[string]string{"istio.io/dataplane-mode": "ambient"} }

// istioFlows add the tunnel to each flow whose ends may both take part, and the kubelet's probes to what ends in a
// namespace that does.
func (m Mesh) istioFlows(flows []flow.Flow) []flow.Flow {
	all := slices.Clone(flows)
	for i, f := range all {
		if len(f.Ports) > 0 && m.mayTakePart(f.From) && m.mayTakePart(f.To) && !slices.Contains(f.Ports, tunnelPort) {
			all[i].Ports = slices.Concat(f.Ports, []int{tunnelPort})
		}
	}
	for _, namespace := range m.Namespaces {
		all = append(all, flow.Flow{
			Name: "istio-probes-" + namespace, From: probes, To: flow.Peer{Namespace: namespace},
			Why: "The kubelet asks pods of the mesh whether they are well.",
		})
	}
	return all
}

// mayTakePart tells whether some pod that the peer means may be in the mesh. Those of a peer that is everywhere are
// meant as addresses, such as that of the API server or one outside of the cluster.
func (m Mesh) mayTakePart(p flow.Peer) bool {
	if p.Everywhere || len(p.CIDRs) > 0 {
		return false
	}
	return p.Namespace == "" || m.Enrolled(p.Namespace)
}

// takesPart tells whether every connection of the peer comes through the mesh.
func (m Mesh) takesPart(p flow.Peer) bool {
	return !p.Everywhere && len(p.CIDRs) == 0 && p.Namespace != "" && m.Enrolled(p.Namespace)
}

// istioObjects are the policies of a namespace in the mesh: how a connection has to come, and which ones may.
func (m Mesh) istioObjects(namespace string, into []flow.Flow) []runtime.Object {
	var accepted []flow.Flow
	for _, f := range into {
		f.Ports = slices.DeleteFunc(slices.Clone(f.Ports), func(port int) bool { return port == tunnelPort })
		overUDP := len(f.Ports) == 0 && len(f.UDPPorts) > 0 // which passes beside the mesh
		if !overUDP && !slices.Equal(f.From.CIDRs, probes.CIDRs) {
			accepted = append(accepted, f)
		}
	}
	return append(m.peerAuthentications(namespace, accepted), m.authorizationPolicies(namespace, accepted)...)
}

// policy is one of Istio's security policies. When it is deleted, it is at once: the usual way takes an update, which
// istiod has to admit, and would have to be well for.
func policy(kind, namespace, name string, spec map[string]any) runtime.Object {
	o := manifest.Custom("security.istio.io/v1", kind, namespace, name, "", spec)
	o.SetAnnotations(map[string]string{"pulumi.com/deletionPropagationPolicy": "background"})
	return o
}
