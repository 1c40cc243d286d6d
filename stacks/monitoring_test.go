package stacks_test

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/dashboards"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/stacks/config"
	"github.com/telekom/controlplane-infrastructure/tests/graph"
)

func TestAlertsAreKnownToTheConfiguration(t *testing.T) {
	assert.ElementsMatch(t, rules.Names(), config.AlertNames)
}

// Where others run the monitoring, nothing of it is registered, and they may read metrics.
func TestMonitoringOfOthers(t *testing.T) {
	g := graph.Run(t, graph.Configuration{"monitoring": `{"stack":"existing"}`})
	for _, namespace := range []string{"monitoring", "node-exporter"} {
		assert.Empty(t, g.InNamespace(namespace))
	}
	from := g.Object(t, "NetworkPolicy", "valkey/allow-valkey-metrics-ingress")
	assert.Contains(t, text(t, from), `"namespaceSelector":{"matchLabels":{"metrics":"enabled"}}`)
	ours := graph.Run(t, nil).Object(t, "NetworkPolicy", "valkey/allow-valkey-metrics-ingress")
	assert.Contains(t, text(t, ours), `"kubernetes.io/metadata.name":"monitoring"`)
	assert.NotContains(t, text(t, ours), `"metrics":"enabled"`, "only Prometheus, not whoever labels a namespace")
}

func text(t *testing.T, r graph.Resource) string {
	t.Helper()
	encoded, err := json.Marshal(r.Object)
	require.NoError(t, err)
	return string(encoded)
}

// Over zones everything that people are woken by, or look at, is there more than once.
func TestMonitoringOverZones(t *testing.T) {
	for kind, replicas := range map[string][2]int64{"Prometheus": {1, 2}, "Alertmanager": {1, 3}} {
		for i, profile := range []graph.Configuration{nil, graph.Zonal} {
			got, _, err := unstructured.NestedInt64(graph.Run(t, profile).Object(t, kind, "monitoring/platform").Object.Object, "spec", "replicas")
			require.NoError(t, err)
			assert.Equal(t, replicas[i], got, kind)
		}
	}
	g := graph.Run(t, graph.Zonal)
	replicas, _, err := unstructured.NestedInt64(g.Object(t, "Deployment", "monitoring/grafana").Object.Object, "spec", "replicas")
	require.NoError(t, err)
	assert.EqualValues(t, 2, replicas)
	assert.Contains(t, text(t, g.Object(t, "ConfigMap", "monitoring/grafana-settings")), "platform-rw.postgresql", "replicas share a database")
	assert.Contains(t, g.After(g.Object(t, "Deployment", "monitoring/grafana")), g.Object(t, "Database", "postgresql/platform-grafana").Name, "which is there first")
	for _, single := range graph.Run(t, nil).InNamespace("monitoring") {
		assert.NotContains(t, text(t, single), "platform-rw.postgresql")
	}
}

// Users of a realm log in to Grafana, which the realm knows of.
func TestLoginToGrafana(t *testing.T) {
	g := graph.Run(t, graph.Configuration{"monitoring": `{"grafana":{"hostname":"grafana.example.com","oidc":{"roles":{"viewer":"watchers"}}}}`})
	client := g.Resource(t, "keycloak:openid/client:Client", "realm-rover/grafana")
	assert.Equal(t, []any{"https://grafana.example.com/login/generic_oauth"}, client.Inputs["validRedirectUris"].Mappable())
	for _, role := range []string{"grafana-admin", "grafana-editor", "watchers"} {
		g.Resource(t, "keycloak:index/role:Role", "realm-rover/"+role)
	}
	assert.Contains(t, text(t, g.Object(t, "ConfigMap", "monitoring/grafana-settings")), "https://iris.example.com/auth/realms/rover/protocol/openid-connect/auth")
	ingress := g.Object(t, "Ingress", "monitoring/grafana")
	assert.Contains(t, text(t, ingress), "grafana.example.com")
	none := graph.Run(t, nil)
	assert.False(t, slices.ContainsFunc(none.All, func(r graph.Resource) bool { return r.Name == "realm-rover/grafana" }))
}

// Grafana shows what there is, and nothing that is not.
func TestDashboardsOfAStack(t *testing.T) {
	shown := func(c graph.Configuration) string {
		var all string
		for _, r := range graph.Run(t, c).InNamespace("monitoring") {
			if r.Object.GetKind() == "ConfigMap" {
				all += text(t, r)
			}
		}
		return all
	}
	all, err := dashboards.All(dashboards.Args{PostgreSQL: true, Valkey: true, Iris: true, ObjectStorage: "minio", Ingress: true, NodeExporter: true})
	require.NoError(t, err)
	dev := shown(nil)
	for _, d := range all {
		assert.Contains(t, dev, d.UID)
	}
	less := shown(graph.Configuration{
		"storage": `{"objectStorage":{"backend":"none"}}`, "network": `{"ingress":{"existing":{"className":"nginx"}}}`,
	})
	assert.NotContains(t, less, "platform-ingress")
	assert.NotContains(t, less, "minio_")
	assert.Contains(t, less, dashboards.OverviewUID)
}

// A first installation wakes nobody: alerts come when what they are about is there, and nothing else waits for that.
func TestAlertsComeLast(t *testing.T) {
	g := graph.Run(t, nil)
	for _, before := range []string{"identity/iris", "valkey/valkey", "minio/minio"} {
		assert.Contains(t, g.After(g.Object(t, "PrometheusRule", "monitoring/platform-iris")), before)
		assert.NotContains(t, g.After(g.Object(t, "Prometheus", "monitoring/platform")), before)
	}
}

// Blocks reach the platform's own object storage by each of its names.
func TestBlocksReachTheObjectStorage(t *testing.T) {
	for _, endpoint := range []string{"", `"endpoint":"minio.minio.svc.cluster.local:9000",`} {
		g := graph.Run(t, graph.Configuration{"monitoring": `{"prometheus":{"thanos":{"objectStorage":{` + endpoint +
			`"bucket":"blocks","accessKey":"thanos","secretKey":"s"}}}}`})
		from := text(t, g.Object(t, "NetworkPolicy", "minio/allow-prometheus-blocks-ingress"))
		assert.Contains(t, from, `"kubernetes.io/metadata.name":"monitoring"`)
		assert.Contains(t, from, `"port":9000`)
	}
}

// An API server that is not asked is not down.
func TestAlertsOfTheAPIServer(t *testing.T) {
	alerts := func(c graph.Configuration) string {
		return text(t, graph.Run(t, c).Object(t, "PrometheusRule", "monitoring/platform-kubernetes"))
	}
	assert.Contains(t, alerts(nil), "KubernetesAPIDown")
	assert.NotContains(t, alerts(graph.Configuration{"monitoring": `{"exporters":{"apiServer":false}}`}), "KubernetesAPIDown")
}
