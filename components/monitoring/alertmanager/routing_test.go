package alertmanager_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/components/monitoring/alertmanager"
	"github.com/telekom/controlplane-infrastructure/internal/workload"
)

// Alertmanager's own tool accepts what is generated, with everything and with nothing in it.
func TestConfigurationIsAccepted(t *testing.T) {
	t.Parallel()
	nobody := arguments()
	nobody.Receivers, nobody.Routes, nobody.SMTP, nobody.DefaultReceiver, nobody.WatchdogReceiver = nil, nil, nil, "", ""
	for name, args := range map[string]alertmanager.Args{"everything": arguments(), "nothing": nobody} {
		out, err := amtool(t, "check-config", files(t, args))
		require.NoError(t, err, "%s: %s", name, out)
		assert.Contains(t, out, "SUCCESS", name)
		assert.Contains(t, out, "1 templates", name)
	}
}

// Who is told of an alert with some labels.
func TestRoutes(t *testing.T) {
	t.Parallel()
	configuration := files(t, arguments())
	for labels, want := range map[string]string{
		"alertname=Watchdog severity=info component=monitoring": "heartbeat",
		"severity=critical component=iris":                      "on-call,team",
		"severity=warning component=iris":                       "team",
		"severity=info component=iris":                          "nobody",
		"severity=critical component=postgresql":                "on-call,databases",
		"severity=info component=postgresql":                    "databases",
		"severity=critical component=valkey":                    "on-call",
		"severity=warning component=valkey":                     "tickets",
		"severity=info component=valkey":                        "nobody",
		"severity=warning component=irises":                     "tickets",
		"severity=warning component=kubernetes namespace=shop":  "team",
		// Those of others, without our labels.
		"alertname=Theirs severity=warning namespace=shop":  "team",
		"alertname=Theirs severity=critical namespace=shop": "on-call",
		"alertname=Theirs severity=page":                    "tickets",
		"alertname=Theirs component=iris":                   "tickets",
		"alertname=Theirs":                                  "tickets",
	} {
		out, err := amtool(t, append([]string{"config", "routes", "test", "--config.file=" + configuration}, strings.Fields(labels)...)...)
		require.NoError(t, err, out)
		assert.Equal(t, want, out, labels)
	}
}

// Without a default receiver, nobody hears of what no route asks for.
func TestNobodyIsTheDefault(t *testing.T) {
	t.Parallel()
	args := arguments()
	args.DefaultReceiver, args.WatchdogReceiver = "", ""
	configuration := files(t, args)
	for labels, want := range map[string]string{
		"alertname=Watchdog": "nobody", "severity=warning component=valkey": "nobody", "severity=critical component=valkey": "on-call",
	} {
		out, err := amtool(t, append([]string{"config", "routes", "test", "--config.file=" + configuration}, strings.Fields(labels)...)...)
		require.NoError(t, err, out)
		assert.Equal(t, want, out, labels)
	}
}

// The configuration has no secret in it: whoever may read it learns nothing.
func TestSecretsAreInFiles(t *testing.T) {
	t.Parallel()
	o := rendered(t, arguments(), workload.Zonal)
	text := o.Data("Secret", "alertmanager-configuration")["alertmanager.yaml"]
	given := o.Data("Secret", "alertmanager-receivers")
	assert.Equal(t, map[string]string{
		"receiver-on-call":   "key-of-on-call",
		"receiver-heartbeat": "https://beats.example.com:8443/secret-path",
		"smtp-password":      "mail-password",
	}, given)
	for key, value := range given {
		assert.NotContains(t, text, value)
		assert.Contains(t, text, "/etc/alertmanager/secrets/alertmanager-receivers/"+key)
	}
	assert.Contains(t, text, "/etc/alertmanager/secrets/chat/url")
	assert.NotContains(t, text, "$(", "the reloader would take it for a variable")
}

// Whatever fires, critical alerts are told, and the Watchdog is passed on.
func TestNeverHeldBack(t *testing.T) {
	t.Parallel()
	for _, inhibition := range alertmanager.Inhibitions() {
		assert.NotEmpty(t, inhibition.Why)
		assert.Contains(t, inhibition.Target, `alertname!="Watchdog"`, inhibition.Why)
		lesser := slices.Contains(inhibition.Target, `severity=~"warning|info"`) || slices.Contains(inhibition.Target, `severity="info"`)
		assert.True(t, lesser, inhibition.Why)
		assert.True(t, len(inhibition.Causes) > 0 || len(inhibition.Equal) > 0, "%s: without either, anything would hold back everything", inhibition.Why)
	}
}
