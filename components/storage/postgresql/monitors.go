package postgresql

import "github.com/telekom/controlplane-infrastructure/internal/manifest"

// monitors declare the metrics of a cluster's instances and of its pooler. The operator's own declarations are on their
// way out.
func (b *builder) monitors(p plan) (manifest.Set, error) {
	if !p.PodMonitor {
		return manifest.Set{}, nil
	}
	instances, err := podMonitor(Namespace, p.Name, map[string]any{ClusterLabel: p.Name, roleLabel: "instance"},
		map[string]any{
			"port": "metrics", "scheme": "https",
			"tlsConfig": b.args.ScrapeTLS(p.primary()),
		})
	if err != nil || p.Pooler == nil {
		return instances, err
	}
	pooler, err := podMonitor(Namespace, p.poolerName(), map[string]any{poolerLabel: p.poolerName()},
		map[string]any{"port": "metrics"})
	return manifest.Merge(instances, pooler), err
}

// podMonitor has Prometheus scrape pods.
func podMonitor(namespace, name string, labels, endpoint map[string]any) (manifest.Set, error) {
	return manifest.Typed(manifest.Custom("monitoring.coreos.com/v1", "PodMonitor", namespace, name, "", map[string]any{
		"selector": map[string]any{"matchLabels": labels}, "podMetricsEndpoints": []any{endpoint},
	}))
}
