package dashboards_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/dashboards"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/rules"
	"github.com/telekom/controlplane-infrastructure/internal/mesh"
	"github.com/telekom/controlplane-infrastructure/tests/process"
)

// series is one that the test's installation has: its value now, and how much it grows a second.
type series struct {
	name          string
	value, growth float64
}

// installation are the series behind the overview. Without health all of it is down.
func installation(healthy bool) []series {
	up := 0.0
	if healthy {
		up = 1
	}
	var all []series
	add := func(value float64, name string, values ...any) {
		all = append(all, series{name: fmt.Sprintf(name, values...), value: value})
	}
	for _, target := range []struct{ namespace, service string }{
		{"cert-manager", "cert-manager"}, {"identity", "iris"}, {"ingress", "traefik"}, {"istio-system", "istiod"},
		{"monitoring", "prometheus"}, {"monitoring", "alertmanager"}, {"monitoring", "prometheus-operator"},
		{"monitoring", "kube-state-metrics"}, {"monitoring", "grafana"},
	} {
		add(up, `up{namespace=%q, service=%[2]q, job=%[2]q}`, target.namespace, target.service)
	}
	add(up, `up{namespace="default", service="kubernetes", job="apiserver"}`)
	add(up, `up{namespace="postgresql", container="postgres", job="postgresql/main"}`)
	for namespace, deployment := range map[string]string{
		"cert-manager": "cert-manager", "identity": "iris", "ingress": "traefik", "istio-system": "istiod", "kube-system": "coredns",
		"controlplane-system": "rover-server", "valkey": "valkey-proxy",
	} {
		add(up, `kube_deployment_status_replicas_available{namespace=%q, deployment=%q}`, namespace, deployment)
		add(2, `kube_deployment_spec_replicas{namespace=%q, deployment=%q}`, namespace, deployment)
	}
	add(1-up, `cnpg_pg_replication_in_recovery{namespace="postgresql", job="postgresql/main"}`)
	add(up, `redis_instance_info{namespace="valkey", role="master", pod="valkey-0"}`)
	add(1-up, `redis_instance_info{namespace="valkey", role="slave", pod="valkey-1"}`)
	add(up, `minio_cluster_health_status{namespace="minio"}`)
	add(up, `kube_node_status_condition{node="a", condition="Ready", status="true"}`)
	expiry := float64(time.Now().Unix()) + 60*24*60*60*up
	add(expiry, `certmanager_certificate_expiration_timestamp_seconds{namespace="cert-manager", name="a"}`)
	add(expiry-30*24*60*60, `certmanager_certificate_renewal_timestamp_seconds{namespace="cert-manager", name="a"}`)
	// One that lives for a day is renewed each hour, and no sign of a fault.
	anchor := float64(time.Now().Unix()) + 23*60*60
	add(anchor, `certmanager_certificate_expiration_timestamp_seconds{namespace="cert-manager", name="anchor"}`)
	add(anchor-23*60*60, `certmanager_certificate_renewal_timestamp_seconds{namespace="cert-manager", name="anchor"}`)
	if !healthy {
		add(1, `ALERTS{alertname="IrisDown", alertstate="firing", severity="critical", component="iris"}`)
		add(1, `ALERTS{alertname="IrisSlow", alertstate="pending", severity="critical", component="iris"}`)
		add(1, `ALERTS{alertname="Full", alertstate="firing", severity="warning", component="nodes"}`)
	}
	add(1, `ALERTS{alertname="Watchdog", alertstate="firing", severity="info"}`)
	all = append(all,
		series{`traefik_entrypoint_requests_total{namespace="ingress", code="200"}`, 1e6, 30},
		series{`traefik_entrypoint_requests_total{namespace="ingress", code="503"}`, 1e6, 10 * (1 - up)},
		series{`http_server_requests_seconds_count{namespace="identity", uri="/realms/{realm}/protocol/{protocol}/token", ` +
			`outcome="SUCCESS"}`, 1e6, 5 * up},
	)
	return all
}

// openMetrics is the past of series until a time.
func openMetrics(all []series, until time.Time) string {
	const back, step = 15 * time.Minute, 15 * time.Second
	var text strings.Builder
	for _, s := range all {
		name := strings.ReplaceAll(s.name, `", `, `",`) // the format has no room for spaces
		for at := until.Add(-back); !at.After(until); at = at.Add(step) {
			fmt.Fprintf(&text, "%s %f %d\n", name, s.value-s.growth*until.Sub(at).Seconds(), at.Unix())
		}
	}
	return text.String() + "# EOF\n"
}

