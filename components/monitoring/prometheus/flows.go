package prometheus

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// Pods are the servers.
var Pods = flow.Peer{Namespace: names.Namespace, Pods: names.Selector(names.Prometheus)}

// Flows are the connections that Prometheus opens and accepts. Alertmanager and Grafana declare theirs with it.
func (a Args) Flows() []flow.Flow {
	flows := []flow.Flow{
		{
			// Monitors of others name any port; what their pods accept, their own policies say.
			Name: "prometheus-targets", From: Pods, Why: "Prometheus reads metrics of whatever pods are declared to it.",
		},
		a.ToAPIServer("prometheus-kubernetes", Pods, "Prometheus looks up what there is to scrape, and reads metrics of the API server."),
		a.Scrape("prometheus-metrics", Pods, names.PrometheusPort, reloaderPort),
	}
	if len(a.NodePorts) > 0 { // without any, every port would be meant
		flows = append(flows, flow.Flow{
			Name: "prometheus-nodes", From: Pods, To: flow.Peer{Everywhere: true}, Ports: a.NodePorts,
			Why: "Prometheus reads metrics of nodes.",
		})
	}
	if len(a.RemoteWrite) > 0 {
		flows = append(flows, flow.Flow{
			Name: "prometheus-remote-write", From: Pods, To: flow.Peer{Everywhere: true}, Ports: a.remotePorts(),
			Why: "Prometheus sends all samples to other systems.",
		})
	}
	if t := a.Thanos; t != nil {
		to := t.Pods
		if to.Namespace == "" && len(to.CIDRs) == 0 && len(to.NamespaceLabels) == 0 {
			to = flow.Peer{Everywhere: true}
		}
		flows = append(flows, flow.Flow{
			Name: "prometheus-blocks", From: Pods, To: to, Ports: []int{t.Port},
			Why: "The Thanos sidecar uploads complete blocks to the object storage.",
		})
	}
	return flows
}

// remotePorts are those of the systems that get samples, in order and each once.
func (a Args) remotePorts() []int {
	var ports []int
	for _, w := range a.RemoteWrite {
		port := 443
		if u, err := url.Parse(w.URL); err == nil && u.Port() != "" {
			port, _ = strconv.Atoi(u.Port()) // of a parsed URL, it is a number
		}
		ports = append(ports, port)
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}
