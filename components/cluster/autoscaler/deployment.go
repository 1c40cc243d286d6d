package autoscaler

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// nobody is the user of the pods, who owns nothing in the image.
const nobody = int64(65534)

func (a Args) deployment() *appsv1.Deployment {
	pod := corev1.PodSpec{
		ServiceAccountName: ServiceAccount, AutomountServiceAccountToken: new(true), EnableServiceLinks: new(false),
		// Without it nothing else gets a node.
		PriorityClassName: "system-cluster-critical",
		SecurityContext:   &corev1.PodSecurityContext{RunAsUser: new(nobody), RunAsGroup: new(nobody)},
		Containers:        []corev1.Container{a.container()},
	}
	if a.replicas() == 1 {
		pod.Tolerations = workload.SoonElsewhere()
	}
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: Namespace, Name: name, Labels: labels()},
		Spec: appsv1.DeploymentSpec{
			Replicas:             new(a.replicas()),
			RevisionHistoryLimit: new(int32(3)),
			Selector:             &metav1.LabelSelector{MatchLabels: selector()},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels()}, Spec: pod,
			},
		},
	}
}

func (a Args) container() corev1.Container {
	return corev1.Container{
		Name: name, Image: a.Image,
		Command: []string{"./cluster-autoscaler"},
		Args: []string{
			"--cloud-provider=aws",
			"--node-group-auto-discovery=asg:tag=" + EnabledTag + "," + ClusterTag(a.Cluster),
			"--namespace=" + Namespace,
			"--leader-elect=true",
			// The zones stay equally large, as the pods that are spread over them are.
			"--balance-similar-node-groups=true",
			"--expander=least-waste",
			// A node may go although it has pods of kube-system, or with an emptyDir: almost all pods have one. Budgets hold
			// all the same.
			"--skip-nodes-with-system-pods=false",
			"--skip-nodes-with-local-storage=false",
			// Nothing is scheduled to a node on its way out, and load balancers have left it by then.
			"--cordon-node-before-terminating=true",
			"--v=2",
		},
		// Pods do not get at the node's metadata, which say it as well.
		Env:   []corev1.EnvVar{{Name: "AWS_REGION", Value: a.Region}},
		Ports: []corev1.ContainerPort{{Name: "metrics", ContainerPort: metricsPort}},
		// It fails when the loop has not come round for long. One that does not lead is healthy.
		LivenessProbe: &corev1.Probe{
			ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
				Path: "/health-check", Port: intstr.FromString("metrics"),
			}},
			PeriodSeconds: 10, TimeoutSeconds: 5, FailureThreshold: 6,
		},
	}
}

// monitor selects the pods: nobody else would use a Service.
func monitor() runtime.Object {
	match := map[string]any{}
	for key, value := range selector() {
		match[key] = value
	}
	return manifest.Custom("monitoring.coreos.com/v1", "PodMonitor", Namespace, name, "", map[string]any{
		"selector": map[string]any{"matchLabels": match},
		"podMetricsEndpoints": []any{map[string]any{
			"port": "metrics", "scheme": "http",
			"relabelings": []any{map[string]any{"action": "replace", "targetLabel": "job", "replacement": name}},
		}},
	})
}
