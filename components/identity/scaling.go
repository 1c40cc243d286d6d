package identity

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// pace adds servers with the load of their processors, and removes them slowly: each change moves caches about, and a
// server that starts takes as much of a processor as a crowd does.
var pace = workload.Pace{Up: workload.Step{Window: 60, Every: 60}, Down: workload.Step{Window: 900, Every: 300}}

func (b *builder) autoscaler() *autoscalingv2.HorizontalPodAutoscaler {
	return workload.Autoscaler(meta(name), b.args.Replicas, workload.Autoscaling(*b.args.Autoscaling), pace)
}

func (b *builder) budget() *policyv1.PodDisruptionBudget {
	return workload.ScaledBudget(meta(name), selector())
}

// serviceMonitor has Prometheus ask every server, and verify that it is one.
func (b *builder) serviceMonitor() runtime.Object {
	match := map[string]any{managedService: managementName}
	monitor := manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", Namespace, name, "", map[string]any{
		"selector": map[string]any{"matchLabels": match}, "jobLabel": "app.kubernetes.io/name",
		"endpoints": []any{map[string]any{
			"port": metricsName, "scheme": "https", "path": relativePath + "/metrics", "interval": "30s",
			"tlsConfig": b.args.ScrapeTLS(managementName + "." + Namespace + ".svc"),
		}},
	})
	monitor.SetLabels(labels())
	return monitor
}

// managedService is the label by which the ServiceMonitor finds the one Service that has the port.
const managedService = "controlplane.io/service"

func management() metav1.ObjectMeta {
	m := meta(managementName)
	m.Labels[managedService] = managementName
	return m
}
