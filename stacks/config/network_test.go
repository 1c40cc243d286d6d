package config_test

import (
	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// defaultNetwork is the network of a stack that configures nothing.
func defaultNetwork() config.Network {
	return config.Network{
		Ingress:    config.NetworkIngress{Controller: config.IngressTraefik, Traefik: defaultTraefik()},
		GatewayAPI: config.GatewayAPI{CustomResourceDefinitions: config.CRDsInstall},
		Policies: config.NetworkPolicies{
			APIServer: config.PolicyPeer{Ports: []int{443, 6443}},
			DNS: config.PolicyDNS{
				Namespace: "kube-system", Pods: map[string]string{"k8s-app": "kube-dns"},
				CIDRs: []string{"169.254.20.10/32"}, Ports: []int{53},
			},
			ObjectStorage: config.PolicyPeer{Ports: []int{443}},
			Gateways:      config.NamespaceSelector{Labels: map[string]string{"controlplane.io/gateway": "enabled"}},
		},
		Mesh: config.Mesh{Type: config.MeshNone},
	}
}

func defaultTraefik() *config.Traefik {
	return &config.Traefik{
		ClassName: "traefik", DefaultClass: true, Image: "docker.io/library/traefik:v3.7.13", Replicas: 1,
		Autoscaling: config.Autoscaling{MaxReplicas: 2, TargetCPUPercent: 75},
		Service: config.IngressService{
			Type: config.ServiceLoadBalancer, LoadBalancer: config.LoadBalancerNone, HTTPPort: 80, HTTPSPort: 443,
		},
		HSTS: config.HSTS{MaxAge: hours(8760)}, ServiceMonitor: true,
	}
}
