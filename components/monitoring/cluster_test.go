package monitoring_test

import (
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// declared are the targets that all components declare, by the pool that the operator makes of a monitor and the
// pods with their port, and how many there are: a stack that is spread over zones, with Istio, on nine nodes.
var declared = map[string]int{
	"podMonitor/cnpg-system/cnpg-controller-manager/0 cnpg-system/cnpg-controller-manager:8080":           2,
	"podMonitor/istio-dataplane/istio-cni/0 istio-dataplane/istio-cni-node:15014":                         2,
	"podMonitor/istio-dataplane/ztunnel/0 istio-dataplane/ztunnel:15020":                                  2,
	"podMonitor/monitoring/coredns/0 kube-system/coredns:9153":                                            1,
	"podMonitor/postgresql/platform/0 postgresql/platform:9187":                                           3,
	"scrapeConfig/monitoring/kubelet node:10250":                                                          9,
	"scrapeConfig/monitoring/kubelet-cadvisor node:10250":                                                 9,
	"scrapeConfig/monitoring/kubelet-probes node:10250":                                                   9,
	"serviceMonitor/cert-manager/cert-manager/0 cert-manager/cert-manager:9402":                           2,
	"serviceMonitor/cert-manager/cert-manager/0 cert-manager/cert-manager-cainjector:9402":                2,
	"serviceMonitor/cert-manager/cert-manager/0 cert-manager/cert-manager-webhook:9402":                   3,
	"serviceMonitor/cert-manager/trust-manager/0 cert-manager/trust-manager:9402":                         2,
	"serviceMonitor/identity/iris/0 identity/iris:9000":                                                   3,
	"serviceMonitor/ingress/traefik/0 ingress/traefik:9000":                                               3,
	"serviceMonitor/istio-system/istiod/0 istio-system/istiod:15014":                                      3,
	"serviceMonitor/minio/minio/0 minio/minio:9000":                                                       4,
	"serviceMonitor/minio/minio/1 minio/minio:9000":                                                       4,
	"serviceMonitor/monitoring/alertmanager/0 monitoring/alertmanager-platform:9093":                      3,
	"serviceMonitor/monitoring/apiserver/0 API server:6443":                                               1,
	"serviceMonitor/monitoring/grafana/0 monitoring/grafana:3000":                                         1,
	"serviceMonitor/monitoring/kube-state-metrics/0 monitoring/kube-state-metrics:8443":                   1,
	"serviceMonitor/monitoring/kube-state-metrics/1 monitoring/kube-state-metrics:8444":                   1,
	"serviceMonitor/monitoring/node-exporter/0 node:9100":                                                 9,
	"serviceMonitor/monitoring/prometheus-operator-webhook/0 monitoring/prometheus-operator-webhook:8443": 2,
	"serviceMonitor/monitoring/prometheus-operator/0 monitoring/prometheus-operator:8443":                 1,
	"serviceMonitor/monitoring/prometheus/0 monitoring/prometheus-platform:9090":                          2,
	"serviceMonitor/monitoring/prometheus/1 monitoring/prometheus-platform:8080":                          2,
	"serviceMonitor/valkey/valkey/0 valkey/valkey:9121":                                                   3,
	// The Control Plane's.
	"serviceMonitor/controlplane-system/rover-controller-manager-metrics-monitor/0 controlplane-system/rover-controller-manager:8443": 1,
}

// The operator makes of what the component registers a Prometheus that finds what all components declare, and nothing
// else. Operator, admission webhook, config reloader and Prometheus are the real programs, each with the permissions of its
// service account only.
func TestMonitoring(t *testing.T) {
	i := install(t, arguments())
	i.platform(graph.Run(t, graph.Istio))
	i.controlPlane()
	i.kubelets()
	i.apiServer()
	i.settled()
	n := newNetwork(t)
	received := i.lead(n)
	s := i.serve(n)
	n.leadPod(i.address("prometheus-platform-0"), names.PrometheusPort, s.address, names.PrometheusPort)

	t.Run("targets are exactly those that are declared", func(t *testing.T) {
		require.EventuallyWithT(t, func(c *assert.CollectT) {
			found, err := i.found(s)
			if assert.NoError(c, err) {
				assert.Equal(c, declared, found)
			}
		}, patience, 500*time.Millisecond)
	})
	t.Run("what is real answers, and is who it says", func(t *testing.T) {
		for _, query := range []string{
			`up{namespace="monitoring", job="prometheus", pod="prometheus-platform-0", endpoint="https"}`,
			`up{namespace="monitoring", job="prometheus-operator"}`,
			`count(up{namespace="monitoring", job="prometheus-operator-webhook"} == 1) == bool 2`,
			`up{namespace="controlplane-system", job="rover-controller-manager-metrics-service"}`,
			`up{job="apiserver"}`,
		} {
			s.becomes(t, query, "1")
		}
		s.becomes(t, "rover_answers", "42")
	})
	t.Run("rules are evaluated, all of them", func(t *testing.T) {
		s.becomes(t, `sum(prometheus_rule_group_rules) == bool 0`, "0")
		s.becomes(t, `sum(prometheus_rule_evaluations_total) > bool sum(prometheus_rule_group_rules)`, "1")
		s.becomes(t, `sum(prometheus_rule_evaluation_failures_total)`, "0")
	})
	t.Run("every Alertmanager gets alerts", func(t *testing.T) {
		require.Eventually(t, func() bool { return received.count("Watchdog") == 3 }, patience, 100*time.Millisecond)
	})
	t.Run("samples are written to another system, with the password", func(t *testing.T) {
		require.Eventually(t, func() bool { return received.count("samples") == 1 }, patience, 100*time.Millisecond)
	})
	t.Run("each server has a sidecar that uploads blocks", func(t *testing.T) {
		pod := process.Decode[appsv1.StatefulSet](t, i.Objects, "StatefulSet", "prometheus-platform").Spec.Template.Spec
		var containers []string
		for _, c := range pod.Containers {
			containers = append(containers, c.Name+" "+c.Image)
		}
		assert.Equal(t, []string{
			"prometheus quay.io/prometheus/prometheus:v3.13.1",
			"config-reloader quay.io/prometheus-operator/prometheus-config-reloader:v0.93.1",
			"thanos-sidecar quay.io/thanos/thanos:v0.40.1",
		}, containers)
	})
	t.Run("nobody lacks a permission", func(t *testing.T) {
		assert.NotContains(t, strings.ToLower(s.Log()), "forbidden")
		// The operator starts no controllers for kinds that it may not read. We have none of these.
		unused := regexp.MustCompile(`.*missing permission on resource \\"(prometheusagents|thanosrulers)\\".*\n`)
		assert.NotRegexp(t, `(?i)forbidden|missing permission|level=error`, unused.ReplaceAllString(i.log(names.Operator), ""))
	})
	t.Run("servers are in different zones", func(t *testing.T) {
		assert.NotEqual(t, i.zone("prometheus-platform-0"), i.zone("prometheus-platform-1"))
	})
	t.Run("applying it all again changes nothing", i.again)
	t.Run("rules that Prometheus cannot load are refused", i.refusals)
	t.Run("Secrets of other namespaces are not read until somebody grants it", i.secrets)
}

// again applies all custom resources once more.
func (i *installation) again(t *testing.T) {
	for _, o := range i.rendered {
		before, err := i.get(o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName())
		require.NoError(t, err)
		require.NoError(t, i.tryApply(o.Unstructured))
		after, err := i.get(o.GetAPIVersion(), o.GetKind(), o.GetNamespace(), o.GetName())
		require.NoError(t, err)
		assert.Equal(t, before.GetGeneration(), after.GetGeneration(), "%s %s", o.GetKind(), o.GetName())
	}
}

// refusals go from the API server to the real webhook and back.
func (i *installation) refusals(t *testing.T) {
	rule := func(expression string) error {
		return i.tryApply(custom("monitoring.coreos.com/v1", "PrometheusRule", "team", "rules", map[string]any{
			"groups": []any{map[string]any{"name": "team", "rules": []any{map[string]any{"alert": "Broken", "expr": expression}}}},
		}))
	}
	i.namespace("team")
	require.NoError(t, rule(`up == 0`))
	err := rule(`sum(up{`)
	require.ErrorContains(t, err, `admission webhook "prometheusrules.monitoring.coreos.com" denied the request`)
	assert.ErrorContains(t, err, "Rules are not valid")
	stored, err := i.get("monitoring.coreos.com/v1", "PrometheusRule", "team", "rules")
	require.NoError(t, err)
	assert.NotContains(t, stored.GetAnnotations(), "prometheus-operator-validated", "what is applied stays as it is")
	err = i.tryApply(custom("monitoring.coreos.com/v1alpha1", "AlertmanagerConfig", "team", "routes", map[string]any{
		"route": map[string]any{"receiver": "nobody"},
	}))
	require.ErrorContains(t, err, `admission webhook "alertmanagerconfigs.monitoring.coreos.com" denied the request`)
	require.NoError(t, i.objects.Delete(t.Context(), stored), "a deletion asks nobody")
}

// secrets shows what becomes of a monitor that refers to one.
func (i *installation) secrets(t *testing.T) {
	i.namespace("other")
	_, err := i.clients.CoreV1().Secrets("other").Create(t.Context(), &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "login"}, StringData: map[string]string{"username": "reader", "password": "secret"},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	key := func(name string) map[string]any { return map[string]any{"name": "login", "key": name} }
	monitor := func(path string) {
		i.apply(custom("monitoring.coreos.com/v1", "ServiceMonitor", "other", "guarded", map[string]any{
			"selector": map[string]any{}, "endpoints": []any{map[string]any{
				"port": "metrics", "path": path, "basicAuth": map[string]any{"username": key("username"), "password": key("password")},
			}},
		}))
	}
	monitor("/metrics")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		events, err := i.clients.EventsV1().Events("other").List(t.Context(), metav1.ListOptions{})
		if assert.NoError(c, err) && assert.NotEmpty(c, events.Items) {
			assert.Equal(c, "guarded", events.Items[0].Regarding.Name)
			assert.Contains(c, events.Items[0].Note, "forbidden")
		}
	}, patience, 200*time.Millisecond, "it is said why the monitor is left out")
	config, err := i.generated()
	require.NoError(t, err)
	assert.NotContains(t, config, "serviceMonitor/other/guarded")
	assert.Contains(t, config, "serviceMonitor/valkey/valkey/0", "the others stay")

	i.grantSecrets("other")
	monitor("/other")
	require.EventuallyWithT(t, func(c *assert.CollectT) {
		config, err := i.generated()
		if assert.NoError(c, err) {
			assert.Contains(c, config, "serviceMonitor/other/guarded")
		}
	}, patience, 200*time.Millisecond)
}
