package alertmanager

import (
	"net/url"
	"slices"
	"strconv"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// pods are those of a component of the monitoring.
func pods(component string) flow.Peer {
	return flow.Peer{Namespace: names.Namespace, Pods: names.Selector(component)}
}

// Flows are the connections that Alertmanager opens and accepts.
func (a Args) Flows() []flow.Flow {
	self := pods(names.Alertmanager)
	flows := []flow.Flow{{
		Name: "alertmanager-alerts", From: pods(names.Prometheus), To: self, Ports: []int{names.AlertmanagerPort},
		Why: "Prometheus sends alerts, and reads metrics.",
	}}
	if a.Grafana {
		flows = append(flows, flow.Flow{
			Name: "alertmanager-grafana", From: pods(names.Grafana), To: self, Ports: []int{names.AlertmanagerPort},
			Why: "Grafana shows alerts and silences.",
		})
	}
	if a.Replicas > 1 {
		// With TLS there is no UDP between them.
		flows = append(flows, flow.Flow{
			Name: "alertmanager-gossip", From: self, To: self, Ports: []int{names.AlertmanagerGossip},
			Why: "Replicas tell each other what they have sent, and what is silenced.",
		})
	}
	if ports := a.outside(); len(ports) > 0 {
		flows = append(flows, flow.Flow{
			Name: "alertmanager-receivers", From: self, To: flow.Peer{Everywhere: true}, Ports: ports,
			Why: "Receivers are told of alerts.",
		})
	}
	return flows
}

// outside are the ports of receivers.
func (a Args) outside() []int {
	var ports []int
	for _, r := range a.Receivers {
		switch {
		case r.Email != nil && a.SMTP != nil:
			ports = append(ports, a.SMTP.Port)
		case r.Webhook != nil && r.Webhook.SecretURL == nil:
			ports = append(ports, portOf(r.Webhook.URL))
		case r.Webhook != nil:
			ports = append(ports, orHTTPS(r.Webhook.Port))
		case r.Slack != nil:
			ports = append(ports, orHTTPS(r.Slack.Port))
		case r.PagerDuty != nil:
			ports = append(ports, portOf(r.PagerDuty.URL))
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports)
}

func orHTTPS(port int) int {
	if port == 0 {
		return 443
	}
	return port
}

// portOf is the port of a URL that has been checked.
func portOf(text string) int {
	u, err := url.Parse(text)
	if err != nil {
		return 443
	}
	if port, err := strconv.Atoi(u.Port()); err == nil {
		return port
	}
	if u.Scheme == "http" {
		return 80
	}
	return 443
}
