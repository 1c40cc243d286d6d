package monitoring

import (
	"errors"
	"fmt"

	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/dashboards"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/exporters"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/grafana"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/prometheus"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args configure the component. What the parts have in common is set once, here; what they need of each other they get
// by themselves.
type Args struct {
	part.Common
	// Operator makes servers of the custom resources.
	Operator Operator
	// Prometheus collects metrics and evaluates rules. Its ScrapeClasses and NodePorts are those of the exporters.
	Prometheus prometheus.Args
	// Alertmanager tells people. Whether there is Grafana it knows from here.
	Alertmanager alertmanager.Args
	// Exporters say what Kubernetes and its nodes do.
	Exporters exporters.Args
	// Rules say what somebody is alerted of.
	Rules rules.Args
	// RulesNeed is what rules wait for: that what they watch is there.
	RulesNeed []pulumi.ResourceOption
	// Grafana shows it; nil: there is none. Its data sources, its dashboards and its own metrics are the platform's.
	Grafana *grafana.Args
	// GrafanaNeeds is what Grafana waits for before it starts, such as its database.
	GrafanaNeeds []pulumi.ResourceOption
	// Dashboards say what there is to show.
	Dashboards dashboards.Args
}

// kubeletPort is where every node has the metrics of its kubelet.
const kubeletPort = 10250

// described is what every part of the monitoring says of itself.
type described interface {
	Check() error
	Flows() []flow.Flow
}

// named is a part by the name of its field.
type named struct {
	field string
	described
}

// shared gives every part what all have in common, and what it needs of the others.
func (a Args) shared() (Args, error) {
	a.Prometheus.Common, a.Alertmanager.Common = a.Common, a.Common
	a.Exporters.Common, a.Rules.Common = a.Common, a.Common
	a.Prometheus.ScrapeClasses = []map[string]any{exporters.ScrapeClass()}
	a.Prometheus.NodePorts = nil
	if a.Exporters.NodeExporter != nil {
		a.Prometheus.NodePorts = append(a.Prometheus.NodePorts, names.NodeExporterPort)
	}
	if a.Exporters.Kubelet {
		a.Prometheus.NodePorts = append(a.Prometheus.NodePorts, kubeletPort)
	}
	a.Alertmanager.Grafana = a.Grafana != nil
	if a.Grafana == nil {
		return a, nil
	}
	all, err := dashboards.All(a.Dashboards)
	if err != nil {
		return a, fmt.Errorf("dashboards: %w", err)
	}
	g := *a.Grafana
	g.Common, g.ServiceMonitor, g.Home, g.ScrapeInterval = a.Common, true, dashboards.OverviewUID, a.Prometheus.ScrapeInterval
	g.PrometheusURL, g.AlertmanagerURL = names.URL(names.Prometheus, names.PrometheusPort), names.URL(names.Alertmanager, names.AlertmanagerPort)
	g.Dashboards = nil
	for _, d := range all {
		g.Dashboards = append(g.Dashboards, grafana.Dashboard{Folder: d.Folder, UID: d.UID, Title: d.Title, JSON: d.JSON})
	}
	a.Grafana = &g
	return a, nil
}

// parts are what the monitoring consists of, apart from the operator.
func (a Args) parts() []named {
	all := []named{
		{"Prometheus", a.Prometheus}, {"Alertmanager", a.Alertmanager}, {"Exporters", a.Exporters}, {"Rules", a.Rules},
	}
	if a.Grafana != nil {
		all = append(all, named{"Grafana", *a.Grafana})
	}
	return all
}

// Check reports what cannot work. New does as well, but others may want to know before they register anything: then
// values that are known at run time only may be missing.
func (a Args) Check() error {
	problems := []error{a.Operator.check()}
	a, err := a.shared()
	if err != nil {
		problems = append(problems, err)
	}
	for _, p := range a.parts() {
		if err := p.Check(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", p.field, err))
		}
	}
	return errors.Join(problems...)
}

// Flows are the connections that the monitoring opens and accepts.
func (a Args) Flows() []flow.Flow {
	flows := a.operatorFlows()
	a, _ = a.shared() // no dashboard is part of a flow, and Check says what is wrong with them
	for _, p := range a.parts() {
		flows = append(flows, p.Flows()...)
	}
	return flows
}
