package certtrust

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// The ports of the pods, as the charts have them.
const (
	webhookPort      = 10250
	trustWebhookPort = 10260
	metricsPort      = 9402
)

// pods are those of a part of cert-manager.
func pods(part string) flow.Peer {
	return flow.Peer{Namespace: Namespace, Pods: map[string]string{
		"app.kubernetes.io/instance": "cert-manager", "app.kubernetes.io/component": part,
	}}
}

// Flows are the connections that cert-manager and trust-manager open and accept. The Control Plane's namespace has no
// part in them: its policies are its own.
func (a Args) Flows() []flow.Flow {
	trustManager := flow.Peer{Namespace: Namespace, Pods: map[string]string{"app": "trust-manager"}}
	flows := []flow.Flow{
		a.ToAPIServer("cert-manager-kubernetes", flow.Peer{Namespace: Namespace},
			"cert-manager and trust-manager work with Certificates, Secrets and Bundles."),
		a.Webhook("cert-manager-webhook", pods("webhook"), webhookPort, "The API server has certificates and issuers checked."),
		a.Webhook("trust-manager-webhook", trustManager, trustWebhookPort, "The API server has Bundles checked."),
	}
	if a.CertManager.ServiceMonitor {
		all := flow.Peer{Namespace: Namespace, Pods: map[string]string{"app.kubernetes.io/instance": "cert-manager"}}
		flows = append(flows, a.Scrape("cert-manager-metrics", all, metricsPort))
	}
	if a.TrustManager.ServiceMonitor {
		flows = append(flows, a.Scrape("trust-manager-metrics", trustManager, metricsPort))
	}
	if a.ACME != nil {
		flows = append(flows, a.acmeFlows()...)
	}
	return flows
}

// acmeFlows are what an ACME issuer needs.
func (a Args) acmeFlows() []flow.Flow {
	controller := pods("controller")
	flows := []flow.Flow{{
		Name: "cert-manager-acme", From: controller, To: a.ACME.ServerPeer, Ports: a.ACME.ServerPorts,
		Why: "cert-manager orders certificates for public host names.",
	}}
	if a.ACME.Route53 != nil {
		servers := a.nameServers()
		servers.Name, servers.From = "cert-manager-dns01", controller
		servers.Why = "cert-manager looks whether the name servers know the answer to a challenge."
		return append(flows, servers, flow.Flow{
			Name: "cert-manager-route53", From: controller, To: flow.Peer{Everywhere: true}, Ports: []int{443},
			Why: "cert-manager puts answers to challenges into Amazon Route 53, with the credentials of a role.",
		})
	}
	flows = append(flows, flow.Flow{
		Name: "cert-manager-http01", From: controller, To: flow.Peer{Everywhere: true}, Ports: []int{80, 443},
		Why: "cert-manager looks for the answer to a challenge under the public host name first, and follows redirects.",
	})
	if a.ACME.Ingress.Namespace != "" {
		flows = append(flows, flow.Flow{
			Name: "cert-manager-http01-ingress", From: controller, To: a.ACME.Ingress, Ports: a.ACME.IngressPorts,
			Why: "Inside the cluster the address of a load balancer leads straight to the ingress controller's pods.",
		})
	}
	return flows
}

// nameServers is where DNS-01 challenges are looked for: on the configured servers, or wherever a zone's own servers are.
func (a Args) nameServers() flow.Flow {
	if len(a.CertManager.RecursiveNameservers) == 0 {
		return flow.Flow{To: flow.Peer{Everywhere: true}, Ports: []int{53}, UDPPorts: []int{53}}
	}
	var f flow.Flow
	for _, server := range a.CertManager.RecursiveNameservers {
		block, port, err := address(server)
		if err != nil { // a host name: where it leads is not known here
			f.To.Everywhere = true
		} else if !slices.Contains(f.To.CIDRs, block) {
			f.To.CIDRs = append(f.To.CIDRs, block)
		}
		if port != 0 && !slices.Contains(f.Ports, port) {
			f.Ports = append(f.Ports, port)
		}
	}
	f.UDPPorts = f.Ports
	return f
}

// address is an IP address as a CIDR, and its port, which is known also when the host is not an IP address.
func address(hostPort string) (string, int, error) {
	host, text, err := net.SplitHostPort(hostPort)
	if err != nil {
		return "", 0, err
	}
	port, err := strconv.Atoi(text)
	if err != nil {
		return "", 0, fmt.Errorf("port of %s: %w", hostPort, err)
	}
	ip, err := netip.ParseAddr(host)
	if err != nil {
		return "", port, err
	}
	return netip.PrefixFrom(ip, ip.BitLen()).String(), port, nil
}
