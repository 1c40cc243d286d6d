package istio

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/telekom/controlplane-infrastructure/internal/artifact"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args configure the component.
type Args struct {
	part.Common
	// Base, Istiod, CNI and Ztunnel are Istio's charts of these names, all of one release.
	Base, Istiod, CNI, Ztunnel *artifact.Tree
	// Hub is the registry and path that the images come from, such as docker.io/istio; Tag is the release, such as 1.31.2.
	Hub, Tag string
	// Platform is one of Platforms where nodes keep network plugins elsewhere than Kubernetes usually does; empty elsewhere.
	Platform string
	// Replicas is the number of istiods, at least 1.
	Replicas int
	// ServiceMonitors declare the metrics to Prometheus; they need the definitions of ServiceMonitor and PodMonitor.
	ServiceMonitors bool
	// GatewayAPI has istiod serve gateways and waypoints; it needs the Gateway API's definitions, and the right to create
	// Deployments in every namespace. Without it, istiod leaves the Gateway API alone.
	GatewayAPI bool
}

// Platforms are what Args.Platform may be: those that Istio's charts have a profile for.
func Platforms() []string {
	return []string{"gke", "k3d", "k3s", "microk8s", "minikube", "openshift"}
}

// check finds what would make the charts fail, or work in another way than asked for.
func (a Args) check() error {
	var problems []error
	for name, chart := range map[string]*artifact.Tree{"Base": a.Base, "Istiod": a.Istiod, "CNI": a.CNI, "Ztunnel": a.Ztunnel} {
		if chart == nil {
			problems = append(problems, fmt.Errorf("the chart %s is missing", name))
		}
	}
	if a.Hub == "" || a.Tag == "" {
		problems = append(problems, errors.New("hub and tag of Istio's images are missing"))
	}
	if a.Replicas < 1 {
		problems = append(problems, fmt.Errorf("%d replicas of istiod: there must be one at least", a.Replicas))
	}
	if a.Platform != "" && !slices.Contains(Platforms(), a.Platform) {
		problems = append(problems, fmt.Errorf("platform %q: Istio knows %s; leave it empty elsewhere",
			a.Platform, strings.Join(Platforms(), ", ")))
	}
	return errors.Join(problems...)
}

var (
	istiod  = flow.Peer{Name: "istiod", Namespace: Namespace, Pods: map[string]string{"istio": "pilot"}}
	agent   = flow.Peer{Name: "Istio's network plugin", Namespace: NodeNamespace, Pods: map[string]string{"k8s-app": "istio-cni-node"}}
	ztunnel = flow.Peer{Name: "ztunnel", Namespace: NodeNamespace, Pods: map[string]string{"app": "ztunnel"}}
)

// Ports of Istio. Source: istio.io, "Ports used by Istio".
const (
	controlPort = 15012 // configuration and certificates, over TLS
	webhookPort = 15017
	metricsPort = 15014 // of istiod and of the network plugin's agent
	statsPort   = 15020 // of ztunnel
)

// Flows are the connections that Istio itself opens and accepts. What pods say to each other through ztunnel leaves and
// reaches the pods' own network, and is a flow of theirs.
func (a Args) Flows() []flow.Flow {
	flows := []flow.Flow{
		a.ToAPIServer("istiod-kubernetes", istiod, "istiod reads services and pods, and the policies of the mesh."),
		a.ToAPIServer("istio-cni-kubernetes", agent, "The agent learns which pods of its node take part in the mesh."),
		a.Webhook("istiod-webhooks", istiod, webhookPort, "istiod checks the mesh's policies, and adds proxies where pods ask for one."),
		{
			Name: "istio-control", From: ztunnel, To: istiod, Ports: []int{controlPort},
			Why: "ztunnel gets configuration, and certificates for the pods of its node.",
		},
	}
	if a.GatewayAPI {
		flows = append(flows, flow.Flow{
			Name: "istio-gateways", To: istiod, Ports: []int{controlPort},
			Why: "Gateways and waypoints that somebody asks for get configuration and certificates.",
		})
	}
	if a.ServiceMonitors {
		flows = append(flows, a.Scrape("istiod-metrics", istiod, metricsPort),
			a.Scrape("istio-cni-metrics", agent, metricsPort), a.Scrape("ztunnel-metrics", ztunnel, statsPort))
	}
	return flows
}
