package linkerd

import (
	"fmt"
	"slices"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args configure the component. Native types decide what exists; Pulumi inputs carry values.
type Args struct {
	part.Common
	// CRDs, ControlPlane and CNI are the charts linkerd-crds, linkerd-control-plane and linkerd2-cni.
	CRDs, ControlPlane, CNI *artifact.Tree
	// Replicas is how many pods each of the three parts of the control plane has, at least 1.
	Replicas int
	// Enrolled are the namespaces that take part. Linkerd's webhooks are called for these alone.
	Enrolled []string
	// ServiceMonitors has Prometheus read the metrics of the control plane and of all proxies; it needs the PodMonitor
	// resource definition.
	ServiceMonitors bool
	// GatewayAPI says that somebody else installs the definitions of the Gateway API. Linkerd needs them, so that
	// otherwise its own chart has to.
	GatewayAPI bool
}

// The ports of the control plane's pods, as the chart has them.
const (
	webhookPort       = 8443
	policyWebhookPort = 9443
	proxyAdminPort    = 4191
)

// adminPorts are where the parts of the control plane have their metrics.
var adminPorts = []int{9990, 9995, 9996, 9997, proxyAdminPort}

// Flows are the connections that Linkerd itself opens and accepts. How the proxies of other namespaces reach it, package
// mesh knows.
func (a Args) Flows() []flow.Flow {
	all := flow.Peer{Namespace: Namespace}
	flows := []flow.Flow{
		a.ToAPIServer("linkerd-kubernetes", all,
			"Linkerd follows pods, services and policies, and has the tokens of pods checked."),
		a.ToAPIServer("linkerd-cni-kubernetes", flow.Peer{Namespace: CNINamespace},
			"The network plugin learns how pods want their traffic led, and has those restarted that came before it."),
		a.Webhook("linkerd-injection", mesh.LinkerdPods("proxy-injector"), webhookPort,
			"The API server has proxies put into new pods."),
		a.Webhook("linkerd-profiles", mesh.LinkerdPods("destination"), webhookPort,
			"The API server has service profiles checked."),
		a.Webhook("linkerd-policies", mesh.LinkerdPods("destination"), policyWebhookPort,
			"The API server has policies and routes of the mesh checked."),
		{
			Name: "linkerd-identity", From: all, To: mesh.LinkerdPods("identity"), Ports: []int{8080},
			Why: "The control plane's own proxies get their certificates.",
		},
		{
			Name: "linkerd-destination", From: all, To: mesh.LinkerdPods("destination"), Ports: []int{8086, 8090},
			Why: "The control plane's own proxies learn where traffic goes, and what they may let in.",
		},
	}
	if !a.ServiceMonitors {
		return flows
	}
	flows = append(flows, a.Scrape("linkerd-metrics", all, adminPorts...))
	for _, namespace := range a.Enrolled {
		flows = append(flows, a.Scrape("linkerd-proxies-"+namespace, flow.Peer{Namespace: namespace}, proxyAdminPort))
	}
	return flows
}

// validate finds what cannot work, before anything is registered.
func (a Args) validate() error {
	for _, namespace := range a.Enrolled {
		if slices.Contains([]string{Namespace, CNINamespace, certManagerNamespace, "kube-system"}, namespace) {
			return fmt.Errorf("namespace %s cannot take part in the mesh: the mesh could not start again without it", namespace)
		}
	}
	if a.Replicas < 1 {
		return fmt.Errorf("%d replicas of the control plane: at least 1 is needed", a.Replicas)
	}
	return nil
}
