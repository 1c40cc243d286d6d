package config

import (
	"net/url"
	"strconv"
)

// implyNetwork adds what follows from the choice of an ingress controller and
// of a mesh, and lists that may also be chosen to be empty.
func implyNetwork(network map[string]any, zonal, eks bool) {
	ingress := group(network, "ingress")
	switch {
	case ingress["existing"] != nil:
		absent(ingress, "controller", string(IngressExisting))
	case ingress["controller"] == nil, ingress["controller"] == string(IngressTraefik):
		absent(ingress, "controller", string(IngressTraefik))
		group(ingress, "traefik")
	}
	if traefik, ok := ingress["traefik"].(map[string]any); ok {
		absent(group(traefik, "autoscaling"), "enabled", zonal)
		implyLoadBalancer(group(traefik, "service"), eks)
	}
	if mesh := group(network, "mesh"); mesh["type"] == string(MeshIstio) || mesh["type"] == string(MeshLinkerd) {
		group(mesh, mesh["type"].(string))
	}
	policies := group(network, "policies")
	dns := group(policies, "dns")
	absent(dns, "pods", map[string]any{"k8s-app": "kube-dns"})
	absent(dns, "cidrs", []any{"169.254.20.10/32"})
	absent(dns, "ports", []any{53})
	ports := []any{443, 6443}
	if eks {
		ports = []any{443}
	}
	absent(group(policies, "apiServer"), "ports", ports)
	absent(group(policies, "objectStorage"), "ports", []any{443})
	absent(group(policies, "gateways"), "labels", map[string]any{"controlplane.io/gateway": "enabled"})
}

// implyLoadBalancer chooses the load balancer that a cluster of EKS makes
// without a controller of its own.
func implyLoadBalancer(service map[string]any, eks bool) {
	kind := LoadBalancerNone
	if eks && (service["type"] == nil || service["type"] == string(ServiceLoadBalancer)) && service["loadBalancerClass"] == nil {
		kind = LoadBalancerNLBCloudProvider
	}
	absent(service, "loadBalancer", string(kind))
}

func (c *Config) deriveNetwork() {
	n := &c.Network
	if eks := c.Cluster.EKS; eks != nil && len(n.Policies.APIServer.CIDRs) == 0 {
		n.Policies.APIServer.CIDRs = eks.apiServerCIDRs()
	}
	if t := n.Ingress.Traefik; t != nil {
		c.replicas(&t.Replicas, 3)
		if t.Autoscaling.MaxReplicas == 0 {
			t.Autoscaling.MaxReplicas = 2 * t.Replicas
		}
	}
	class := n.Ingress.ClassName()
	if c.Identity.Ingress.ClassName == "" {
		c.Identity.Ingress.ClassName = class
	}
	if acme := c.CertTrust.ACME; acme != nil {
		if acme.HTTP01 != nil && acme.HTTP01.IngressClassName == "" {
			acme.HTTP01.IngressClassName = class
		}
		if len(n.Policies.ACME.Ports) == 0 {
			n.Policies.ACME.Ports = []int{urlPort(acme.Server)}
		}
	}
	if n.Mesh.Type != MeshNone && len(n.Mesh.Namespaces) == 0 {
		n.Mesh.Namespaces = []string{NamespaceIdentity, NamespaceControlPlane}
		if n.Ingress.Controller == IngressTraefik {
			n.Mesh.Namespaces = append(n.Mesh.Namespaces, NamespaceIngress)
		}
	}
}

// urlPort returns the port of an https:// URL.
func urlPort(server string) int {
	const standard = 443
	u, err := url.Parse(server)
	if err != nil {
		return standard // the schema has reported it
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	return standard
}
