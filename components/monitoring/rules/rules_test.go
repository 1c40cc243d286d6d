package rules

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/telekom/controlplane-infrastructure/tests/metrics"
)

const runbooks = "../../../docs/runbooks"

// prefixes are what the names of a component's alerts begin with.
var prefixes = map[string]string{
	Certificates: "Certificate", PostgreSQL: "PostgreSQL", Valkey: "Valkey", ObjectStorage: "ObjectStorage", Iris: "Iris",
	Ingress: "Ingress", Mesh: "Mesh", ControlPlane: "ControlPlane", Kubernetes: "Kubernetes", Nodes: "Node",
	Monitoring: "Monitoring",
}

// each calls a function once with every alert that there can be.
func each(f func(g Group, alert Alert)) {
	seen := map[string]bool{}
	for _, mesh := range []string{Istio, Linkerd} {
		for _, g := range All(everything(mesh)) {
			for _, alert := range g.Alerts {
				if !seen[alert.Name] {
					f(g, alert)
				}
				seen[alert.Name] = true
			}
		}
	}
}

func TestAlertsSayWhatAPersonNeeds(t *testing.T) {
	name := regexp.MustCompile(`^[A-Z][A-Za-z]+$`)
	each(func(g Group, alert Alert) {
		assert.Regexp(t, name, alert.Name)
		assert.Contains(t, Components(), g.Name, alert.Name)
		if alert.Name != "Watchdog" { // as everybody calls it
			assert.True(t, strings.HasPrefix(alert.Name, prefixes[g.Name]), "%s begins with %s", alert.Name, prefixes[g.Name])
		}
		assert.Contains(t, Severities(), alert.Severity, alert.Name)
		for what, text := range map[string]string{"summary": alert.Summary, "description": alert.Description} {
			assert.Regexp(t, `^(\S+ ){3,}.*[a-z}]\.$`, text, "%s: the %s is a sentence", alert.Name, what)
			assert.Regexp(t, `^[A-Z{k]`, text, "%s: the %s is a sentence", alert.Name, what)
		}
		assert.NotContains(t, alert.Description, "{{", "%s: what changes is in the summary", alert.Name)
		if alert.For != "" {
			_, err := model.ParseDuration(alert.For)
			assert.NoError(t, err, alert.Name)
		}
	})
}

func TestAlertsHaveARunbookEach(t *testing.T) {
	pages, err := filepath.Glob(filepath.Join(runbooks, "*.md"))
	require.NoError(t, err)
	var written []string
	for _, page := range pages {
		if name := strings.TrimSuffix(filepath.Base(page), ".md"); name != "README" {
			written = append(written, name)
		}
	}
	assert.ElementsMatch(t, Names(), written, "no alert without a runbook, no runbook without an alert")
}

func TestRunbooksHelp(t *testing.T) {
	for _, name := range Names() {
		content, err := os.ReadFile(filepath.Join(runbooks, name+".md"))
		require.NoError(t, err)
		text := string(content)
		assert.True(t, strings.HasPrefix(text, "# "+name+"\n"), name)
		for _, section := range []string{"## Meaning", "## Impact", "## Look", "## Fix", "## Escalate"} {
			assert.Contains(t, text, "\n"+section+"\n", name)
		}
		assert.Contains(t, text, "```", "%s has commands to look with", name)
		assert.Less(t, strings.Count(text, "\n"), 60, "%s: somebody reads it in the middle of the night", name)
	}
}

func TestIndexOfRunbooksHasAllOfThem(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(runbooks, "README.md"))
	require.NoError(t, err)
	var listed []string
	for _, match := range regexp.MustCompile(`(?m)^\| \[(\w+)\]\((\w+)\.md\) \| (\w+) \|`).FindAllStringSubmatch(string(content), -1) {
		assert.Equal(t, match[1], match[2])
		listed = append(listed, match[1]+" "+match[3])
	}
	var alerts []string
	each(func(_ Group, alert Alert) { alerts = append(alerts, alert.Name+" "+alert.Severity) })
	assert.ElementsMatch(t, alerts, listed, "docs/runbooks/README.md lists each alert with its severity")
}

func TestMetricsAreOnTheLists(t *testing.T) {
	p := parser.NewParser(parser.Options{})
	recorded := regexp.MustCompile(`^[a-z_]+:[a-z_0-9]+(:[a-z0-9_]+)?$`)
	for _, mesh := range []string{Istio, Linkerd} {
		for name, expr := range expressions(everything(mesh)) {
			parsed, err := p.ParseExpr(expr)
			require.NoError(t, err, name)
			for _, metric := range series(parsed) {
				assert.True(t, metrics.Known(metric) || recorded.MatchString(metric), "%s uses %s, which is on no list of tests/metrics/names", name, metric)
			}
		}
	}
}

