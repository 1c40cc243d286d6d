package rules

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/internal/tools"
)

// unitTest is what this program reads of a file in promtool's format.
type unitTest struct {
	RuleFiles []string `json:"rule_files"`
	Tests     []struct {
		Name       string `json:"name"`
		AlertTests []struct {
			EvalTime  string `json:"eval_time"`
			Alertname string `json:"alertname"`
			Expected  []struct {
				Labels      map[string]string `json:"exp_labels"`
				Annotations map[string]string `json:"exp_annotations"`
			} `json:"exp_alerts"`
		} `json:"alert_rule_test"`
	} `json:"tests"`
}

// unitTests are the files in testdata, by name.
func unitTests(t *testing.T) map[string]unitTest {
	t.Helper()
	files, err := filepath.Glob("testdata/*_test.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, files)
	all := map[string]unitTest{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		require.NoError(t, err)
		var parsed unitTest
		require.NoError(t, yaml.Unmarshal(content, &parsed), file)
		all[file] = parsed
	}
	return all
}

func promtool(t *testing.T, args ...string) (string, error) {
	t.Helper()
	binary, err := tools.Path(t.Context(), "promtool")
	require.NoError(t, err)
	output, err := exec.CommandContext(t.Context(), binary, args...).CombinedOutput()
	return string(output), err
}

// writeRules writes each group as a file of rules, as the operator does with the objects.
func writeRules(t *testing.T, directory string, a Args, edit func(rule map[string]any)) []string {
	t.Helper()
	var files []string
	for _, g := range All(a) {
		spec := g.spec(a)
		for _, rule := range spec["rules"].([]any) {
			edit(rule.(map[string]any))
		}
		content, err := yaml.Marshal(map[string]any{"groups": []any{spec}})
		require.NoError(t, err)
		file := filepath.Join(directory, g.Name+".yaml")
		require.NoError(t, os.WriteFile(file, content, 0o600))
		files = append(files, file)
	}
	return files
}

func TestPromtoolFindsNothingToComplainOf(t *testing.T) {
	for _, a := range []Args{everything(Istio), everything(Linkerd), {}} {
		files := writeRules(t, t.TempDir(), a, func(map[string]any) {})
		output, err := promtool(t, append([]string{"check", "rules", "--lint=all", "--lint-fatal"}, files...)...)
		require.NoError(t, err, output)
		assert.Equal(t, len(files), strings.Count(output, "SUCCESS"), output)
	}
}

// The descriptions and the links are the same at each time, so the cases need not repeat them.
func TestAlertsFireOnTheirFaultsOnly(t *testing.T) {
	files := unitTests(t)
	directory := t.TempDir()
	writeRules(t, directory, everything(Istio), func(rule map[string]any) {
		if annotations, ok := rule["annotations"].(map[string]any); ok {
			delete(annotations, "description")
			delete(annotations, "runbook_url")
		}
	})
	for file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			content, err := os.ReadFile(file)
			require.NoError(t, err)
			copied := filepath.Join(directory, filepath.Base(file))
			require.NoError(t, os.WriteFile(copied, content, 0o600))
			output, err := promtool(t, "test", "rules", copied)
			assert.NoError(t, err, output)
		})
	}
}

// Each alert has a case in which it fires, and one with the same kind of series in which it does not.
func TestEveryAlertHasCasesOfBothKinds(t *testing.T) {
	fires, silent := map[string]bool{}, map[string]bool{}
	for file, parsed := range unitTests(t) {
		for _, test := range parsed.Tests {
			assert.NotEmpty(t, test.Name, "%s: every case says what happens", file)
			for _, one := range test.AlertTests {
				assert.Contains(t, Names(), one.Alertname, "%s: %s", file, test.Name)
				if len(one.Expected) > 0 {
					fires[one.Alertname] = true
				} else {
					silent[one.Alertname] = true
				}
			}
		}
	}
	for _, name := range Names() {
		assert.True(t, fires[name], "%s: no case in which it fires", name)
		if name != "Watchdog" { // which has no healthy state
			assert.True(t, silent[name], "%s: no case in which it stays silent", name)
		}
	}
}

// placeholder is where a value should have been.
var placeholder = regexp.MustCompile(`<no value>|<nil>|  | in namespace \.|\{\{`)

func TestSummariesNameTheObject(t *testing.T) {
	for file, parsed := range unitTests(t) {
		for _, test := range parsed.Tests {
			for _, one := range test.AlertTests {
				for _, alert := range one.Expected {
					assert.NotRegexp(t, placeholder, alert.Annotations["summary"], "%s: %s", file, test.Name)
				}
			}
		}
	}
}

// expressions are those of all rules, with the names of the rules.
func expressions(a Args) map[string]string {
	all := map[string]string{}
	for _, g := range All(a) {
		for _, r := range g.Records {
			all[r.Name+" "+r.Labels[componentLabel]] = r.Expr
		}
		for _, alert := range g.Alerts {
			all[alert.Name] = alert.Expr
		}
	}
	return all
}

func TestExpressionsParse(t *testing.T) {
	p := parser.NewParser(parser.Options{})
	for _, mesh := range []string{Istio, Linkerd} {
		for name, expr := range expressions(everything(mesh)) {
			_, err := p.ParseExpr(expr)
			assert.NoError(t, err, name)
		}
	}
}
