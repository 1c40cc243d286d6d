package flows_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/flow"
	"github.com/telekom/controlplane-infrastructure/tests/flows"
)

// shop is a component with everything that can be called.
const shop = `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: default-deny, namespace: shop}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: server, namespace: shop}
spec:
  template:
    metadata: {labels: {app: server}}
    spec:
      serviceAccountName: server
      containers:
      - {name: server, ports: [{name: https, containerPort: 8443}, {name: metrics, containerPort: 9000}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: checker, namespace: shop}
spec:
  template:
    metadata: {labels: {app: checker}}
    spec:
      serviceAccountName: default
      containers:
      - {name: checker, ports: [{name: webhook, containerPort: 9443}, {name: metrics, containerPort: 9001}]}
---
apiVersion: v1
kind: ServiceAccount
metadata: {name: server, namespace: shop}
automountServiceAccountToken: false
---
apiVersion: v1
kind: Service
metadata: {name: server, namespace: shop, labels: {app: server}}
spec: {selector: {app: server}, ports: [{name: https, port: 443, targetPort: https}, {name: metrics, port: 9000}]}
---
apiVersion: v1
kind: Service
metadata: {name: checker, namespace: shop}
spec: {selector: {app: checker}, ports: [{port: 443, targetPort: 9443}]}
---
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: server, namespace: shop}
spec: {selector: {matchLabels: {app: server}}, endpoints: [{port: metrics}]}
---
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata: {name: checker, namespace: shop}
spec: {selector: {matchExpressions: [{key: app, operator: In, values: [checker]}]}, podMetricsEndpoints: [{port: metrics}]}
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingWebhookConfiguration
metadata: {name: orders}
webhooks: [{name: orders.example.com, clientConfig: {service: {name: checker, namespace: shop}}}]
`

func pods(app string) flow.Peer {
	return flow.Peer{Namespace: "shop", Pods: map[string]string{"app": app}}
}

// declared are all that the shop needs.
var declared = []flow.Flow{
	{Name: "https", To: pods("server"), Ports: []int{8443}},
	flows.Surroundings.Scrape("server-metrics", pods("server"), 9000),
	flows.Surroundings.Scrape("checker-metrics", pods("checker"), 9001),
	flows.Surroundings.Webhook("webhook", pods("checker"), 9443, ""),
	flows.Surroundings.ToAPIServer("kubernetes", pods("checker"), ""),
}

func objects(t *testing.T, text string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, document := range strings.Split(text, "---\n") {
		data, err := yaml.YAMLToJSON([]byte(document))
		require.NoError(t, err)
		o := &unstructured.Unstructured{}
		require.NoError(t, o.UnmarshalJSON(data))
		all = append(all, o)
	}
	return all
}

func TestWhatIsReachedIsNoProblem(t *testing.T) {
	flows.Check(t, declared, objects(t, shop))
}

func TestEachMissingFlowIsAProblem(t *testing.T) {
	want := map[string][]string{
		"https":           {"Service server: no flow leads to port 8443 of Deployment server in shop"},
		"server-metrics":  {"Service server: no flow leads to port 9000 of Deployment server in shop", "ServiceMonitor server: no flow leads to port 9000 of Deployment server in shop"},
		"checker-metrics": {"PodMonitor checker: no flow leads to port 9001 of Deployment checker in shop"},
		"webhook":         {"Service checker: no flow leads to port 9443 of Deployment checker in shop", "ValidatingWebhookConfiguration orders: no flow leads to port 9443 of Deployment checker in shop"},
		"kubernetes":      {"Deployment checker in shop has a token, and no flow to the API server"},
	}
	for _, missing := range declared {
		rest := slices.DeleteFunc(slices.Clone(declared), func(f flow.Flow) bool { return f.Name == missing.Name })
		problems, err := flows.Problems(rest, flows.Surroundings, objects(t, shop))
		require.NoError(t, err)
		assert.Equal(t, want[missing.Name], problems, missing.Name)
	}
}

// Somebody else who gets there does not make up for Prometheus or the API server.
func TestOthersDoNotCount(t *testing.T) {
	var changed []flow.Flow
	for _, f := range declared {
		f.From = flow.Peer{Namespace: "elsewhere"}
		changed = append(changed, f)
	}
	problems, err := flows.Problems(changed, flows.Surroundings, objects(t, shop))
	require.NoError(t, err)
	for _, what := range []string{"ServiceMonitor server", "PodMonitor checker", "ValidatingWebhookConfiguration orders", "Deployment checker"} {
		assert.Contains(t, fmt.Sprint(problems), what)
	}
}

func TestWhatIsNotThereIsAProblem(t *testing.T) {
	for text, c := range map[string]struct{ old, new string }{
		"flow checker-metrics: there are no pods with map[app:checker] in shop":             {"labels: {app: checker}", "labels: {app: chequer}"},
		"Service checker in shop selects no pods":                                           {"labels: {app: checker}", "labels: {app: chequer}"},
		"ServiceMonitor server finds no Service with port":                                  {"endpoints: [{port: metrics}]", "endpoints: [{port: metric}]"},
		"PodMonitor checker finds no pods with port":                                        {"podMetricsEndpoints: [{port: metrics}]", "podMetricsEndpoints: [{port: metric}]"},
		"ValidatingWebhookConfiguration orders asks Service chequer, which has no port 443": {"service: {name: checker,", "service: {name: chequer,"},
		"Deployment server in shop has a token, and no flow to the API server":              {"serviceAccountName: server", "serviceAccountName: another"},
	} {
		require.Contains(t, shop, c.old)
		problems, err := flows.Problems(declared, flows.Surroundings, objects(t, strings.ReplaceAll(shop, c.old, c.new)))
		require.NoError(t, err)
		assert.Contains(t, strings.Join(problems, "\n"), text)
	}
}

// Pods that an operator makes count as well.
func TestPodsOfOperators(t *testing.T) {
	made := flows.Pods{Namespace: "shop", Name: "made", Labels: map[string]string{"app": "made"}, Token: true}
	problems, err := flows.Problems(declared, flows.Surroundings, objects(t, shop), made)
	require.NoError(t, err)
	assert.Equal(t, []string{"made in shop has a token, and no flow to the API server"}, problems)
}

// Policies of the VPC CNI of AWS let nobody through to a Service that does not select by all labels of the peer.
func TestServiceThatSelectsByLess(t *testing.T) {
	text := strings.Replace(shop, "labels: {app: server}}\n    spec", "labels: {app: server, role: primary}}\n    spec", 1)
	one := slices.Clone(declared)
	one[0].From, one[0].To.Pods = pods("checker"), map[string]string{"app": "server", "role": "primary"}
	problems, err := flows.Problems(one, flows.Surroundings, objects(t, text))
	require.NoError(t, err)
	assert.Equal(t, []string{"flow https: Service server in shop does not select by all of map[app:server role:primary]"}, problems)
	one[0].To.Services = []map[string]string{{"app": "server"}}
	flows.Check(t, one, objects(t, text))
	one[0].To.Services = nil
	flows.Check(t, one, objects(t, strings.Replace(text, "spec: {selector: {app: server}", "spec: {clusterIP: None, selector: {app: server}", 1)))
}
