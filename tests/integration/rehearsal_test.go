package integration

import (
	"bytes"
	"flag"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/automation/report"
)

var update = flag.Bool("update", false, "write the expected reports of previews anew")

// rehearsed is the size that reports are bounded to: long differences in dashboards and alerts are only named.
const rehearsed = 8000

// change is a change under review, as a pull request has it.
type change struct {
	values map[string]any
	// files are made in the project.
	files func(t *testing.T, project string)
	// begins is what the verdict begins with.
	begins string
}

// prodChanges are changes of the stack prod.
func prodChanges() map[string]change {
	return map[string]change{
		"update": {
			begins: "1 updated, nothing replaced or deleted",
			values: map[string]any{"cluster.eks.endpoint.publicCidrs": []any{"198.51.100.0/24"}},
		},
		"database": {
			begins: "Up would be refused: it deletes 1 protected resource (postgresql/platform)",
			values: map[string]any{"storage.postgresql": map[string]any{"clusters": []any{map[string]any{
				"name": "data", "databases": []any{
					map[string]any{"name": "iris"}, map[string]any{"name": "gateway"},
					map[string]any{"name": "controlplane"}, map[string]any{"name": "grafana"},
				},
			}}}},
		},
		"bucket": {
			begins: "Up would be refused: it deletes 3 protected resources (backups, files, key)",
			values: map[string]any{"storage.objectStorage": map[string]any{"backend": "none"}},
		},
		"policy": {
			begins: "1 created, nothing replaced or deleted. 1 policy finding",
			values: map[string]any{"artifacts.overrides.trustManager.directory": "charts/trust-manager"},
			files:  chartOfLatest,
		},
	}
}

// storeChanges are changes of a stack whose data stores AWS runs.
func storeChanges() map[string]change {
	return map[string]change{
		"data-store": {
			begins: "Up would be refused: it replaces 1 protected resource (storage-elasticache)",
			values: map[string]any{
				"storage.cache.elastiCache.kmsKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab",
			},
		},
	}
}

// rehearse previews changes of a stack that is up, and compares what reviewers would read.
func rehearse(t *testing.T, e *env, config map[string]any, changes map[string]change) {
	defer e.configure(config)
	for name, c := range changes {
		t.Run(name, func(t *testing.T) {
			if c.files != nil {
				c.files(t, e.project)
			}
			e.configure(with(config, c.values))
			r := report.New("test", e.preview(), nil, nil)
			assert.True(t, strings.HasPrefix(r.Verdict, c.begins), r.Verdict)
			var out bytes.Buffer
			require.NoError(t, report.Markdown(&out, r, report.Options{MaxBytes: rehearsed, Rest: "preview.md"}))
			path, got := filepath.Join("testdata", "rehearsal", name+".md"), normalised(out.String())
			if *update {
				require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
				require.NoError(t, os.WriteFile(path, []byte(got), 0o644))
			}
			want, err := os.ReadFile(path)
			require.NoError(t, err)
			assert.Equal(t, string(want), got, "go test ./tests/integration -run 'TestProd|TestOtherMinors' -update writes it anew")
		})
	}
}

// made are names and hashes that are others in each run.
var made = regexp.MustCompile(`\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b|\b[0-9a-f]{32,64}\b|` +
	`\b(vpc|subnet|sg|db|sgr)-[0-9A-Fa-f]{8,}\b|\.[0-9a-f]{6}\.euc1\.|\.[0-9a-z]{12}\.eu-central-1\.rds`)

func normalised(text string) string { return made.ReplaceAllString(text, "MADE-UP") }

// chartOfLatest is the chart of trust-manager with a debugging aid that somebody has forgotten in it.
func chartOfLatest(t *testing.T, project string) {
	t.Helper()
	found := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}} {{.Version}}", "github.com/cert-manager/trust-manager")
	found.Dir = filepath.Join("..", "..", "artifacts")
	out, err := found.Output()
	require.NoError(t, err)
	module, version, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	dir := filepath.Join(project, "charts", "trust-manager")
	require.NoError(t, os.CopyFS(dir, os.DirFS(filepath.Join(module, "deploy", "charts", "trust-manager"))))
	chart, err := os.ReadFile(filepath.Join(dir, "Chart.yaml"))
	require.NoError(t, err)
	chart = bytes.ReplaceAll(chart, []byte("v0.0.0"), []byte(version))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "Chart.yaml"), chart, 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(dir, "templates", "debug.yaml"), []byte(forgotten), 0o600))
}

const forgotten = `apiVersion: apps/v1
kind: Deployment
metadata: {name: debug, namespace: {{ .Release.Namespace }}}
spec:
  selector: {matchLabels: {app: debug}}
  template:
    metadata: {labels: {app: debug}}
    spec:
      containers: [{name: shell, image: docker.io/library/busybox:latest}]
`
