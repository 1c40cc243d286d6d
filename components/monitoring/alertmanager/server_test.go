package alertmanager_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pulumi/pulumi/sdk/v3/go/auto/optpreview"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/plugins/plugintest"
	"github.com/telekom/controlplane-infrastructure/tests/process"
	"github.com/telekom/controlplane-infrastructure/tests/verify"
)

const (
	soon = 20 * time.Second
	tick = 100 * time.Millisecond
	web  = "https://alertmanager.monitoring.svc:9093"
)

// quick are short times.
var quick = alertmanager.Timing{
	GroupWait: "1s", GroupInterval: "1s", RepeatWatchdog: "1s", WatchdogInterval: "1s", PeerTimeout: "1s500ms",
}

// replica is an Alertmanager.
type replica struct {
	*process.Process
	t       *testing.T
	address string
}

// client verifies the replica by the name of the Service.
func (r *replica) client(ca verify.CA) *http.Client {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca.Certificate))
	return &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, r.address+":9093")
		},
	}}
}

// post sends what Prometheus, or somebody with a silence, sends.
func (r *replica) post(ca verify.CA, path string, content any) {
	r.t.Helper()
	body, err := json.Marshal(content)
	require.NoError(r.t, err)
	answer, err := r.client(ca).Post(web+"/api/v2/"+path, "application/json", bytes.NewReader(body))
	require.NoError(r.t, err)
	defer answer.Body.Close()
	require.Equal(r.t, http.StatusOK, answer.StatusCode)
}

// get reads from the API.
func (r *replica) get(ca verify.CA, path string, into any) {
	r.t.Helper()
	answer, err := r.client(ca).Get(web + "/api/v2/" + path)
	require.NoError(r.t, err)
	defer answer.Body.Close()
	require.NoError(r.t, json.NewDecoder(answer.Body).Decode(into))
}

// alert is one as Prometheus sends it: labels as name=value, apart by spaces.
func alert(labels string) map[string]any {
	all := map[string]string{}
	for _, label := range strings.Fields(labels) {
		name, value, _ := strings.Cut(label, "=")
		all[name] = value
	}
	return map[string]any{"labels": all, "annotations": map[string]string{
		"summary": "Summary of " + all["alertname"] + ".", "description": "Description of " + all["alertname"] + ".",
		"runbook_url": "https://runbooks.example.com/" + all["alertname"] + ".md",
	}}
}

// resolved is an alert that fires no more.
func resolved(labels string) map[string]any {
	a := alert(labels)
	a["endsAt"] = time.Now().Add(-time.Second).Format(time.RFC3339Nano)
	return a
}

// The stack is accepted by a real API server and by the operator, whose pods then tell people of alerts.
func TestAlertmanager(t *testing.T) {
	t.Parallel()
	p := newPlatform(t)
	first, second := newOutside(t, p.ca), newOutside(t, p.ca)
	single := told(first)
	single.Replicas = 1
	one := process.Render(t, p.ca, program(single, availability(single)))
	p.prepare(one, secret("chat", "url", first.http.URL+"/slack/token"))
	p.up(single, one)
	t.Run("one tells people", func(t *testing.T) {
		t.Parallel()
		tells(t, p.ca, first, one, run(t, one, 1)[0])
	})
	t.Run("three", func(t *testing.T) {
		t.Parallel()
		zonal := told(second)
		zonal.Receivers = []alertmanager.Receiver{{Name: "tickets", Webhook: &alertmanager.Webhook{URL: second.http.URL + "/tickets"}}}
		zonal.Routes, zonal.SMTP, zonal.WatchdogReceiver = nil, nil, ""
		three := process.Render(t, p.ca, program(zonal, availability(zonal)))
		p.up(zonal, three)
		t.Run("tell once", func(t *testing.T) {
			t.Parallel()
			tellOnce(t, p.ca, second, run(t, three, 3))
		})
		t.Run("are spread over zones, and nothing is left to do", func(t *testing.T) {
			t.Parallel()
			spread(t, p)
		})
	})
}

// spread looks at the pods that the API server has admitted and the scheduler placed, and at what the engine makes of it.
func spread(t *testing.T, p *platform) {
	zones := map[string]bool{}
	for _, pod := range p.pods() {
		node := &corev1.Node{}
		require.NoError(t, p.api.Get(t.Context(), client.ObjectKey{Name: pod.Spec.NodeName}, node))
		zones[node.Labels[corev1.LabelTopologyZone]] = true
		assert.False(t, *pod.Spec.AutomountServiceAccountToken)
	}
	assert.Len(t, zones, 3)
	budget := &policyv1.PodDisruptionBudget{}
	require.Eventually(t, func() bool {
		key := client.ObjectKey{Namespace: names.Namespace, Name: "alertmanager-platform"}
		return p.api.Get(t.Context(), key, budget) == nil && budget.Status.ExpectedPods == 3 && budget.Status.DisruptionsAllowed == 1
	}, soon, tick, "the budget is that of the operator's pods")
	_, err := p.stack.Refresh(t.Context())
	require.NoError(t, err)
	_, err = p.stack.Preview(t.Context(), optpreview.ExpectNoChanges())
	require.NoError(t, err)
	for _, secret := range []string{"key-of-on-call", "mail-password", "/heartbeat/secret"} {
		assert.NotContains(t, plugintest.Written(t, p.backend), secret)
	}
}

