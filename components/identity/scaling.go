package identity

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
)

// autoscaler adds servers with the load of their processors, and removes them slowly: each change moves caches about,
// and a server that starts takes as much of a processor as a crowd does.
func (b *builder) autoscaler() *autoscalingv2.HorizontalPodAutoscaler {
	oneEach := func(seconds int32) []autoscalingv2.HPAScalingPolicy {
		return []autoscalingv2.HPAScalingPolicy{{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: seconds}}
	}
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: meta(name),
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: name},
			MinReplicas:    new(int32(b.args.Replicas)),
			MaxReplicas:    int32(b.args.Autoscaling.MaxReplicas),
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ResourceMetricSourceType,
				Resource: &autoscalingv2.ResourceMetricSource{
					Name: corev1.ResourceCPU,
					Target: autoscalingv2.MetricTarget{
						Type:               autoscalingv2.UtilizationMetricType,
						AverageUtilization: new(int32(b.args.Autoscaling.TargetCPUPercent)),
					},
				},
			}},
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{
				ScaleUp: &autoscalingv2.HPAScalingRules{
					StabilizationWindowSeconds: new(int32(60)), Policies: oneEach(60),
				},
				ScaleDown: &autoscalingv2.HPAScalingRules{
					StabilizationWindowSeconds: new(int32(900)), Policies: oneEach(300),
				},
			},
		},
	}
}

// budget lets one server at a time be evicted, however many the autoscaler has made of them. With a fixed number the
// common rule does that.
func (b *builder) budget() *policyv1.PodDisruptionBudget {
	one := intstr.FromInt32(1)
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: meta(name),
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: &one, Selector: &metav1.LabelSelector{MatchLabels: selector()},
			UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
		},
	}
}

// serviceMonitor has Prometheus ask every server, and verify that it is one.
func (b *builder) serviceMonitor() runtime.Object {
	match := map[string]any{managedService: managementName}
	monitor := manifest.Custom("monitoring.coreos.com/v1", "ServiceMonitor", Namespace, name, "", map[string]any{
		"selector": map[string]any{"matchLabels": match}, "jobLabel": "app.kubernetes.io/name",
		"endpoints": []any{map[string]any{
			"port": metricsName, "scheme": "https", "path": relativePath + "/metrics", "interval": "30s",
			"tlsConfig": map[string]any{
				"ca":         map[string]any{"configMap": map[string]any{"name": b.args.Trust.ConfigMap, "key": b.args.Trust.Key}},
				"serverName": managementName + "." + Namespace + ".svc",
			},
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
