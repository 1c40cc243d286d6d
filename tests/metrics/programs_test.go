package metrics_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/internal/local"
	"github.com/telekom/controlplane-infrastructure/internal/local/localtest"
	"github.com/telekom/controlplane-infrastructure/internal/manifest"
	"github.com/telekom/controlplane-infrastructure/tests/definitions"
	"github.com/telekom/controlplane-infrastructure/tests/metrics"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

var cluster *local.ControlPlane

func TestMain(m *testing.M) { localtest.Main(m, &cluster) }

const patience = 30 * time.Second

// The monitoring's own programs, each with something to do for what it counts.
func TestPrograms(t *testing.T) {
	t.Parallel()
	programs := process.Programs(t, "prometheus", "alertmanager")
	alertmanager := process.Address(t, 9093, 9094)
	prometheus := process.Address(t, 9090)
	start(t, programs["alertmanager"], nil, "--config.file="+file(t, "alertmanager.yaml", receivers),
		"--web.listen-address="+alertmanager+":9093", "--cluster.listen-address="+alertmanager+":9094",
		"--cluster.settle-timeout=1s", "--storage.path="+t.TempDir())
	start(t, programs["prometheus"], nil,
		"--config.file="+file(t, "prometheus.yaml", fmt.Sprintf(scraping, file(t, "rules.yaml", alwaysFiring), alertmanager, prometheus)),
		"--web.listen-address="+prometheus+":9090", "--storage.tsdb.path="+t.TempDir(),
		"--storage.tsdb.retention.size=1GB", "--storage.tsdb.retention.time=1h")

	t.Run("prometheus", func(t *testing.T) {
		exposes(t, "prometheus", plain, "http://"+prometheus+":9090/metrics")
	})
	t.Run("alertmanager", func(t *testing.T) {
		fire(t, "http://"+alertmanager+":9093/api/v2/alerts")
		exposes(t, "alertmanager", plain, "http://"+alertmanager+":9093/metrics")
	})
}

// fire has an Alertmanager know of an alert.
func fire(t *testing.T, url string) {
	t.Helper()
	require.Eventually(t, func() bool {
		answer, err := http.Post(url, "application/json", strings.NewReader(`[{"labels": {"alertname": "Test"}}]`))
		return err == nil && answer.Body.Close() == nil && answer.StatusCode == http.StatusOK
	}, patience, 100*time.Millisecond)
}

// receivers have one of each kind. Nobody is called.
const receivers = `
route: {receiver: none, routes: [{receiver: all, matchers: ['never="true"']}]}
receivers:
- name: none
- name: all
  webhook_configs: [{url: "http://127.0.0.1:1/"}]
  email_configs: [{to: a@example.com, from: b@example.com, smarthost: "127.0.0.1:1"}]
  slack_configs: [{api_url: "http://127.0.0.1:1/", channel: alerts}]
  pagerduty_configs: [{routing_key: key}]
inhibit_rules: [{source_matchers: ['severity="critical"'], target_matchers: ['severity="warning"'], equal: [namespace]}]
`

const scraping = `
global: {scrape_interval: 500ms, evaluation_interval: 500ms, external_labels: {cluster: test}}
rule_files: [%q]
alerting: {alertmanagers: [{static_configs: [{targets: ["%s:9093"]}]}]}
scrape_configs:
- {job_name: prometheus, static_configs: [{targets: ["%[3]s:9090"]}]}
remote_write: [{url: "http://127.0.0.1:1/"}]
`

const alwaysFiring = `
groups: [{name: test, rules: [{alert: Always, expr: vector(1), labels: {severity: info}}, {record: one, expr: vector(1)}]}]
`

// The programs of a cluster's control plane.
func TestControlPlane(t *testing.T) {
	t.Parallel()
	t.Run("kube-apiserver", func(t *testing.T) {
		clients, err := kubernetes.NewForConfig(cluster.REST())
		require.NoError(t, err)
		answer, err := clients.Discovery().RESTClient().Get().AbsPath("/metrics").DoRaw(t.Context())
		require.NoError(t, err)
		metrics.Require(t, "kube-apiserver", answer)
	})
	t.Run("etcd", func(t *testing.T) {
		socket := filepath.Join(cluster.Dir, "run", "etcd.sock")
		through := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		}}}
		exposes(t, "etcd", through, "http://etcd/metrics")
	})
}

// The operator's own metrics: those of a custom resource that it works on are there once it has one.
func TestOperator(t *testing.T) {
	t.Parallel()
	watched(t)
	address := process.Address(t, 8080)
	kubeconfig := "KUBECONFIG=" + cluster.Kubeconfig
	start(t, process.Programs(t, "prometheus-operator")["prometheus-operator"], []string{kubeconfig}, "--web.listen-address="+address+":8080")
	exposes(t, "prometheus-operator", plain, "http://"+address+":8080/metrics")
}

// watched is what the operator works on: the definitions, and a Prometheus.
func watched(t *testing.T) {
	t.Helper()
	definitions.Prometheus(t, cluster.REST())
	c, err := client.New(cluster.REST(), client.Options{})
	require.NoError(t, err)
	require.NoError(t, c.Create(t.Context(), manifest.Custom("monitoring.coreos.com/v1", "Prometheus", "default", "test", "",
		map[string]any{"replicas": int64(1), "image": "quay.io/prometheus/prometheus:v3.13.1"})))
}

var plain = http.DefaultClient

// exposes asks until the answer has all of a source's list.
func exposes(t *testing.T, from string, c *http.Client, url string) {
	t.Helper()
	var answer []byte
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		var err error
		if answer, err = get(c, url); err == nil && len(metrics.Missing(from, answer)) == 0 {
			break
		}
	}
	metrics.Require(t, from, answer)
}

func get(c *http.Client, url string) ([]byte, error) {
	response, err := c.Get(url)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %s", url, response.Status)
	}
	return io.ReadAll(response.Body)
}

func file(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// start runs a program until the test ends; a failed test shows what it has said.
func start(t *testing.T, program string, env []string, args ...string) {
	t.Helper()
	log, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	command := exec.Command(program, args...)
	command.Env, command.Stdout, command.Stderr, command.Dir = append(os.Environ(), env...), log, log, t.TempDir()
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		_ = command.Process.Kill() // if it fails the process has ended
		_ = command.Wait()
		if said, err := os.ReadFile(log.Name()); t.Failed() && err == nil {
			t.Logf("%s, end of the log:\n%s", filepath.Base(program), said[max(0, len(said)-4000):])
		}
		_ = log.Close()
	})
}