// told is a platform that tells the outside.
func told(o *outside) alertmanager.Args {
	args := arguments()
	args.Timing = quick
	heartbeat := alertmanager.Credential{Value: pulumi.String(o.http.URL + "/heartbeat/secret")}
	args.Receivers[0].PagerDuty.URL = o.http.URL + "/pagerduty"
	args.Receivers[1].Slack.Port = o.port()
	args.Receivers[3].Webhook.URL = o.http.URL + "/tickets"
	args.Receivers[4].Webhook.SecretURL = &heartbeat
	args.SMTP.Host, args.SMTP.Port = "127.0.0.1", o.mailPort
	// In three days, which is not now.
	another := strings.ToLower(time.Now().UTC().AddDate(0, 0, 3).Weekday().String())
	args.Routes[1].Active = nil
	args.Routes = append(args.Routes, alertmanager.Route{
		Receiver: "tickets", Severities: []string{alertmanager.Critical}, Active: []alertmanager.Hours{{Weekdays: []string{another}}},
	})
	return args
}

// tells posts alerts to one replica, and looks at who is told of them.
func tells(t *testing.T, ca verify.CA, o *outside, objects *process.Objects, r *replica) {
	const down, slow = "alertname=IrisDown severity=critical component=iris namespace=identity",
		"alertname=IrisTokensSlow severity=warning component=iris namespace=identity"
	r.post(ca, "alerts", []any{
		alert(down), alert(slow), alert("alertname=IrisCurious severity=info component=iris"),
		alert("alertname=PostgreSQLReplicaMissing severity=warning component=postgresql job=postgresql/main"),
		alert("alertname=PostgreSQLReplicationLagging severity=warning component=postgresql namespace=postgresql pod=main-2"),
		alert("alertname=PostgreSQLReplicationLagging severity=warning component=postgresql namespace=postgresql pod=main-3"),
		alert("alertname=Watchdog severity=info component=monitoring"),
		alert("alertname=MonitoringAlertsUndelivered severity=critical component=monitoring"),
		alert("alertname=KubernetesPodNotReady severity=warning component=kubernetes namespace=shop pod=till-1"),
		alert("alertname=NodeZoneLost severity=critical component=nodes"),
		alert("alertname=Theirs namespace=shop"),
	})
	t.Run("by PagerDuty, of what is critical, with the key from the file", func(t *testing.T) {
		require.Eventually(t, func() bool { return len(o.at("/pagerduty")) == 3 }, soon, tick, "%v", o.at("/pagerduty"))
		for _, event := range o.at("/pagerduty") {
			assert.Equal(t, "key-of-on-call", event["routing_key"])
			payload := event["payload"].(map[string]any)
			assert.Equal(t, "critical", payload["severity"])
			if payload["component"] != "iris" {
				continue
			}
			assert.Equal(t, "[CRITICAL] iris in identity: Summary of IrisDown.", payload["summary"])
			assert.Equal(t, "https://runbooks.example.com/IrisDown.md", event["links"].([]any)[0].(map[string]any)["href"])
		}
	})
	t.Run("by Slack, at the address from the Secret of somebody else", func(t *testing.T) {
		require.Eventually(t, func() bool { return len(o.at("/slack/token")) == 1 }, soon, tick)
		said := o.at("/slack/token")[0]
		assert.Equal(t, "#platform", said["channel"])
		attachment := said["attachments"].([]any)[0].(map[string]any)
		assert.Equal(t, "[CRITICAL] iris in identity: Summary of IrisDown.", attachment["title"])
		assert.Equal(t, "Summary of IrisDown.\nDescription of IrisDown.\nRunbook: https://runbooks.example.com/IrisDown.md",
			strings.TrimSpace(attachment["text"].(string)))
	})
	t.Run("by mail, once for all alerts of a component", func(t *testing.T) {
		require.Eventually(t, func() bool { return len(o.received()) > 0 }, soon, tick)
		time.Sleep(2 * time.Second) // longer than until the next notification
		require.Len(t, o.received(), 1)
		m := o.received()[0]
		m.content = strings.ReplaceAll(m.content, "=\r\n", "") // lines that were broken
		assert.Equal(t, []string{"platform", "mail-password"}, []string{m.username, m.password})
		assert.Equal(t, "TO:<a@example.com>\nTO:<b@example.com>\n", m.recipients)
		assert.Contains(t, m.content, "Subject: [WARNING] postgresql in postgresql: Summary of PostgreSQLReplicationLagging. (and 1 more)")
		assert.Contains(t, m.content, "https://runbooks.example.com/PostgreSQLReplicationLagging.md")
		assert.NotContains(t, m.content, "PostgreSQLReplicaMissing", "it was in the zone that is lost")
	})
	t.Run("by default, of what no route is for", func(t *testing.T) {
		require.Len(t, o.at("/tickets"), 1)
		assert.Equal(t, []string{"Theirs"}, firing(o.at("/tickets")[0]))
	})
	t.Run("of the Watchdog again and again, whatever else is broken", func(t *testing.T) {
		require.Eventually(t, func() bool { return len(o.at("/heartbeat/secret")) >= 3 }, soon, tick)
	})
	t.Run("of what was held back when its cause has gone", func(t *testing.T) {
		require.Len(t, o.at("/slack/token"), 1, "the slow tokens, and the pod in the lost zone, are not told of")
		r.post(ca, "alerts", []any{resolved(down)})
		require.Eventually(t, func() bool { return len(o.at("/slack/token")) == 3 }, soon, tick)
		text := fmt.Sprint(o.at("/slack/token")[1:])
		assert.Contains(t, text, "[RESOLVED] iris in identity: Summary of IrisDown.")
		assert.Contains(t, text, "[WARNING] iris in identity: Summary of IrisTokensSlow.")
	})
	t.Run("with another key when it has been changed, without a restart", func(t *testing.T) {
		given := objects.Find("Secret", "alertmanager-receivers")
		require.NoError(t, unstructured.SetNestedField(given.Object, "another-key", "stringData", "receiver-on-call"))
		r.Refresh()
		r.post(ca, "alerts", []any{alert("alertname=ValkeyNoPrimary severity=critical component=valkey")})
		require.Eventually(t, func() bool {
			all := o.at("/pagerduty")
			return all[len(all)-1]["routing_key"] == "another-key"
		}, soon, tick)
	})
}

