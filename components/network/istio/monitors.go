package istio

import (
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// serviceMonitor has Prometheus ask istiod.
func serviceMonitor() runtime.Object {
	return manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", Namespace, "istiod", "", map[string]any{
		"selector":  map[string]any{"matchLabels": map[string]any{"istio": "pilot"}},
		"endpoints": []any{map[string]any{"port": "http-monitoring", "interval": "30s"}},
	})
}

// podMonitor has Prometheus ask the agents of every node, which have no Service.
func podMonitor(pods map[string]string, name, port string) runtime.Object {
	labels := map[string]any{}
	for key, value := range pods {
		labels[key] = value
	}
	return manifest.Custom("monitoring.coreos.com/v1", "PodMonitor", NodeNamespace, name, "", map[string]any{
		"selector":            map[string]any{"matchLabels": labels},
		"podMetricsEndpoints": []any{map[string]any{"port": port, "path": "/metrics", "interval": "30s"}},
	})
}
