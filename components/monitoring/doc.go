// Package monitoring provides the monitoring of the platform. Its first layer is the resource definitions of the
// Prometheus operator, which must exist before any part of the platform declares a ServiceMonitor. The second one,
// Monitoring, is all that reads them.
//
// In order: the namespace; the operator and its admission webhook, which from then on refuses rules that Prometheus
// could not load; the rules; Prometheus and Alertmanager, exporters and Grafana. What each of them consists of is described
// in a package of its own below this one; this one registers it.
//
// The operator may read Secrets of its own namespace, and of others only where it is told to: package prometheus
// says how to let monitors elsewhere refer to Secrets.
package monitoring
