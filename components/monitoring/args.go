package monitoring

import (
	"errors"
	"fmt"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/exporters"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/prometheus"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/internal/part"
)

// Args configure the component. What the parts have in common is set once, here.
type Args struct {
	part.Common
	// Operator makes servers of the custom resources.
	Operator Operator
	// Prometheus collects metrics and evaluates rules.
	Prometheus prometheus.Args
	// Exporters say what Kubernetes and its nodes do.
	Exporters exporters.Args
	// Rules say what somebody is alerted of.
	Rules rules.Args
}

// kubeletPort is where every node has the metrics of its kubelet.
const kubeletPort = 10250

// described is what every part of the monitoring says of itself.
type described interface {
	Check() error
	Flows() []flow.Flow
}

// shared gives every part what all have in common, and Prometheus what the exporters need of it.
func (a Args) shared() Args {
	a.Prometheus.Common, a.Exporters.Common, a.Rules.Common = a.Common, a.Common, a.Common
	a.Prometheus.ScrapeClasses = []map[string]any{exporters.ScrapeClass()}
	a.Prometheus.NodePorts = nil
	if a.Exporters.NodeExporter != nil {
		a.Prometheus.NodePorts = append(a.Prometheus.NodePorts, names.NodeExporterPort)
	}
	if a.Exporters.Kubelet {
		a.Prometheus.NodePorts = append(a.Prometheus.NodePorts, kubeletPort)
	}
	return a
}

// parts are the parts by the names of their fields.
func (a Args) parts() []struct {
	field string
	described
} {
	type named = struct {
		field string
		described
	}
	return []named{{"Prometheus", a.Prometheus}, {"Exporters", a.Exporters}, {"Rules", a.Rules}}
}

// Check reports what cannot work. New does as well, but others may want to know before they register anything: then
// values that are known at run time only may be missing.
func (a Args) Check() error {
	a = a.shared()
	problems := []error{a.Operator.check()}
	for _, p := range a.parts() {
		if err := p.Check(); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", p.field, err))
		}
	}
	return errors.Join(problems...)
}

// Flows are the connections that the monitoring opens and accepts.
func (a Args) Flows() []flow.Flow {
	a = a.shared()
	flows := a.operatorFlows()
	for _, p := range a.parts() {
		flows = append(flows, p.Flows()...)
	}
	return flows
}
