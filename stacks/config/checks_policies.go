package config

import (
	"fmt"
	"slices"
	"strings"
)

func (k *checker) policies() {
	const path = "network.policies"
	p := k.cfg.Network.Policies
	k.labels(path+".dns.pods", p.DNS.Pods)
	if len(p.Gateways.Labels) == 0 {
		k.add(path+".gateways.labels", nil, "selects every namespace; must have at least one label, because the pods of these namespaces may use the gateway's database and the cache", path+".gateways")
	}
	k.labels(path+".gateways.labels", p.Gateways.Labels)
	if k.cfg.CertTrust.ACME == nil && !p.ACME.isDefault(nil) {
		k.add(path+".acme", nil, "has no effect; is only allowed with controlplane:certTrust.acme", "certTrust.acme", path+".acme")
	}
	if backend := k.cfg.Storage.ObjectStorage.Backend; backend != ObjectsS3 && !p.ObjectStorage.isDefault([]int{443}) {
		k.add(path+".objectStorage", nil, fmt.Sprintf("has no effect; is only allowed with controlplane:storage.objectStorage.backend s3; backend is %s", backend),
			objectStoragePath+".backend", path+".objectStorage")
	}
	k.additional(path+".additional", p.Additional)
}

const objectStoragePath = "storage.objectStorage"

// isDefault says whether nothing is configured, where ports are the default.
func (p PolicyPeer) isDefault(ports []int) bool {
	return len(p.CIDRs) == 0 && slices.Equal(p.Ports, ports)
}

func (k *checker) additional(path string, flows []AdditionalFlow) {
	names, namespaces := map[string]bool{}, k.cfg.closedNamespaces()
	for i, f := range flows {
		at := fmt.Sprintf("%s.%d", path, i)
		if names[f.Name] && f.Name != "" {
			k.add(at+".name", f.Name, "is the name of another connection already; must be in one item only")
		}
		names[f.Name] = true
		switch {
		case f.Namespace == "", slices.Contains(namespaces, f.Namespace):
		case f.Namespace == NamespaceControlPlane:
			k.add(at+".namespace", f.Namespace, "has no network policies from here, so that its pods may connect to everything anyway; must be one of "+strings.Join(namespaces, ", "))
		default:
			k.suggest(at+".namespace", f.Namespace, "is no namespace of the platform; must be one of "+strings.Join(namespaces, ", "), nearest(f.Namespace, namespaces),
				"network.mesh.type", ingressPath+".controller", objectStoragePath+".backend")
		}
		if len(f.Ports) == 0 && len(f.UDPPorts) == 0 && !k.isTouched(at+".ports") && !k.isTouched(at+".udpPorts") {
			k.add(at, nil, "names no port; must have ports, udpPorts or both", at)
		}
		k.labels(at+".pods", f.Pods)
	}
}

// closedNamespaces returns the namespaces that the stack has and that get
// network policies.
func (c *Config) closedNamespaces() []string {
	namespaces := []string{NamespaceCertManager, NamespaceIdentity, NamespacePostgreSQL}
	if c.Cluster.MetricsServer.Install {
		namespaces = append(namespaces, NamespaceMetricsServer)
	}
	if eks := c.Cluster.EKS; eks != nil && eks.Autoscaling.Enabled {
		namespaces = append(namespaces, NamespaceAutoscaler)
	}
	if c.Storage.PostgreSQL.Backend == CloudNativePG {
		namespaces = append(namespaces, NamespaceDatabaseOperator)
	}
	if c.Storage.Cache.Backend == Valkey {
		namespaces = append(namespaces, NamespaceValkey)
	}
	if c.Network.Ingress.Controller == IngressTraefik {
		namespaces = append(namespaces, NamespaceIngress)
	}
	if c.Storage.ObjectStorage.Backend == ObjectsMinIO {
		namespaces = append(namespaces, NamespaceMinIO)
	}
	if c.Monitoring.Installed() {
		namespaces = append(namespaces, NamespaceMonitoring)
		if c.Monitoring.Exporters.NodeExporter.Enabled {
			namespaces = append(namespaces, NamespaceNodeExporter)
		}
	}
	switch c.Network.Mesh.Type {
	case MeshIstio:
		namespaces = append(namespaces, NamespaceIstio, NamespaceIstioNodes)
	case MeshLinkerd:
		namespaces = append(namespaces, NamespaceLinkerd, NamespaceLinkerdNodes)
	}
	slices.Sort(namespaces)
	return namespaces
}
