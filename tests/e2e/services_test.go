//go:build e2e

package e2e

import (
	"cmp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

var (
	bundles         = schema.GroupVersionResource{Group: "trust.cert-manager.io", Version: "v1alpha1", Resource: "bundles"}
	serviceMonitors = schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "servicemonitors"}
	podMonitors     = schema.GroupVersionResource{Group: "monitoring.coreos.com", Version: "v1", Resource: "podmonitors"}
)

// bundleLabel is the label that asks for the trust bundle, as the stack's output gives it.
func bundleLabel(t *testing.T, up *automation.Result) map[string]string {
	t.Helper()
	label, err := labels.ConvertSelectorToLabelsMap(up.Outputs["trustBundleLabel"].(string))
	require.NoError(t, err)
	return label
}

// refusals asks for what the definitions of the resources let pass and only the webhooks' own checks find.
func refusals(t *testing.T, cluster *verify.Cluster) {
	dryRun := metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}}
	_, err := cluster.Dynamic.Resource(verify.Certificates).Namespace("e2e-app").Create(cluster.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "metadata": map[string]any{"name": "nameless"},
		"spec": map[string]any{
			"secretName": "nameless", // and no name that it could be for
			"issuerRef":  map[string]any{"name": "platform-ca", "kind": "ClusterIssuer", "group": "cert-manager.io"},
		},
	}}, dryRun)
	assert.ErrorContains(t, err, `admission webhook "webhook.cert-manager.io" denied the request`)

	_, err = cluster.Dynamic.Resource(bundles).Create(cluster.Context(), &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "trust.cert-manager.io/v1alpha1", "kind": "Bundle", "metadata": map[string]any{"name": "e2e"},
		"spec": map[string]any{
			"sources": []any{map[string]any{"useDefaultCAs": true}, map[string]any{"useDefaultCAs": true}},
			"target":  map[string]any{"configMap": map[string]any{"key": "ca.crt"}},
		},
	}}, dryRun)
	assert.ErrorContains(t, err, `admission webhook "trust.cert-manager.io" denied the request`)
}

// monitor is what Prometheus takes from a ServiceMonitor: the services, and how to reach the pods behind them; or from
// a PodMonitor: the pods, and how to reach them.
type monitor struct {
	Spec struct {
		Selector            metav1.LabelSelector `json:"selector"`
		Endpoints           []endpoint           `json:"endpoints"`
		PodMetricsEndpoints []endpoint           `json:"podMetricsEndpoints"`
	} `json:"spec"`
}

type endpoint struct {
	Port       string              `json:"port"`
	TargetPort *intstr.IntOrString `json:"targetPort"`
	Path       string              `json:"path"`
	Scheme     string              `json:"scheme"`
}

// metrics goes from every ServiceMonitor to its pods, as Prometheus does: each pod must be found, and must answer.
func metrics(t *testing.T, cluster *verify.Cluster) {
	all, err := cluster.Dynamic.Resource(serviceMonitors).List(cluster.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	scraped := map[string]bool{}
	for _, item := range all.Items {
		var m monitor
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &m))
		services, err := cluster.Clients.CoreV1().Services(item.GetNamespace()).List(cluster.Context(), metav1.ListOptions{
			LabelSelector: metav1.FormatLabelSelector(&m.Spec.Selector),
		})
		require.NoError(t, err)
		for _, service := range services.Items {
			pods, err := cluster.Clients.CoreV1().Pods(service.Namespace).List(cluster.Context(), metav1.ListOptions{
				LabelSelector: labels.SelectorFromSet(service.Spec.Selector).String(),
			})
			require.NoError(t, err)
			for _, e := range m.Spec.Endpoints {
				for _, pod := range pods.Items {
					if port := scrapePort(service, pod, e.Port, e.TargetPort); port != "" {
						scrape(t, cluster, pod, port, e)
						scraped[pod.Name] = true
					}
				}
			}
		}
	}
	scrapePods(t, cluster, scraped)
	for _, pod := range platformPods(t, cluster) {
		assert.True(t, scraped[pod.Name], "Prometheus finds %s", pod.Name)
	}
}

// scrapePods goes from every PodMonitor to its pods.
func scrapePods(t *testing.T, cluster *verify.Cluster, scraped map[string]bool) {
	all, err := cluster.Dynamic.Resource(podMonitors).List(cluster.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, item := range all.Items {
		var m monitor
		require.NoError(t, runtime.DefaultUnstructuredConverter.FromUnstructured(item.Object, &m))
		pods, err := cluster.Clients.CoreV1().Pods(item.GetNamespace()).List(cluster.Context(), metav1.ListOptions{
			LabelSelector: metav1.FormatLabelSelector(&m.Spec.Selector),
		})
		require.NoError(t, err)
		for _, pod := range pods.Items {
			for _, e := range m.Spec.PodMetricsEndpoints {
				target := intstr.FromString(e.Port)
				if port := scrapePort(corev1.Service{}, pod, "", &target); port != "" {
					scrape(t, cluster, pod, port, e)
					scraped[pod.Name] = true
				}
			}
		}
	}
}

// scrapePort is the pod's port behind a named port of the service, or the container port that target names; empty:
// there is none. A service may have other ports, and a monitor's selector other services.
func scrapePort(service corev1.Service, pod corev1.Pod, port string, target *intstr.IntOrString) string {
	for _, p := range service.Spec.Ports {
		if port != "" && p.Name == port {
			target = &p.TargetPort
		}
	}
	if target == nil {
		return ""
	}
	for _, c := range pod.Spec.Containers {
		for _, p := range c.Ports {
			number := intstr.FromInt32(p.ContainerPort)
			if p.Name == target.String() || number.String() == target.String() {
				return number.String()
			}
		}
	}
	return ""
}

func scrape(t *testing.T, cluster *verify.Cluster, pod corev1.Pod, port string, e endpoint) {
	t.Helper()
	scheme := strings.ToLower(cmp.Or(e.Scheme, "http"))
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		body, err := cluster.Clients.CoreV1().Pods(pod.Namespace).ProxyGet(scheme, pod.Name, port, cmp.Or(e.Path, "/metrics"), nil).DoRaw(cluster.Context())
		if assert.NoError(c, err) {
			assert.Regexp(c, `^# (HELP|TYPE) `, string(body[:min(80, len(body))]))
		}
	}, verify.Patience, time.Second, "%s answers on port %s", pod.Name, port)
}
