package valkey

import "github.com/telekom/controlplane-infrastructure/internal/flow"

// Client is somebody who uses the cache.
type Client struct {
	// Name tells clients apart.
	Name string
	// Pods open the connections.
	Pods flow.Peer
}

func (c component) pods() flow.Peer { return flow.Peer{Namespace: Namespace, Pods: c.selector()} }

// entry is the part that the primary's address leads to.
func (a Args) entry() component {
	if a.replicated() {
		return proxy
	}
	return server
}

// Flows are the connections that the cache opens and accepts.
func (a Args) Flows() []flow.Flow {
	var flows []flow.Flow
	controlPlane := Client{Name: "controlplane", Pods: flow.Peer{Namespace: a.ControlPlaneNamespace}}
	for _, client := range append([]Client{controlPlane}, a.Clients...) {
		flows = append(flows, flow.Flow{
			Name: "valkey-" + client.Name, From: client.Pods, To: a.entry().pods(), Ports: []int{Port},
			Why: "Limits of rates and the health of zones are kept in the cache.",
		})
	}
	if a.ServiceMonitor {
		flows = append(flows, a.Scrape("valkey-metrics", server.pods(), metricsPort))
	}
	if !a.replicated() {
		return flows
	}
	toServers := func(from component, why string) flow.Flow {
		return flow.Flow{Name: "valkey-" + string(from) + "-servers", From: from.pods(), To: server.pods(), Ports: []int{Port}, Why: why}
	}
	toSentinels := func(from component, why string) flow.Flow {
		return flow.Flow{Name: "valkey-" + string(from) + "-sentinels", From: from.pods(), To: sentinel.pods(), Ports: []int{sentinelPort}, Why: why}
	}
	return append(flows,
		toServers(server, "Replicas follow the primary, and a server that starts asks the others what they have."),
		toServers(sentinel, "Sentinels watch servers, and make one of them the primary."),
		toServers(proxy, "Proxies lead clients to the primary, which they look for by its own word."),
		toSentinels(server, "A server asks who the primary is when it starts, and hands over before it ends."),
		toSentinels(sentinel, "Sentinels agree on the primary."),
		toSentinels(proxy, "Proxies look for the primary by the sentinels' word."),
	)
}