// serve starts a Prometheus that has the series, and records what package rules has of them. It returns its address.
func serve(t *testing.T, all []series) string {
	t.Helper()
	programs := process.Programs(t, "prometheus", "promtool")
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		return path
	}
	data := filepath.Join(dir, "data")
	out, err := exec.CommandContext(t.Context(), programs["promtool"], "tsdb", "create-blocks-from", "openmetrics",
		write("past.txt", openMetrics(all, time.Now())), data).CombinedOutput()
	require.NoError(t, err, string(out))

	config := write("prometheus.yaml",
		fmt.Sprintf("global: {evaluation_interval: 500ms}\nrule_files: [%q]\n", write("rules.yaml", recordings(t))))
	address := process.Address(t, 9090) + ":9090"
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	var log strings.Builder
	command := exec.CommandContext(ctx, programs["prometheus"], "--config.file="+config, "--storage.tsdb.path="+data,
		"--web.listen-address="+address)
	command.Stdout, command.Stderr = &log, &log
	require.NoError(t, command.Start())
	t.Cleanup(func() {
		cancel()
		_ = command.Wait() // it has been killed
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return "http://" + address
}

// recordings are the rule file with what package rules records.
func recordings(t *testing.T) string {
	t.Helper()
	var all []any
	for _, record := range records() {
		all = append(all, map[string]any{"record": record.Name, "expr": record.Expr, "labels": record.Labels})
	}
	content, err := yaml.Marshal(map[string]any{"groups": []any{map[string]any{"name": "recordings", "rules": all}}})
	require.NoError(t, err)
	return string(content)
}

// ask is the answer to a query: a number for each of the series that it finds.
func ask(ctx context.Context, server, query string) ([]float64, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, server+"/api/v1/query?query="+url.QueryEscape(query), nil)
	if err != nil {
		return nil, err
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	var decoded struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(answer.Body).Decode(&decoded); err != nil {
		return nil, err
	}
	if decoded.Status != "success" {
		return nil, fmt.Errorf("%s: %s", query, decoded.Error)
	}
	numbers := make([]float64, len(decoded.Data.Result))
	for i, one := range decoded.Data.Result {
		if numbers[i], err = strconv.ParseFloat(fmt.Sprint(one.Value[1]), 64); err != nil {
			return nil, err
		}
	}
	return numbers, nil
}

// TestOverviewTellsHealthFromFaults asks a real Prometheus what the overview asks, once of an installation that is well and
// once of one where everything is down.
func TestOverviewTellsHealthFromFaults(t *testing.T) {
	for name, expected := range map[string]struct {
		healthy bool
		panels  map[string]float64
		left    float64
	}{
		"well": {true, map[string]float64{
			"Critical alerts": 0, "Warnings": 0, "Requests from outside": 30, "Answered with an error": 0, "Tokens": 5,
		}, 60 * 24 * 60 * 60},
		"down": {false, map[string]float64{
			"Critical alerts": 1, "Warnings": 1, "Requests from outside": 40, "Answered with an error": 0.25, "Tokens": 0,
		}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t, installation(expected.healthy))
			require.Eventually(t, func() bool {
				up, err := ask(t.Context(), server, rules.ComponentUp)
				return err == nil && len(up) == len(rules.Components())
			}, 20*time.Second, 100*time.Millisecond)

			tiles, numbers := panels(t, all(t, everything(mesh.Istio))[0])
			require.Len(t, tiles, len(rules.Components()))
			state := 0.0
			if expected.healthy {
				state = 1
			}
			for title, query := range tiles {
				answer, err := ask(t.Context(), server, query)
				require.NoError(t, err)
				assert.Equal(t, []float64{state}, answer, "the tile %s: %s", title, query)
			}
			for title, number := range expected.panels {
				answer, err := ask(t.Context(), server, numbers[title])
				require.NoError(t, err)
				require.Len(t, answer, 1, "%s: %s", title, numbers[title])
				assert.InDelta(t, number, answer[0], 0.01*number+1e-9, "%s: %s", title, numbers[title])
			}
			answer, err := ask(t.Context(), server, numbers["Next certificate to expire"])
			require.NoError(t, err)
			require.Len(t, answer, 1)
			assert.InDelta(t, expected.left, answer[0], 60)
			answer, err = ask(t.Context(), server, numbers["Firing alerts"])
			require.NoError(t, err)
			assert.Len(t, answer, int(expected.panels["Critical alerts"]+expected.panels["Warnings"]), "the list of alerts")
		})
	}
}

// panels are the queries of the tiles of components, and of the other panels, by title.
func panels(t *testing.T, d dashboards.Dashboard) (tiles, others map[string]string) {
	t.Helper()
	decoded, err := decode(d)
	require.NoError(t, err)
	asked, err := d.Queries()
	require.NoError(t, err)
	tiles, others = map[string]string{}, map[string]string{}
	for i, one := range decoded.Panels {
		title := text(one.Panel.Title)
		if strings.HasPrefix(asked[i], "min("+rules.ComponentUp) {
			tiles[title] = asked[i]
		} else {
			others[title] = asked[i]
		}
	}
	return tiles, others
}
