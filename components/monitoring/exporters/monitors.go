package exporters

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// monitor is a ServiceMonitor or a PodMonitor.
func monitor(kind, namespace, name string, spec map[string]any) runtime.Object {
	o := manifest.Custom("monitoring.coreos.com/v1", kind, namespace, name, "", spec)
	o.SetLabels(names.Labels(name))
	return o
}

func scrapeConfig(name, component string, spec map[string]any) runtime.Object {
	o := manifest.Custom("monitoring.coreos.com/v1alpha1", "ScrapeConfig", names.Namespace, name, "", spec)
	o.SetLabels(names.Labels(component))
	return o
}

func key(object, in string) map[string]any { return map[string]any{"name": object, "key": in} }

func selecting(labels map[string]string) map[string]any {
	match := map[string]any{}
	for key, value := range labels {
		match[key] = value
	}
	return map[string]any{"matchLabels": match}
}

func inNamespace(name string) map[string]any { return map[string]any{"matchNames": []any{name}} }

// What follows are steps of Prometheus' changes to labels.

func copyLabel(from, to string) map[string]any {
	return map[string]any{"action": "replace", "sourceLabels": []any{from}, "targetLabel": to}
}

// byNode calls targets by the node that they are of.
func byNode(label string) []any { return []any{copyLabel(label, "node"), copyLabel(label, "instance")} }

func setJob(job string) map[string]any {
	return map[string]any{"action": "replace", "targetLabel": "job", "replacement": job}
}

func dropLabels(labels string) map[string]any {
	return map[string]any{"action": "labeldrop", "regex": labels}
}

// clearLabel removes a label of the metrics whose whole name matches.
func clearLabel(label, metrics string) map[string]any {
	return map[string]any{
		"action": "replace", "sourceLabels": []any{"__name__"}, "regex": metrics, "targetLabel": label, "replacement": "",
	}
}

// dropMetrics leaves out the metrics whose whole name matches.
func dropMetrics(metrics string) map[string]any {
	return map[string]any{"action": "drop", "sourceLabels": []any{"__name__"}, "regex": metrics}
}
