package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

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

// TestDerivedNetwork shows what follows from other values, and that a stack may
// override it.
func TestDerivedNetwork(t *testing.T) {
	type c = *config.Config
	scaling := func(c c) any {
		t := c.Network.Ingress.Traefik
		return []any{t.Replicas, t.Autoscaling.Enabled, t.Autoscaling.MaxReplicas}
	}
	image := func(c c) any { return c.Network.Ingress.Traefik.Image }
	classes := func(c c) any {
		acme := ""
		if c.CertTrust.ACME != nil {
			acme = c.CertTrust.ACME.HTTP01.IngressClassName
		}
		return []string{c.Network.Ingress.ClassName(), c.Identity.Ingress.ClassName, acme}
	}
	namespaces := func(c c) any { return c.Network.Mesh.Namespaces }
	const existing = "network: {ingress: {existing: {className: nginx, namespace: ingress-nginx, pods: {app.kubernetes.io/name: ingress-nginx}}}}"
	for _, test := range []struct {
		name, yaml string
		got        func(c) any
		want       any
	}{
		{"replicas of single", "", scaling, []any{1, false, 2}},
		{"replicas of zonal", "availability: zonal", scaling, []any{3, true, 6}},
		{"a fixed number of replicas over zones", "availability: zonal\n" + traefik("replicas: 2, autoscaling: {enabled: false}"), scaling, []any{2, false, 4}},
		{"scaled in one zone", traefik("autoscaling: {enabled: true, maxReplicas: 5}"), scaling, []any{1, true, 5}},
		{"the identity provider does not scale unasked", "availability: zonal",
			func(c c) any { return c.Identity.Autoscaling.Enabled }, false},
		{"a newer Traefik of a mirror", traefik("image: 'registry.example.com:5000/library/traefik:v3.10'"), image, "registry.example.com:5000/library/traefik:v3.10"},
		{"a derived image with versions of its own", traefik("image: 'registry.example.com/edge-proxy:1.4'"), image, "registry.example.com/edge-proxy:1.4"},
		{"a moving tag of Traefik 3", traefik("image: 'docker.io/library/traefik:v3'"), image, "docker.io/library/traefik:v3"},
		{"class of Traefik", http01, classes, []string{"traefik", "traefik", "traefik"}},
		{"another name for the class of Traefik", traefik("className: public"), classes, []string{"public", "public", ""}},
		{"class of an existing controller", existing + "\n" + http01, classes, []string{"nginx", "nginx", "nginx"}},
		{"classes of their own", identity("ingress: {className: internal}") + "\ncertTrust: {acme: {server: 'https://acme.example.com/directory', email: a@example.com, http01: {ingressClassName: public}}}",
			classes, []string{"traefik", "internal", "public"}},
		{"an existing controller, and nothing of Traefik", existing, func(c c) any { return c.Network.Ingress }, config.NetworkIngress{
			Controller: config.IngressExisting,
			Existing:   &config.ExistingIngress{ClassName: "nginx", Namespace: "ingress-nginx", Pods: map[string]string{"app.kubernetes.io/name": "ingress-nginx"}},
		}},
		{"ports of nodes", traefik("service: {type: NodePort, nodePorts: {https: 30443}}"),
			func(c c) any { return c.Network.Ingress.Traefik.Service.NodePorts }, config.NodePorts{HTTPS: 30443}},
		{"a network load balancer behind a proxy", traefik("service: {loadBalancer: nlb, sourceRanges: [0.0.0.0/0, '2001:db8::/32']}, trustedProxies: [10.0.0.0/16], proxyProtocol: true"),
			func(c c) any {
				t := c.Network.Ingress.Traefik
				return []any{t.Service.LoadBalancer, t.Service.SourceRanges, t.TrustedProxies, t.ProxyProtocol}
			}, []any{config.LoadBalancerNLB, []string{"0.0.0.0/0", "2001:db8::/32"}, []string{"10.0.0.0/16"}, true}},
		{"HSTS for lists of browsers", traefik("hsts: {maxAge: 17520h, includeSubdomains: true, preload: true}"),
			func(c c) any { return c.Network.Ingress.Traefik.HSTS }, config.HSTS{MaxAge: hours(17520), IncludeSubdomains: true, Preload: true}},
		{"no HSTS", traefik("hsts: {maxAge: 0s}"), func(c c) any { return c.Network.Ingress.Traefik.HSTS }, config.HSTS{}},
		{"a wildcard by DNS", "certTrust: {acme: {server: 'https://acme.example.com', email: a@example.com, route53: {region: eu-central-1, hostedZoneID: Z1}}}\n" +
			traefik("certificate: {hostnames: [example.com, '*.example.com', '*.iris.example.com']}"),
			func(c c) any { return c.Network.Ingress.Traefik.Certificate.Hostnames }, []string{"example.com", "*.example.com", "*.iris.example.com"}},
		{"some namespaces only", traefik("namespaces: [identity, shop]"),
			func(c c) any { return c.Network.Ingress.Traefik.Namespaces }, []string{"identity", "shop"}},
		{"some namespaces only, and the identity provider elsewhere", identity("ingress: {className: internal}") + "\n" + traefik("namespaces: [shop]"),
			func(c c) any { return c.Network.Ingress.Traefik.Namespaces }, []string{"shop"}},

		{"port of an ACME server", "certTrust: {acme: {server: 'https://acme.example.com:14000/dir', email: a@example.com, http01: {}}}",
			func(c c) any { return c.Network.Policies.ACME }, config.PolicyPeer{Ports: []int{14000}}},
		{"usual port of an ACME server", http01, func(c c) any { return c.Network.Policies.ACME }, config.PolicyPeer{Ports: []int{443}}},
		{"an ACME server behind a proxy", http01 + "\n" + policies("acme: {cidrs: [192.0.2.0/24], ports: [3128]}"),
			func(c c) any { return c.Network.Policies.ACME }, config.PolicyPeer{CIDRs: []string{"192.0.2.0/24"}, Ports: []int{3128}}},
		{"DNS of OpenShift", policies("dns: {namespace: openshift-dns, pods: {dns.operator.openshift.io/daemonset-dns: default}, cidrs: [], ports: [5353]}"),
			func(c c) any { return c.Network.Policies.DNS },
			config.PolicyDNS{Namespace: "openshift-dns", Pods: map[string]string{"dns.operator.openshift.io/daemonset-dns": "default"}, CIDRs: []string{}, Ports: []int{5353}}},
		{"gateways by labels of their own", policies("gateways: {labels: {team: edge}}"),
			func(c c) any { return c.Network.Policies.Gateways.Labels }, map[string]string{"team": "edge"}},
		{"Amazon S3 by its endpoint", s3("bucket: files") + "\n" + policies("objectStorage: {cidrs: [192.0.2.0/24]}"),
			func(c c) any { return c.Network.Policies.ObjectStorage }, config.PolicyPeer{CIDRs: []string{"192.0.2.0/24"}, Ports: []int{443}}},
		{"a connection more", policies("additional: [{name: mail, namespace: identity, pods: {app: iris}, cidrs: [192.0.2.25/32], ports: [587], udpPorts: [587], why: Users get mail.}]"),
			func(c c) any { return c.Network.Policies.Additional }, []config.AdditionalFlow{{
				Name: "mail", Namespace: "identity", Pods: map[string]string{"app": "iris"}, CIDRs: []string{"192.0.2.25/32"},
				Ports: []int{587}, UDPPorts: []int{587}, Why: "Users get mail.",
			}}},

		{"Istio", mesh("type: istio"), func(c c) any { return c.Network.Mesh }, config.Mesh{
			Type: config.MeshIstio, Namespaces: []string{"identity", "controlplane-system", "ingress"},
			Istio: &config.IstioMesh{Hub: "docker.io/istio", Version: "1.31.1"},
		}},
		{"Istio beside another controller", "network: {ingress: {existing: {className: nginx}}, mesh: {type: istio}}",
			namespaces, []string{"identity", "controlplane-system"}},
		{"Istio for the stores of data", mesh("type: istio, namespaces: [minio, monitoring, postgresql, valkey]"),
			namespaces, []string{"minio", "monitoring", "postgresql", "valkey"}},
		{"another variant of Istio's images", mesh("type: istio, istio: {version: 1.31.0-distroless, platform: k3s}"),
			func(c c) any { return *c.Network.Mesh.Istio }, config.IstioMesh{Hub: "docker.io/istio", Version: "1.31.0-distroless", Platform: "k3s"}},
		{"another Istio with its charts", "artifacts: {overrides: {istiod: {directory: a}}}\n" + mesh("type: istio, istio: {version: 1.30.4}"),
			func(c c) any { return c.Network.Mesh.Istio.Version }, "1.30.4"},
		{"Linkerd", mesh("type: linkerd"), func(c c) any { return c.Network.Mesh }, config.Mesh{
			Type: config.MeshLinkerd, Namespaces: []string{"identity", "controlplane-system", "ingress"},
			Linkerd: &config.LinkerdMesh{Version: "2026.9.1"},
		}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			assert.Equal(t, test.want, test.got(cfg))
		})
	}
}

// TestNamespacesFollowTheStack names the namespace of a mesh, which is only
// there with that mesh.
func TestNamespacesFollowTheStack(t *testing.T) {
	const flow = "policies: {additional: [{name: keys, namespace: istio-system, ports: [443], why: Public keys of an issuer.}]}"
	cfg, err := parse(t, "network: {mesh: {type: istio}, "+flow+"}")
	require.NoError(t, err)
	assert.Equal(t, "istio-system", cfg.Network.Policies.Additional[0].Namespace)
	_, err = parse(t, "network: {"+flow+"}")
	assert.ErrorContains(t, err, `"istio-system" is no namespace of the platform`)
}
