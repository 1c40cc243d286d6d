package exporters

import (
	"maps"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// The names of kube-state-metrics' ports.
const (
	metricsName   = "https"
	telemetryName = "telemetry"
)

// watched are the kinds of objects with metrics that somebody looks at, by API group. Nothing else may be read: above all
// no Secrets and no ConfigMaps.
var watched = map[string][]string{
	"":            {"namespaces", "nodes", "persistentvolumeclaims", "persistentvolumes", "pods", "resourcequotas"},
	"apps":        {"daemonsets", "deployments", "replicasets", "statefulsets"},
	"autoscaling": {"horizontalpodautoscalers"},
	"batch":       {"cronjobs", "jobs"},
	"policy":      {"poddisruptionbudgets"},
}

// kubeStateMetrics says what Kubernetes knows of its objects.
func (a Args) kubeStateMetrics() []runtime.Object {
	const name, namespace = names.KubeStateMetrics, names.Namespace
	return []runtime.Object{
		account(namespace, name),
		&rbacv1.ClusterRole{ObjectMeta: clusterMeta(name), Rules: readRules()},
		&rbacv1.ClusterRoleBinding{
			ObjectMeta: clusterMeta(name),
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: clusterMeta(name).Name},
			Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Namespace: namespace, Name: name}},
		},
		a.certificate(namespace, name),
		configured(namespace, name, serverConfig),
		service(namespace, name, servicePort(metricsName, metricsPort), servicePort(telemetryName, telemetryPort)),
		a.kubeStateMetricsDeployment(),
		a.kubeStateMetricsMonitor(),
	}
}

// serverConfig is for whom a client need not say who it is: network policies let Prometheus in, and kubelets, whose
// probes have no certificate.
const serverConfig = `tls_server_config:
  cert_file: ` + tlsDir + `/tls.crt
  key_file: ` + tlsDir + `/tls.key
  min_version: TLS12
`

// clusterMeta is for what has no namespace, and whose name others may want too.
func clusterMeta(component string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: names.Namespace + "-" + component, Labels: names.Labels(component)}
}

func readRules() []rbacv1.PolicyRule {
	var rules []rbacv1.PolicyRule
	for _, group := range slices.Sorted(maps.Keys(watched)) {
		rules = append(rules, rbacv1.PolicyRule{
			APIGroups: []string{group}, Resources: watched[group], Verbs: []string{"list", "watch"},
		})
	}
	return rules
}

// resources are all kinds, in the order of their names.
func resources() []string {
	return slices.Sorted(func(yield func(string) bool) {
		for _, kinds := range watched {
			for _, kind := range kinds {
				if !yield(kind) {
					return
				}
			}
		}
	})
}

func (a Args) kubeStateMetricsDeployment() *appsv1.Deployment {
	const name = names.KubeStateMetrics
	return &appsv1.Deployment{
		ObjectMeta: meta(names.Namespace, name),
		Spec: appsv1.DeploymentSpec{
			// A second one would report every object a second time.
			Replicas:             new(int32(1)),
			Selector:             &metav1.LabelSelector{MatchLabels: names.Selector(name)},
			RevisionHistoryLimit: new(int32(3)),
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: names.Labels(name)},
				Spec: corev1.PodSpec{
					ServiceAccountName: name, AutomountServiceAccountToken: new(true), EnableServiceLinks: new(false),
					SecurityContext: &corev1.PodSecurityContext{
						RunAsNonRoot: new(true), RunAsUser: new(userID), RunAsGroup: new(userID), FSGroup: new(userID),
					},
					Containers: []corev1.Container{a.kubeStateMetricsContainer()}, Volumes: volumes(name),
					Tolerations: workload.SoonElsewhere(),
				},
			},
		},
	}
}

func (a Args) kubeStateMetricsContainer() corev1.Container {
	return corev1.Container{
		Name: names.KubeStateMetrics, Image: a.KubeStateMetrics.Image, Resources: a.KubeStateMetrics.Resources,
		Args: []string{
			"--host=$(POD_IP)", "--port=8443", "--telemetry-host=$(POD_IP)", "--telemetry-port=8444",
			"--tls-config=" + configDir + "/" + webConfig,
			"--resources=" + strings.Join(resources(), ","),
			// The zones of nodes tell which of them a fault is in.
			"--metric-labels-allowlist=nodes=[" + corev1.LabelTopologyZone + "]",
		},
		Env: []corev1.EnvVar{{Name: "POD_IP", ValueFrom: &corev1.EnvVarSource{
			FieldRef: &corev1.ObjectFieldSelector{APIVersion: "v1", FieldPath: "status.podIP"},
		}}},
		Ports: []corev1.ContainerPort{
			{Name: metricsName, ContainerPort: metricsPort}, {Name: telemetryName, ContainerPort: telemetryPort},
		},
		VolumeMounts: mounts(),
		// Whether the API server answers is no reason to start again.
		LivenessProbe:  probe(metricsName, "/healthz"),
		ReadinessProbe: probe(telemetryName, "/readyz"),
	}
}

func probe(port, path string) *corev1.Probe {
	return &corev1.Probe{
		ProbeHandler: corev1.ProbeHandler{HTTPGet: &corev1.HTTPGetAction{
			Scheme: corev1.URISchemeHTTPS, Port: intstr.FromString(port), Path: path,
		}},
		PeriodSeconds: 10, TimeoutSeconds: 5, FailureThreshold: 6,
	}
}

// kubeStateMetricsMonitor keeps the labels of the objects, and none of the pod that reports them.
func (a Args) kubeStateMetricsMonitor() runtime.Object {
	const name = names.KubeStateMetrics
	endpoint := func(port string) map[string]any {
		return map[string]any{
			"port": port, "scheme": "https", "tlsConfig": a.ScrapeTLS(name + "." + names.Namespace + ".svc"),
			"relabelings": []any{dropLabels("pod|container|endpoint")},
		}
	}
	objects := endpoint(metricsName)
	objects["honorLabels"] = true
	objects["metricRelabelings"] = []any{
		dropLabels("service"), clearLabel("namespace", "kube_(node|persistentvolume)_.*"),
	}
	return monitor("ServiceMonitor", names.Namespace, name, map[string]any{
		"selector": selecting(names.Selector(name)), "endpoints": []any{objects, endpoint(telemetryName)},
	})
}
