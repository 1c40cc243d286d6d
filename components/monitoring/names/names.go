// Package names has what the parts of the monitoring know each other by.
package names

import (
	"fmt"
	"maps"
)

const (
	// Namespace is where everything runs but the node exporter, which needs more of its nodes than others may have.
	Namespace             = "monitoring"
	NodeExporterNamespace = "node-exporter"

	// The components. Each is also the name of its Service, and the value of the label NameLabel on its pods.
	Operator         = "prometheus-operator"
	Webhook          = "prometheus-operator-webhook"
	Prometheus       = "prometheus"
	Alertmanager     = "alertmanager"
	Grafana          = "grafana"
	KubeStateMetrics = "kube-state-metrics"
	NodeExporter     = "node-exporter"

	// Instance is the name of the custom resources Prometheus and Alertmanager.
	Instance = "platform"

	// Ports of pods and Services.
	PrometheusPort     = 9090
	AlertmanagerPort   = 9093
	AlertmanagerGossip = 9094 // TCP alone: with TLS there is no UDP
	GrafanaPort        = 3000
	NodeExporterPort   = 9100

	// NameLabel tells the pods of one component from others.
	NameLabel = "app.kubernetes.io/name"
)

// Selector is the label of the pods of a component.
func Selector(component string) map[string]string { return map[string]string{NameLabel: component} }

// Labels are those of every object of a component.
func Labels(component string) map[string]string {
	all := map[string]string{
		"app.kubernetes.io/managed-by": "pulumi",
		"app.kubernetes.io/part-of":    "controlplane-infrastructure",
	}
	maps.Copy(all, Selector(component))
	return all
}

// Host is the name of a component's Service inside the cluster.
func Host(component string) string { return component + "." + Namespace + ".svc" }

// URL is the address of a component's Service inside the cluster.
func URL(component string, port int) string {
	return fmt.Sprintf("https://%s:%d", Host(component), port)
}
