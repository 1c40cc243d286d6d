package dashboards_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
)

// TestEachPanelShowsWhatThereIs gives a real Prometheus the series that the queries select, of two pods each, and asks all
// queries: one that cannot be computed, or that shows nothing although its metrics are there, is a mistake.
func TestEachPanelShowsWhatThereIs(t *testing.T) {
	var asked []string
	for _, kind := range []mesh.Kind{mesh.Istio, mesh.Linkerd} {
		for _, d := range all(t, everything(kind)) {
			queries, err := d.Queries()
			require.NoError(t, err)
			asked = append(asked, queries...)
		}
	}
	slices.Sort(asked)
	asked = slices.Compact(asked)
	sources := slices.Clone(asked)
	for _, record := range records() {
		sources = append(sources, record.Expr)
	}
	there := append(installation(true), selected(t, sources)...)
	there = append(there, series{name: `kube_statefulset_replicas{namespace="n", statefulset="one-is-missing"}`, value: 3},
		series{name: `kube_statefulset_status_replicas_ready{namespace="n", statefulset="one-is-missing"}`, value: 2})
	server := serve(t, there)
	require.Eventually(t, func() bool {
		up, err := ask(t.Context(), server, rules.ComponentUp)
		return err == nil && len(up) == len(rules.Components())
	}, 20*time.Second, 100*time.Millisecond)
	for _, query := range asked {
		answer, err := ask(t.Context(), server, query)
		if assert.NoError(t, err) {
			assert.NotEmpty(t, answer, query)
		}
	}
}

// selected are series that the queries find: counters that grow, and everything else 1 for one pod and 0 for the other.
func selected(t *testing.T, queries []string) []series {
	t.Helper()
	found := map[string]series{}
	for _, query := range queries {
		expr, err := parser.NewParser(parser.Options{}).ParseExpr(query)
		require.NoError(t, err)
		parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
			selector, ok := node.(*parser.VectorSelector)
			if !ok || strings.Contains(selector.Name, ":") {
				return nil
			}
			counter := false
			if len(path) > 0 {
				_, counter = path[len(path)-1].(*parser.MatrixSelector)
			}
			for value, pod := range []string{"b", "a"} {
				for _, le := range bounds(selector.Name) {
					s := series{name: fitting(t, selector, pod, le), value: float64(value)}
					if counter {
						s.value, s.growth = 1e6, 1
					}
					if found[s.name].growth == 0 {
						found[s.name] = s
					}
				}
			}
			return nil
		})
	}
	return slices.Collect(maps.Values(found))
}

// bounds are those of a histogram's buckets, and nothing for other metrics.
func bounds(metric string) []string {
	if strings.HasSuffix(metric, "_bucket") || strings.HasSuffix(metric, "_distribution") {
		return []string{"0.1", "1", "+Inf"}
	}
	return []string{""}
}

// fitting is a series of a pod that a selector selects.
func fitting(t *testing.T, selector *parser.VectorSelector, pod, le string) string {
	t.Helper()
	has := map[string]string{"namespace": "n", "job": "j", "pod": pod, "instance": pod, "node": pod, "exported_namespace": "n", "name": pod}
	if le != "" {
		has["le"] = le
	}
	for _, matcher := range selector.LabelMatchers {
		if matcher.Name != "__name__" && !matcher.Matches(has[matcher.Name]) {
			has[matcher.Name] = matching(t, matcher)
		}
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(has)) {
		pairs = append(pairs, fmt.Sprintf("%s=%q", name, has[name]))
	}
	return selector.Name + "{" + strings.Join(pairs, ", ") + "}"
}

// matching is a value that a matcher lets through.
func matching(t *testing.T, matcher *labels.Matcher) string {
	t.Helper()
	candidates := append([]string{matcher.Value, "x", "503", "n/linkerd-proxy"}, strings.Split(matcher.Value, "|")...)
	i := slices.IndexFunc(candidates, matcher.Matches)
	require.GreaterOrEqual(t, i, 0, "no value for %s", matcher)
	return candidates[i]
}