// firing are the names of the alerts in a message.
func firing(m message) []string {
	var all []string
	for _, a := range m["alerts"].([]any) {
		all = append(all, a.(map[string]any)["labels"].(map[string]any)["alertname"].(string))
	}
	return all
}

// tellOnce has three replicas get the same alerts, as Prometheus sends them.
func tellOnce(t *testing.T, ca verify.CA, o *outside, replicas []*replica) {
	require.Eventually(t, func() bool {
		for _, r := range replicas {
			state := struct {
				Cluster struct {
					Status string
					Peers  []any
				}
			}{}
			r.get(ca, "status", &state)
			if state.Cluster.Status != "ready" || len(state.Cluster.Peers) != 3 {
				return false
			}
		}
		return true
	}, 30*time.Second, tick, "they find each other")
	everybody := func(labels string) {
		for _, r := range replicas {
			if r.Running() {
				r.post(ca, "alerts", []any{alert(labels)})
			}
		}
	}
	silence := map[string]any{
		"matchers":  []any{map[string]any{"name": "alertname", "value": "Quiet", "isRegex": false, "isEqual": true}},
		"createdBy": "somebody", "comment": "known",
		"startsAt": time.Now().Format(time.RFC3339), "endsAt": time.Now().Add(time.Hour).Format(time.RFC3339),
	}
	replicas[2].post(ca, "silences", silence)
	for _, r := range replicas {
		require.Eventually(t, func() bool {
			var all []any
			r.get(ca, "silences", &all)
			return len(all) == 1
		}, soon, tick, "what is silenced at one is silenced at all")
	}
	everybody("alertname=First severity=critical component=iris")
	everybody("alertname=Quiet severity=critical component=valkey")
	require.Eventually(t, func() bool { return len(o.at("/tickets")) > 0 }, soon, tick)
	time.Sleep(4500 * time.Millisecond) // the group's wait, and one and two times that of peers
	assert.Len(t, o.at("/tickets"), 1, "%v", o.at("/tickets"))

	t.Run("only to who has a certificate, and not by UDP", func(t *testing.T) {
		roots := x509.NewCertPool()
		roots.AppendCertsFromPEM([]byte(ca.Certificate))
		conn, err := tls.Dial("tcp", replicas[0].address+":9094", &tls.Config{RootCAs: roots, ServerName: names.Host(names.Alertmanager)})
		require.NoError(t, err)
		defer func() { _ = conn.Close() }() // refused anyway
		_, err = conn.Read(make([]byte, 1))
		assert.ErrorContains(t, err, "certificate required")
		packets, err := net.ListenPacket("udp", replicas[0].address+":9094")
		require.NoError(t, err, "the port is free")
		require.NoError(t, packets.Close())
	})
	t.Run("also when one is gone", func(t *testing.T) {
		replicas[0].Kill()
		everybody("alertname=Second severity=critical component=postgresql")
		require.Eventually(t, func() bool { return len(o.at("/tickets")) == 2 }, soon, tick)
		time.Sleep(4500 * time.Millisecond)
		assert.Len(t, o.at("/tickets"), 2)
		assert.Equal(t, []string{"Second"}, firing(o.at("/tickets")[1]))
	})
}
