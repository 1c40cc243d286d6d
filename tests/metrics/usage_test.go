package metrics_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/dashboards"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/tests/metrics"
)

// What rules and dashboards select is on a list, and what is on a list is selected by one of them: a name that nobody uses
// would be checked for nobody, and hides that somebody has stopped to look.
func TestListsAreWhatRulesAndDashboardsUse(t *testing.T) {
	used, recorded := map[string]string{}, map[string]bool{}
	for where, expression := range expressions(t, recorded) {
		for _, name := range selected(t, expression) {
			used[name] = where
		}
	}
	require.NotEmpty(t, used)
	for _, name := range slices.Sorted(maps.Keys(used)) {
		if !recorded[name] {
			assert.True(t, metrics.Known(name), "%s selects %s, which is on no list", used[name], name)
		}
	}
	for from, names := range metrics.Names() {
		for _, name := range names {
			assert.True(t, selects(used, name), "tests/metrics/names/%s.txt has %s, which nothing uses", from, name)
		}
	}
}

// selects reports whether a metric, or a part of it, is among the series.
func selects(used map[string]string, metric string) bool {
	for _, part := range []string{"", "_bucket", "_sum", "_count"} {
		if used[metric+part] != "" {
			return true
		}
	}
	return false
}

// expressions are all that can be, by where they stand. Names of recordings go into recorded.
func expressions(t *testing.T, recorded map[string]bool) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, kind := range []mesh.Kind{mesh.Istio, mesh.Linkerd} {
		for _, group := range rules.All(rules.Args{
			PostgreSQL: map[string]int{"main": 3, "small": 1}, Valkey: true, Iris: true, Backups: true, Pooler: true,
			ObjectStorage: rules.MinIO, Ingress: rules.Traefik, Mesh: string(kind), NodeExporter: true, APIServer: true, Etcd: true,
			Grafana: true, RemoteWrite: true, CoreDNS: true,
		}) {
			for _, r := range group.Records {
				recorded[r.Name] = true
				all["the recording "+r.Name+" "+strings.Join(slices.Sorted(maps.Values(r.Labels)), " ")] = r.Expr
			}
			for _, a := range group.Alerts {
				all["the alert "+a.Name] = a.Expr
			}
		}
		shown, err := dashboards.All(dashboards.Args{
			PostgreSQL: true, Valkey: true, Iris: true, Backups: true, Pooler: true, ObjectStorage: dashboards.MinIO,
			Ingress: true, Mesh: kind, NodeExporter: true, Etcd: true,
		})
		require.NoError(t, err)
		for _, d := range shown {
			queries, err := d.Queries()
			require.NoError(t, err)
			for _, query := range queries {
				all["the dashboard "+d.Title+": "+query] = query
			}
		}
	}
	return all
}

// selected are the names of the series that an expression selects.
func selected(t *testing.T, expression string) []string {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expression)
	require.NoError(t, err, expression)
	var names []string
	parser.Inspect(parsed, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			for _, matcher := range selector.LabelMatchers {
				if matcher.Name == model.MetricNameLabel {
					names = append(names, matcher.Value)
				}
			}
		}
		return nil
	})
	return names
}
