package grafana

import (
	"net/url"
	"strconv"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/certmanager"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// Flows are the connections that Grafana opens and accepts, but for the one to Alertmanager, which that declares.
func (a Args) Flows() []flow.Flow {
	self := flow.Peer{Name: "Grafana", Namespace: names.Namespace, Pods: names.Selector(names.Grafana)}
	flows := []flow.Flow{{
		Name: "grafana-prometheus", From: self,
		To:    flow.Peer{Name: "Prometheus", Namespace: names.Namespace, Pods: names.Selector(names.Prometheus)},
		Ports: []int{names.PrometheusPort}, Why: "Dashboards show what Prometheus has.",
	}}
	if d := a.Database; d != nil {
		flows = append(flows, flow.Flow{
			Name: "grafana-database", From: self, To: d.Pods, Ports: []int{d.Port},
			Why: "Replicas share users, sessions and preferences.",
		})
	}
	if o := a.OIDC; o != nil {
		flows = append(flows, flow.Flow{
			Name: "grafana-identity", From: self, To: o.Pods, Ports: []int{portOf(o.InternalRealmURL)},
			Why: "Grafana gets the tokens of users who log in.",
		})
	}
	if a.Hostname != "" {
		flows = append(flows, flow.Flow{
			Name: "grafana-ingress", From: a.Ingress.Controller, To: self, Ports: []int{port},
			Why: "The ingress controller leads people to Grafana.",
		})
		if a.Ingress.HTTP01 != nil {
			flows = append(flows, flow.Flow{
				Name: "grafana-http01", From: *a.Ingress.HTTP01, To: certmanager.Solvers(names.Namespace),
				Ports: []int{certmanager.SolverPort},
				Why:   "The ingress controller leads the ACME server to the proof that the public host name is ours.",
			})
		}
	}
	if a.ServiceMonitor {
		flows = append(flows, a.Scrape("grafana-metrics", self, port))
	}
	return flows
}

// portOf is the port of a URL with https.
func portOf(text string) int {
	if u, err := url.Parse(text); err == nil {
		if number, err := strconv.Atoi(u.Port()); err == nil {
			return number
		}
	}
	return 443
}
