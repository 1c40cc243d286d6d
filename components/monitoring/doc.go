// Package monitoring provides the monitoring of the platform. Its first layer is the resource definitions of the
// Prometheus operator, which must exist before any part of the platform declares a ServiceMonitor.
package monitoring
