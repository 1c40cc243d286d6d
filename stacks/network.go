package stacks

import (
	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// metricsLabel on a namespace says that Prometheus runs there, as the Control Plane's own network policies have it.
const metricsLabel, metricsLabelValue = "metrics", "enabled"

// surroundings are the peers that the configuration describes.
func (s *stack) surroundings() part.Surroundings {
	api := s.cfg.Network.Policies.APIServer
	return part.Surroundings{
		APIServer: outside("API server", api.CIDRs), APIServerPorts: api.Ports,
		Monitoring: flow.Peer{Name: "Prometheus", NamespaceLabels: map[string]string{metricsLabel: metricsLabelValue}},
	}
}

// outside is a peer by its addresses, or by any where they are not known.
func outside(name string, cidrs []string) flow.Peer {
	return flow.Peer{Name: name, CIDRs: cidrs, Everywhere: len(cidrs) == 0}
}

// gateways are the pods that use the gateway's database and the cache.
func (s *stack) gateways() flow.Peer {
	return flow.Peer{Name: "gateways", NamespaceLabels: s.cfg.Network.Policies.Gateways.Labels}
}

func dnsServers(cfg config.PolicyDNS) []flow.Peer {
	servers := []flow.Peer{{Name: "cluster DNS", Namespace: cfg.Namespace, Pods: cfg.Pods}}
	if len(cfg.CIDRs) > 0 {
		servers = append(servers, flow.Peer{Name: "node's DNS cache", CIDRs: cfg.CIDRs})
	}
	return servers
}

// additionalFlows are those that only the configuration knows.
func (s *stack) additionalFlows() (flows []flow.Flow) {
	for _, f := range s.cfg.Network.Policies.Additional {
		flows = append(flows, flow.Flow{
			Name: "additional-" + f.Name, From: flow.Peer{Namespace: f.Namespace, Pods: f.Pods}, To: outside("", f.CIDRs),
			Ports: f.Ports, UDPPorts: f.UDPPorts, Why: f.Why,
		})
	}
	return flows
}

// mesh is the cluster's.
func (s *stack) mesh() mesh.Mesh {
	cfg := s.cfg.Network.Mesh
	return mesh.Mesh{
		Kind: mesh.Kind(cfg.Type), Namespaces: cfg.Namespaces,
		// What the Control Plane's pods accept, and from whom, is not known here.
		Lenient: []string{certtrust.ControlPlaneNamespace},
	}
}
