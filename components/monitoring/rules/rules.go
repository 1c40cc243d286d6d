package rules

import (
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

const (
	severityLabel  = "severity"
	componentLabel = "component"

	// objectPrefix begins the names of the objects: another program's rules may be in the same namespace.
	objectPrefix = "platform-"
)

// Group is what belongs together: the rules of a component. They become one object.
type Group struct {
	// Name is the component's, or another for recordings of all.
	Name string
	// Namespace is where the component is. All of its alerts have it as a label, so that they are told, and held back,
	// together; where it is empty they have the namespace of the object at fault.
	Namespace string
	Records   []Record
	Alerts    []Alert
}

// Record is a series that is computed.
type Record struct {
	// Name is level:metric:operations.
	Name, Expr string
	// Labels are added to the series.
	Labels map[string]string
}

// Alert is a condition that somebody should know of.
type Alert struct {
	// Name begins with the component's.
	Name string
	// Expr has a series for each object at fault. Its labels tell one from another.
	Expr string
	// For is how long it has to hold, such as 10m; empty: no time at all.
	For string
	// Severity is critical, warning or info.
	Severity string
	// Summary is a sentence for somebody who has just been woken: which object, and what is wrong with it.
	Summary string
	// Description says what it means for users, and for the platform.
	Description string
}

// All are the groups of an installation, without the alerts that are disabled and with the severities that are asked for.
func All(a Args) []Group {
	var all []Group
	for _, g := range complete(a) {
		g.Alerts = slices.DeleteFunc(g.Alerts, func(alert Alert) bool { return slices.Contains(a.Disabled, alert.Name) })
		for i := range g.Alerts {
			if severity, given := a.Severity[g.Alerts[i].Name]; given {
				g.Alerts[i].Severity = severity
			}
		}
		if len(g.Records)+len(g.Alerts) > 0 {
			all = append(all, g)
		}
	}
	return all
}

// complete are the groups as they are written down.
func complete(a Args) []Group {
	return []Group{
		health(a), certificates(), postgresql(a), valkey(a), objectStorage(a), iris(a), ingress(a), mesh(a), controlPlane(),
		kubernetes(a), nodes(a), monitoring(a),
	}
}

// Names are the names of all alerts that there can be, sorted.
func Names() []string {
	found := map[string]bool{}
	for _, mesh := range []string{Istio, Linkerd} {
		for _, g := range complete(everything(mesh)) {
			for _, alert := range g.Alerts {
				found[alert.Name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// Objects are the PrometheusRules, one for each group.
func Objects(a Args) []runtime.Object {
	var objects []runtime.Object
	for _, g := range All(a) {
		object := manifest.Custom("monitoring.coreos.com/v1", "PrometheusRule", names.Namespace, objectPrefix+g.Name, "",
			map[string]any{"groups": []any{g.spec(a)}})
		object.SetLabels(names.Labels(names.Prometheus))
		objects = append(objects, object)
	}
	return objects
}

// spec is the group in the form of Prometheus' rule files.
func (g Group) spec(a Args) map[string]any {
	var all []any
	for _, r := range g.Records {
		rule := map[string]any{"record": r.Name, "expr": r.Expr}
		if len(r.Labels) > 0 {
			rule["labels"] = anyMap(r.Labels)
		}
		all = append(all, rule)
	}
	for _, alert := range g.Alerts {
		labels := map[string]any{severityLabel: alert.Severity, componentLabel: g.Name}
		if g.Namespace != "" {
			labels["namespace"] = g.Namespace
		}
		rule := map[string]any{
			"alert": alert.Name, "expr": alert.Expr, "labels": labels,
			"annotations": map[string]any{
				"summary": alert.Summary, "description": alert.Description, "runbook_url": a.runbook(alert.Name),
			},
		}
		if alert.For != "" {
			rule["for"] = alert.For
		}
		all = append(all, rule)
	}
	return map[string]any{"name": objectPrefix + g.Name, "rules": all}
}

// runbook is the page of an alert.
func (a Args) runbook(alert string) string {
	base := a.RunbookBase
	if base == "" {
		base = DefaultRunbookBase
	}
	return base + alert + ".md"
}

func anyMap(labels map[string]string) map[string]any {
	all := map[string]any{}
	for key, value := range labels {
		all[key] = value
	}
	return all
}
