package alertmanager_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/components/monitoring/names"
	"github.com/telekom/controlplane-infrastructure/internal/flow"
)

// What cannot work is refused, all of it at once, in words that say where it is.
func TestBadArguments(t *testing.T) {
	t.Parallel()
	require.NoError(t, arguments().Check())
	for want, change := range map[string]func(*alertmanager.Args){
		`receiver "on-call" is without its secret: RoutingKey needs a Value or a Ref`: func(a *alertmanager.Args) {
			a.Receivers[0].PagerDuty.RoutingKey = alertmanager.Credential{}
		},
		`receiver "on-call": RoutingKey has both a Value and a Ref`: func(a *alertmanager.Args) {
			a.Receivers[0].PagerDuty.RoutingKey.Ref = &alertmanager.SecretRef{Name: "other", Key: "key"}
		},
		`receiver "team": URL.Ref needs a Name and a Key`: func(a *alertmanager.Args) { a.Receivers[1].Slack.URL.Ref.Key = "" },
		`receiver "databases": Email needs SMTP`:          func(a *alertmanager.Args) { a.SMTP = nil },
		`SMTP is without its secret: Username needs a Password`: func(a *alertmanager.Args) {
			a.SMTP.Password = nil
		},
		`receiver "tickets": URL is "tickets": must be one with https:// or http://`: func(a *alertmanager.Args) {
			a.Receivers[3].Webhook.URL = "tickets"
		},
		`receiver "team": must have exactly one of Email, Webhook, Slack and PagerDuty, has 0`: func(a *alertmanager.Args) {
			a.Receivers[1].Slack = nil
		},
		`Receivers[1].Name is "on-call": another receiver has that name`: func(a *alertmanager.Args) { a.Receivers[1].Name = "on-call" },
		`Receivers[3].Name is "nobody", which is reserved`:               func(a *alertmanager.Args) { a.Receivers[3].Name = "nobody" },
		`Receivers[3].Name is "The Desk": must be of lower-case letters, digits and hyphens`: func(a *alertmanager.Args) {
			a.Receivers[3].Name = "The Desk"
		},
		`Routes[0].Receiver is "oncall": there is no such receiver`:            func(a *alertmanager.Args) { a.Routes[0].Receiver = "oncall" },
		`Routes[0].Severities has "page": allowed are critical, warning, info`: func(a *alertmanager.Args) { a.Routes[0].Severities[0] = "page" },
		`Routes[3].RepeatInterval is "hourly": must be a duration`:             func(a *alertmanager.Args) { a.Routes[3].RepeatInterval = "hourly" },
		`Routes[1].Active: "08:00" to "07:00" must be times of one day`:        func(a *alertmanager.Args) { a.Routes[1].Active[0].To = "07:00" },
		`Routes[1].Active: "mon-fri" must be a day or a range of days`:         func(a *alertmanager.Args) { a.Routes[1].Active[0].Weekdays[0] = "mon-fri" },
		`DefaultReceiver is "desk": there is no such receiver; there are on-call, team, databases, tickets, heartbeat`: func(a *alertmanager.Args) {
			a.DefaultReceiver = "desk"
		},
		`Replicas is 2: must be 1, or 3 and more`:                func(a *alertmanager.Args) { a.Replicas = 2 },
		`Retention is "5d": must be a duration such as 120h`:     func(a *alertmanager.Args) { a.Retention = "5d" },
		`its tag must name a version, such as v0.31.1`:           func(a *alertmanager.Args) { a.Image = "quay.io/prometheus/alertmanager:latest" },
		`Timing.GroupWait is "soon": must be a duration such as`: func(a *alertmanager.Args) { a.Timing.GroupWait = "soon" },
	} {
		args := arguments()
		change(&args)
		assert.ErrorContains(t, args.Check(), want)
		_, err := args.Set()
		assert.ErrorContains(t, err, want)
	}
	args := arguments()
	args.Replicas, args.DefaultReceiver = 2, "desk"
	err := args.Check()
	assert.ErrorContains(t, err, "Replicas is 2")
	assert.ErrorContains(t, err, `DefaultReceiver is "desk"`)
}

// Pods reach the ports of their receivers and no others, and nothing outside without any.
func TestFlows(t *testing.T) {
	t.Parallel()
	args := arguments()
	args.Grafana = true
	self := flow.Peer{Namespace: names.Namespace, Pods: names.Selector(names.Alertmanager)}
	flows := map[string]flow.Flow{}
	for _, f := range args.Flows() {
		flows[f.Name] = f
		assert.NotEmpty(t, f.Why, f.Name)
	}
	require.Len(t, flows, 4)
	assert.Equal(t, []int{443, 587, 8443, 9443}, flows["alertmanager-receivers"].Ports)
	assert.Equal(t, flow.Peer{Everywhere: true}, flows["alertmanager-receivers"].To)
	assert.Equal(t, []int{9094}, flows["alertmanager-gossip"].Ports)
	assert.Equal(t, self, flows["alertmanager-gossip"].From)
	assert.Equal(t, self, flows["alertmanager-gossip"].To)
	for name, from := range map[string]string{"alertmanager-alerts": names.Prometheus, "alertmanager-grafana": names.Grafana} {
		assert.Equal(t, names.Selector(from), flows[name].From.Pods)
		assert.Equal(t, []int{9093}, flows[name].Ports)
	}

	args.Receivers, args.Replicas, args.Grafana = nil, 1, false
	require.Len(t, args.Flows(), 1)
	assert.Equal(t, "alertmanager-alerts", args.Flows()[0].Name)
}