// series are the names of the metrics in an expression.
func series(expr parser.Expr) []string {
	var all []string
	parser.Inspect(expr, func(node parser.Node, _ []parser.Node) error {
		if selector, ok := node.(*parser.VectorSelector); ok {
			for _, matcher := range selector.LabelMatchers {
				if matcher.Name == model.MetricNameLabel {
					all = append(all, matcher.Value)
				}
			}
		}
		return nil
	})
	return all
}

func TestRecordingsAreNamedByLevelMetricAndOperation(t *testing.T) {
	for _, g := range All(everything(Istio)) {
		for _, r := range g.Records {
			assert.Regexp(t, `^[a-z_]+:[a-z_]+(:[a-z_0-9]+)?$`, r.Name)
		}
	}
}

func TestHealthIsRecordedForWhatIsThere(t *testing.T) {
	components := func(a Args) []string {
		var all []string
		for _, r := range All(a)[0].Records {
			require.Equal(t, ComponentUp, r.Name)
			all = append(all, r.Labels[componentLabel])
		}
		return all
	}
	assert.Equal(t, Components(), components(everything(Istio)))
	assert.Equal(t, []string{ControlPlane, Certificates, Kubernetes, Nodes, Monitoring}, components(Args{}))
	for _, r := range All(Args{})[0].Records {
		assert.NotContains(t, r.Expr, apiServers, "one that is not asked is not down")
	}
	assert.NotContains(t, components(Args{ObjectStorage: S3}), ObjectStorage, "nobody here knows how Amazon's storage is")
}

func TestAlertsFollowWhatIsThere(t *testing.T) {
	names := func(a Args) []string {
		var all []string
		for _, g := range All(a) {
			for _, alert := range g.Alerts {
				all = append(all, alert.Name)
			}
		}
		return all
	}
	little := strings.Join(names(Args{}), " ")
	for _, absent := range []string{"PostgreSQL", "Valkey", "ObjectStorage", "Iris", "Ingress", "Mesh", "Etcd", "NodeDisk", "RemoteWrite", "KubernetesAPI"} {
		assert.NotContains(t, little, absent)
	}
	assert.NotContains(t, names(Args{PostgreSQL: map[string]int{"small": 1}}), "PostgreSQLReplicaMissing")
	for _, g := range All(Args{PostgreSQL: map[string]int{"main": 3, "other": 2, "small": 1}}) {
		for _, alert := range g.Alerts {
			if alert.Name == "PostgreSQLReplicaMissing" {
				assert.Contains(t, alert.Expr, `job="postgresql/main"}) < 2 or`)
				assert.Contains(t, alert.Expr, `job="postgresql/other"}) < 1`)
				assert.NotContains(t, alert.Expr, "small")
			}
		}
	}
}

func TestConfigurationChangesAlerts(t *testing.T) {
	a := everything(Istio)
	a.Disabled = []string{"NodeMemoryLow"}
	a.Severity = map[string]string{"NodeNotReady": Critical}
	a.RunbookBase = "https://wiki.example.com/?alert="
	require.NoError(t, a.Check())
	var seen bool
	for _, o := range Objects(a) {
		object := o.(*unstructured.Unstructured)
		assert.Equal(t, "monitoring", object.GetNamespace())
		groups, _, err := unstructured.NestedSlice(object.Object, "spec", "groups")
		require.NoError(t, err)
		for _, rule := range groups[0].(map[string]any)["rules"].([]any) {
			alert := rule.(map[string]any)
			assert.NotEqual(t, "NodeMemoryLow", alert["alert"])
			if alert["alert"] != "NodeNotReady" {
				continue
			}
			seen = true
			assert.Equal(t, map[string]any{"severity": "critical", "component": "nodes"}, alert["labels"])
			assert.Equal(t, "https://wiki.example.com/?alert=NodeNotReady.md", alert["annotations"].(map[string]any)["runbook_url"])
		}
	}
	assert.True(t, seen)
}

func TestUnknownNamesAreRefused(t *testing.T) {
	err := Args{
		Disabled: []string{"Watchdgo"}, Severity: map[string]string{"Watchdog": "fatal", "Nothing": Info},
		ObjectStorage: "ceph", Ingress: "nginx", Mesh: "consul",
	}.Check()
	for _, problem := range []string{
		`Disabled has "Watchdgo"`, `Severity of Watchdog is "fatal": allowed are critical, warning, info`,
		`Severity has "Nothing"`, `ObjectStorage is "ceph": allowed are minio, s3`, `Ingress is "nginx"`, `Mesh is "consul"`,
	} {
		assert.ErrorContains(t, err, problem)
	}
}
