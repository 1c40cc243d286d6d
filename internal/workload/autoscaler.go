package workload

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Autoscaling follows the load of the processors.
type Autoscaling struct {
	// MaxReplicas is the greatest number of pods.
	MaxReplicas int
	// TargetCPUPercent is the load to aim at, in percent of what a pod requests.
	TargetCPUPercent int
}

// Pace is how quickly an autoscaler follows the load, one pod at a time.
type Pace struct{ Up, Down Step }

// Step adds or removes one pod in Every seconds, once the load has asked for it for Window seconds.
type Step struct{ Window, Every int32 }

func (s Step) rules() *autoscalingv2.HPAScalingRules {
	return &autoscalingv2.HPAScalingRules{
		StabilizationWindowSeconds: new(s.Window),
		Policies: []autoscalingv2.HPAScalingPolicy{
			{Type: autoscalingv2.PodsScalingPolicy, Value: 1, PeriodSeconds: s.Every},
		},
	}
}

// Autoscaler scales the Deployment of the given name between least and the greatest number of pods.
func Autoscaler(meta metav1.ObjectMeta, least int, a Autoscaling, pace Pace) *autoscalingv2.HorizontalPodAutoscaler {
	return &autoscalingv2.HorizontalPodAutoscaler{
		ObjectMeta: meta,
		Spec: autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: meta.Name},
			MinReplicas:    new(int32(least)),
			MaxReplicas:    int32(a.MaxReplicas),
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ResourceMetricSourceType,
				Resource: &autoscalingv2.ResourceMetricSource{
					Name: corev1.ResourceCPU,
					Target: autoscalingv2.MetricTarget{
						Type: autoscalingv2.UtilizationMetricType, AverageUtilization: new(int32(a.TargetCPUPercent)),
					},
				},
			}},
			Behavior: &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleUp: pace.Up.rules(), ScaleDown: pace.Down.rules()},
		},
	}
}

// ScaledBudget lets one pod at a time be evicted, however many an autoscaler has made of them. With a fixed number
// [Budgets] does that.
func ScaledBudget(meta metav1.ObjectMeta, selector map[string]string) *policyv1.PodDisruptionBudget {
	return &policyv1.PodDisruptionBudget{
		ObjectMeta: meta,
		Spec: policyv1.PodDisruptionBudgetSpec{
			MaxUnavailable: new(intstr.FromInt32(1)), Selector: &metav1.LabelSelector{MatchLabels: selector},
			UnhealthyPodEvictionPolicy: new(policyv1.AlwaysAllow),
		},
	}
}
