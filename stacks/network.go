package stacks

import (
	"maps"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	corev1 "k8s.io/api/core/v1"

	"github.com/telekom/controlplane-infrastructure/components/certtrust"
	"github.com/telekom/controlplane-infrastructure/components/network"
	"github.com/telekom/controlplane-infrastructure/components/network/istio"
	"github.com/telekom/controlplane-infrastructure/components/network/linkerd"
	"github.com/telekom/controlplane-infrastructure/components/network/traefik"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/part"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// surroundings are the peers that the configuration describes.
func (s *stack) surroundings() part.Surroundings {
	api := s.cfg.Network.Policies.APIServer
	return part.Surroundings{
		APIServer: outside("API server", api.CIDRs), APIServerPorts: api.Ports,
		Monitoring: s.scraper(), MonitoringTrusts: s.cfg.Monitoring.Installed(),
	}
}

// outside is a peer by its addresses, or by any where they are not known.
func outside(name string, cidrs []string) flow.Peer {
	return flow.Peer{Name: name, CIDRs: cidrs, Everywhere: len(cidrs) == 0}
}

// ingressController is what leads requests from outside to pods.
func (s *stack) ingressController() flow.Peer {
	if existing := s.cfg.Network.Ingress.Existing; existing != nil {
		return flow.Peer{Name: "ingress controller", Namespace: existing.Namespace, Pods: existing.Pods}
	}
	return traefik.Servers()
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

// network are the arguments of the component.
func (s *stack) network() network.Args {
	cfg := s.cfg.Network
	args := network.Args{}
	switch replicas := s.meshReplicas(); cfg.Mesh.Type {
	case config.MeshIstio:
		args.Istio = &istio.Args{
			Hub: cfg.Mesh.Istio.Hub, Tag: cfg.Mesh.Istio.Version, Platform: cfg.Mesh.Istio.Platform, Replicas: replicas,
			ServiceMonitors: true, GatewayAPI: cfg.GatewayAPI.Enabled,
		}
	case config.MeshLinkerd:
		args.Linkerd = &linkerd.Args{
			Replicas: replicas, Enrolled: cfg.Mesh.Namespaces, ServiceMonitors: true,
			// Linkerd cannot do without, whether Traefik serves it or not.
			GatewayAPI: true,
		}
	}
	if cfg.Ingress.Traefik != nil {
		args.Traefik = s.traefik(*cfg.Ingress.Traefik)
	}
	return args
}

// ingress provisions the ingress controller. The namespaces that it is to watch by name, the identity provider's always
// among them, have to be there before it.
func (s *stack) ingress(net *network.Network, args network.Args, i *iris) error {
	var watched []pulumi.ResourceOption
	if args.Traefik != nil && len(args.Traefik.Namespaces) > 0 {
		watched = append(watched, pulumi.DependsOn(i.Ground))
	}
	return net.Enter(s.ctx, "network", args, watched...)
}

// installsGatewayAPI tells whether the definitions of the Gateway API are needed, and nobody else's.
func (s *stack) installsGatewayAPI() bool {
	cfg := s.cfg.Network
	return (cfg.GatewayAPI.Enabled || cfg.Mesh.Type == config.MeshLinkerd) &&
		cfg.GatewayAPI.CustomResourceDefinitions == config.CRDsInstall
}

// meshReplicas are those of a mesh's control plane.
func (s *stack) meshReplicas() int {
	if s.cfg.Availability == config.Zonal {
		return 3
	}
	return 1
}

func (s *stack) traefik(cfg config.Traefik) *traefik.Args {
	args := &traefik.Args{
		Image: cfg.Image, ClassName: cfg.ClassName, DefaultClass: cfg.DefaultClass, Replicas: cfg.Replicas,
		Service:     ingressService(cfg.Service),
		Certificate: traefik.Certificate{Hostnames: cfg.Certificate.Hostnames, Issuer: s.publicIssuer()},
		HSTS: traefik.HSTS{
			MaxAge: time.Duration(cfg.HSTS.MaxAge), IncludeSubdomains: cfg.HSTS.IncludeSubdomains, Preload: cfg.HSTS.Preload,
		},
		TrustedProxies: cfg.TrustedProxies, ProxyProtocol: cfg.ProxyProtocol, Namespaces: cfg.Namespaces,
		GatewayAPI: s.cfg.Network.GatewayAPI.Enabled, ServiceMonitor: cfg.ServiceMonitor,
	}
	if len(cfg.Certificate.Hostnames) > 0 {
		args.Certificate.HTTP01 = s.prover()
	}
	if a := cfg.Autoscaling; a.Enabled {
		args.Autoscaling = &workload.Autoscaling{MaxReplicas: a.MaxReplicas, TargetCPUPercent: a.TargetCPUPercent}
	}
	return args
}

func ingressService(cfg config.IngressService) traefik.Service {
	annotations := map[string]string{}
	switch cfg.LoadBalancer {
	case config.LoadBalancerNLB:
		annotations = traefik.NLBAnnotations()
	case config.LoadBalancerNLBCloudProvider:
		annotations = traefik.CloudProviderNLBAnnotations()
	}
	maps.Copy(annotations, cfg.Annotations)
	return traefik.Service{
		Type: corev1.ServiceType(cfg.Type), Annotations: annotations,
		LoadBalancerClass: cfg.LoadBalancerClass, SourceRanges: cfg.SourceRanges,
		HTTPPort: int32(cfg.HTTPPort), HTTPSPort: int32(cfg.HTTPSPort),
		HTTPNodePort: int32(cfg.NodePorts.HTTP), HTTPSNodePort: int32(cfg.NodePorts.HTTPS),
	}
}

// networkOutputs tell others how requests get in.
func (s *stack) networkOutputs(net *network.Network) pulumi.Map {
	outputs := pulumi.Map{"ingressClass": pulumi.String(s.cfg.Network.Ingress.ClassName())}
	if net.Ingress != nil {
		outputs["ingressAddress"] = net.Ingress.Address
	}
	return outputs
}
