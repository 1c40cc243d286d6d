package metricsserver

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// monitor declares the metrics of metrics-server itself; the chart's own would take any certificate.
func (a Args) monitor() runtime.Object {
	match := map[string]any{}
	for key, value := range selector() {
		match[key] = value
	}
	return manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", Namespace, name, "", map[string]any{
		"selector":  map[string]any{"matchLabels": match},
		"endpoints": []any{map[string]any{"port": "https", "scheme": "https", "tlsConfig": a.ScrapeTLS(host)}},
	})
}
