//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/automation"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/portforward"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

// patience is how long recorded rates take that look back over some minutes.
const patience = 8 * time.Minute

// api asks the HTTP API of Prometheus or Alertmanager at its pods.
type api struct {
	keycloak
}

func connectMonitoring(t *testing.T, cluster *verify.Cluster, up *automation.Result, component string, port int) api {
	t.Helper()
	k := connect(t, cluster, up, portforward.Target{
		Namespace: names.Namespace, Selector: names.NameLabel + "=" + component, Port: port,
	}, names.Host(component))
	k.url = strings.TrimSuffix(k.url, "/auth")
	return api{k}
}

func (a api) get(path string, into any) error {
	response, err := a.Get(a.url + path)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("%s: %s", path, response.Status)
	}
	return json.NewDecoder(response.Body).Decode(into)
}

// sample is one of the results of a query.
type sample struct {
	Metric map[string]string `json:"metric"`
	Value  []any             `json:"value"`
}

func (a api) query(expression string) ([]sample, error) {
	var answer struct {
		Data struct {
			Result []sample `json:"result"`
		} `json:"data"`
	}
	err := a.get("/api/v1/query?query="+url.QueryEscape(expression), &answer)
	return answer.Data.Result, err
}

// scrapes asks Prometheus whether it reads the metrics of all that it was told of, and of every pod of the platform.
func scrapes(t *testing.T, cluster *verify.Cluster, up *automation.Result) {
	prometheus := connectMonitoring(t, cluster, up, names.Prometheus, names.PrometheusPort)
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		var answer struct {
			Data struct {
				ActiveTargets []struct {
					ScrapePool string `json:"scrapePool"`
					ScrapeURL  string `json:"scrapeUrl"`
					Health     string `json:"health"`
					LastError  string `json:"lastError"`
				} `json:"activeTargets"`
			} `json:"data"`
		}
		require.NoError(c, prometheus.get("/api/v1/targets?state=active", &answer))
		scraped := map[string]bool{}
		for _, target := range answer.Data.ActiveTargets {
			assert.Equal(c, "up", target.Health, "%s at %s: %s", target.ScrapePool, target.ScrapeURL, target.LastError)
			address, err := url.Parse(target.ScrapeURL)
			require.NoError(c, err)
			scraped[address.Hostname()] = true
		}
		for _, pod := range platformPods(c, cluster) {
			assert.True(c, scraped[pod.Status.PodIP], "Prometheus finds %s/%s", pod.Namespace, pod.Name)
		}
	}, patience, 5*time.Second)
}

// healthy asks whether the platform calls itself healthy: each component does its work, all rules can be evaluated, and no
// alert would wake anybody up but the one that says that alerts work, which must have arrived at Alertmanager.
func healthy(t *testing.T, cluster *verify.Cluster, up *automation.Result) {
	prometheus := connectMonitoring(t, cluster, up, names.Prometheus, names.PrometheusPort)
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		components, err := prometheus.query("platform:component_up")
		require.NoError(c, err)
		assert.NotEmpty(c, components)
		for _, component := range components {
			assert.Equal(c, "1", component.Value[1], "%v", component.Metric)
		}
		failures, err := prometheus.query("sum(increase(prometheus_rule_evaluation_failures_total[5m])) > 0")
		require.NoError(c, err)
		assert.Empty(c, failures)
		critical, err := prometheus.query(`ALERTS{alertstate="firing", severity="critical"}`)
		require.NoError(c, err)
		assert.Empty(c, critical)
	}, patience, 5*time.Second)

	alertmanager := connectMonitoring(t, cluster, up, names.Alertmanager, names.AlertmanagerPort)
	assert.EventuallyWithT(t, func(c *assert.CollectT) {
		var alerts []struct {
			Labels map[string]string `json:"labels"`
		}
		require.NoError(c, alertmanager.get("/api/v2/alerts", &alerts))
		assert.True(c, slices.ContainsFunc(alerts, func(a struct {
			Labels map[string]string `json:"labels"`
		}) bool {
			return a.Labels["alertname"] == "Watchdog"
		}), "%v", alerts)
	}, patience, 5*time.Second)
}
