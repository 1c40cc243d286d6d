package config_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/telekom/controlplane-infrastructure/stacks/config"
)

// defaultMonitoring is the monitoring of a stack that configures nothing.
func defaultMonitoring() config.Monitoring {
	state := volume("1Gi", "")
	return config.Monitoring{
		CustomResourceDefinitions: config.CRDsInstall, Stack: config.MonitoringInstall,
		Operator: &config.PrometheusOperator{
			Image:         "quay.io/prometheus-operator/prometheus-operator:v0.93.1",
			WebhookImage:  "quay.io/prometheus-operator/admission-webhook:v0.93.1",
			ReloaderImage: "quay.io/prometheus-operator/prometheus-config-reloader:v0.93.1",
		},
		Prometheus: &config.Prometheus{
			Image: "quay.io/prometheus/prometheus:v3.13.1", Replicas: 1, ScrapeInterval: minutes(1) / 2,
			Retention: config.PrometheusRetention{Time: "15d", Size: volume("16Gi", "").Size}, Volume: volume("20Gi", ""),
			Resources: config.ResourceClass{Requests: amounts("200m", "512Mi"), Limits: amounts("1000m", "2Gi")},
		},
		Alertmanager: &config.Alertmanager{
			Image: "quay.io/prometheus/alertmanager:v0.31.1", Replicas: 1, Volume: state, Retention: hours(120),
			Resources: config.ResourceClass{Requests: amounts("20m", "64Mi"), Limits: amounts("200m", "256Mi")},
		},
		Alerts: &config.Alerts{RunbookBaseURL: "https://github.com/telekom/controlplane-infrastructure/blob/main/docs/runbooks/"},
		Exporters: &config.Exporters{
			KubeStateMetrics: config.KubeStateMetrics{
				Image:     "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.15.0",
				Resources: config.ResourceClass{Requests: amounts("20m", "64Mi"), Limits: amounts("250m", "256Mi")},
			},
			NodeExporter: config.NodeExporter{
				Enabled: true, Image: "quay.io/prometheus/node-exporter:v1.10.2",
				Resources: config.ResourceClass{Requests: amounts("20m", "32Mi"), Limits: amounts("250m", "128Mi")},
			},
			Kubelet: true, APIServer: true, CoreDNS: true,
		},
		Grafana: &config.Grafana{
			Enabled: true, Image: "docker.io/grafana/grafana:12.3.1", Replicas: 1, Volume: &state,
			Resources: config.ResourceClass{Requests: amounts("100m", "256Mi"), Limits: amounts("500m", "512Mi")},
			Ingress:   config.GrafanaIngress{ClassName: "traefik"},
		},
	}
}

// TestDerivedMonitoring shows what follows from other values, and that a stack
// may override it.
func TestDerivedMonitoring(t *testing.T) {
	type m = config.Monitoring
	numbers := func(m m) any {
		return []int{m.Prometheus.Replicas, m.Alertmanager.Replicas, m.Grafana.Replicas}
	}
	kept := func(m m) any {
		r := m.Prometheus.Retention
		return []string{m.Prometheus.Volume.Size.String(), r.Time, r.Size.String()}
	}
	resources := func(m m) any { return toJSON(t, m.Prometheus.Resources) }
	classes := func(m m) any {
		all := []string{m.Prometheus.Volume.StorageClass, m.Alertmanager.Volume.StorageClass, ""}
		if m.Grafana.Volume != nil {
			all[2] = m.Grafana.Volume.StorageClass
		}
		return all
	}
	store := func(m m) any {
		o := m.Prometheus.Thanos.ObjectStorage
		return []string{o.Endpoint, o.Bucket, o.Region}
	}
	receiver := func(m m) config.Receiver { return m.Alertmanager.Receivers[0] }
	route := func(m m) any { return m.Alertmanager.Routes[0] }
	state := func(m m) any { return []any{m.Grafana.Database, m.Grafana.Volume != nil} }
	for _, test := range []struct {
		name, yaml string
		got        func(m) any
		want       any
	}{
		{"replicas of single", "", numbers, []int{1, 1, 1}},
		{"replicas of zonal", "availability: zonal", numbers, []int{2, 3, 2}},
		{"replicas of its own", "availability: zonal\nmonitoring: {alertmanager: {replicas: 5}, grafana: {replicas: 3}}", numbers, []int{2, 5, 3}},
		{"what single keeps", "", kept, []string{"20Gi", "15d", "16Gi"}},
		{"what zonal keeps", "availability: zonal", kept, []string{"50Gi", "30d", "40Gi"}},
		{"what a larger volume keeps", prometheus("volume: {size: 1Ti}"), kept, []string{"1Ti", "15d", "838860Mi"}},
		{"what a volume in powers of ten keeps", prometheus("volume: {size: 10G}"), kept, []string{"10G", "15d", "7629Mi"}},
		{"what somebody wants to be kept", prometheus("retention: {time: 1y2w, size: 5G}"), kept, []string{"20Gi", "1y2w", "5G"}},
		{"sizes of single", "", resources, toJSON(t, config.ResourceClass{Requests: amounts("200m", "512Mi"), Limits: amounts("1000m", "2Gi")})},
		{"sizes of zonal", "availability: zonal", resources, toJSON(t, config.ResourceClass{Requests: amounts("500m", "2Gi"), Limits: amounts("2", "4Gi")})},
		{"one size of its own", prometheus("resources: {limits: {memory: 8Gi}}"), resources,
			toJSON(t, config.ResourceClass{Requests: amounts("200m", "512Mi"), Limits: amounts("1", "8Gi")})},
		{"storage class of every volume", "storage: {storageClass: fast}", classes, []string{"fast", "fast", "fast"}},
		{"storage class of one", "storage: {storageClass: fast}\n" + prometheus("volume: {storageClass: slow}"), classes, []string{"slow", "fast", "fast"}},
		{"blocks in MinIO", thanos("bucket: blocks"), store, []string{"minio.minio.svc:9000", "blocks", ""}},
		{"blocks in Amazon S3", s3("bucket: files") + "\n" + thanos("bucket: blocks"), store, []string{"s3.eu-central-1.amazonaws.com", "blocks", "eu-central-1"}},
		{"blocks elsewhere", "storage: {objectStorage: {backend: none}}\n" + thanos("bucket: blocks, endpoint: 's3.example.com:9443', region: here"), store,
			[]string{"s3.example.com:9443", "blocks", "here"}},

		{"port of a webhook", tellsOf("webhook: {url: 'https://a.example.com:8443/x'}"), func(m m) any { return receiver(m).Webhook.Port }, 8443},
		{"port of a webhook without TLS", tellsOf("webhook: {url: 'http://a.example.com'}"), func(m m) any { return receiver(m).Webhook.Port }, 80},
		{"port of a secret webhook", tellsOf("webhook: {secretUrl: 'https://a.example.com:8443/x'}"), func(m m) any { return receiver(m).Webhook.Port }, 8443},
		{"port of a webhook that nobody can see", tellsOf("webhook: {secretRef: {name: a, key: url}}"), func(m m) any { return receiver(m).Webhook.Port }, 443},
		{"port of a webhook that somebody knows", tellsOf("webhook: {secretRef: {name: a, key: url}, port: 8080}"), func(m m) any { return receiver(m).Webhook.Port }, 8080},
		{"Slack by a Secret", tellsOf("slack: {secretRef: {name: a, key: url}}"), func(m m) any { return *receiver(m).Slack },
			config.SlackReceiver{SecretRef: &config.SecretRef{Name: "a", Key: "url"}, Port: 443}},
		{"Slack by a URL", tellsOf("slack: {channel: '#alerts', webhookUrl: 'https://chat.example.com:8443/hooks/1'}"), func(m m) any { return *receiver(m).Slack },
			config.SlackReceiver{Channel: "#alerts", WebhookURL: "https://chat.example.com:8443/hooks/1", Port: 8443}},
		{"a mail server", "monitoring: {alertmanager: {defaultReceiver: a, receivers: [{name: a, email: {to: [a@example.com]}}], smtp: {host: mail.example.com, from: p@example.com}}}",
			func(m m) any { return *m.Alertmanager.SMTP }, config.SMTP{Host: "mail.example.com", Port: 587, From: "p@example.com", RequireTLS: true}},
		{"a route", routed("{receiver: a}"), route, config.Route{Receiver: "a", Severities: []config.Severity{"critical", "warning"}}},
		{"a route by day", routed("{receiver: a, severities: [info], namespaces: [shop], components: [iris], groupInterval: 10m, repeatInterval: 24h, activeTimes: {timeZone: Europe/Berlin}}"), route,
			config.Route{
				Receiver: "a", Severities: []config.Severity{"info"}, Namespaces: []string{"shop"}, Components: []string{"iris"},
				GroupInterval: minutes(10), RepeatInterval: hours(24),
				ActiveTimes: &config.ActiveTimes{Days: []string{"monday", "tuesday", "wednesday", "thursday", "friday"}, From: "08:00", To: "18:00", TimeZone: "Europe/Berlin"},
			}},
		{"a route of the weekend", routed("{receiver: a, activeTimes: {days: [saturday, sunday], from: '00:00', to: '24:00'}}"),
			func(m m) any { return *m.Alertmanager.Routes[0].ActiveTimes },
			config.ActiveTimes{Days: []string{"saturday", "sunday"}, From: "00:00", To: "24:00", TimeZone: "UTC"}},

		{"Grafana of single", "", state, []any{"", true}},
		{"Grafana of zonal", "availability: zonal", state, []any{"grafana", false}},
		{"Grafana of single with a database", grafana("database: grafana, replicas: 2") + "\n" + owned("{name: iris}, {name: gateway}, {name: controlplane}, {name: grafana}"),
			state, []any{"grafana", false}},
		{"Grafana beside another ingress controller", "network: {ingress: {existing: {className: nginx}}}", func(m m) any { return m.Grafana.Ingress.ClassName }, "nginx"},
		{"login with a realm", grafana("hostname: grafana.example.com, oidc: {}"), func(m m) any { return *m.Grafana.OIDC },
			config.GrafanaOIDC{Realm: "rover", Roles: config.GrafanaRoles{Admin: "grafana-admin", Editor: "grafana-editor", Viewer: "grafana-viewer"}}},
		{"login with a realm of its own", identity("realms: [{name: people}]") + "\n" + grafana("hostname: grafana.example.com, oidc: {realm: people, roles: {viewer: staff}}"),
			func(m m) any { return *m.Grafana.OIDC },
			config.GrafanaOIDC{Realm: "people", Roles: config.GrafanaRoles{Admin: "grafana-admin", Editor: "grafana-editor", Viewer: "staff"}}},
		{"no Grafana", grafana("enabled: false"), func(m m) any { return []bool{m.Installed(), m.ShowsGrafana()} }, []bool{true, false}},
		{"etcd", "monitoring: {exporters: {nodeExporter: {enabled: false}, etcd: {endpoints: [10.0.0.11, '2001:db8::11'], clientSecret: etcd-client}}}",
			func(m m) any { return []any{m.Exporters.NodeExporter.Enabled, *m.Exporters.Etcd} },
			[]any{false, config.EtcdMetrics{Endpoints: []string{"10.0.0.11", "2001:db8::11"}, Port: 2379, ClientSecret: "etcd-client"}}},
		{"alerts of its own", "monitoring: {alerts: {disabled: [NodeMemoryLow], severity: {NodeNotReady: warning, Watchdog: info}, runbookBaseUrl: 'https://wiki.example.com/runbooks/'}}",
			func(m m) any { return *m.Alerts }, config.Alerts{
				Disabled: []string{"NodeMemoryLow"}, Severity: map[string]config.Severity{"NodeNotReady": config.SeverityWarning, "Watchdog": config.SeverityInfo},
				RunbookBaseURL: "https://wiki.example.com/runbooks/",
			}},
		{"monitoring by somebody else", "availability: zonal\nmonitoring: {stack: existing}", func(m m) any { return m },
			config.Monitoring{CustomResourceDefinitions: config.CRDsInstall, Stack: config.MonitoringExisting}},
	} {
		t.Run(test.name, func(t *testing.T) {
			cfg, err := parse(t, test.yaml)
			require.NoError(t, err)
			assert.Equal(t, test.want, test.got(cfg.Monitoring))
		})
	}
}

// TestGrafanaHasADatabase shows when the cluster of databases that follows has
// one for Grafana.
func TestGrafanaHasADatabase(t *testing.T) {
	for text, want := range map[string]bool{
		"":                    false,
		"availability: zonal": true,
		"availability: zonal\nmonitoring: {stack: existing}":             false,
		"availability: zonal\nmonitoring: {grafana: {enabled: false}}":   false,
		"monitoring: {grafana: {database: grafana}}":                     true,
		"availability: zonal\nmonitoring: {grafana: {replicas: 3}}":      true,
		"monitoring: {grafana: {hostname: grafana.example.com}}":         false,
		"monitoring: {grafana: {database: grafana, enabled: false}}":     false,
		"monitoring: {grafana: {database: grafana}, stack: install}":     true,
		"monitoring: {customResourceDefinitions: existing}":              false,
		"availability: zonal\nmonitoring: {prometheus: {thanos: null}}":  true,
		"availability: zonal\nmonitoring: {exporters: {kubelet: false}}": true,
	} {
		cfg, err := parse(t, text)
		require.NoError(t, err, text)
		found := false
		for _, database := range cfg.Storage.PostgreSQL.Clusters[0].Databases {
			found = found || database == config.Database{Name: "grafana", Owner: "grafana"}
		}
		assert.Equal(t, want, found, text)
	}
}

// TestMonitoringSecretsStayEncrypted reads a stack file whose secrets only the
// engine can decrypt: they count as set, and what hangs on them is left open.
func TestMonitoringSecretsStayEncrypted(t *testing.T) {
	const secure = "{secure: 'v1:abc'}"
	root := project(t, map[string]string{"Pulumi.prod.yaml": `config:
  controlplane:monitoring:
    prometheus: {remoteWrite: [{name: central, url: 'https://metrics.example.com', basicAuth: {username: platform, password: ` + secure + `}}]}
    alertmanager:
      defaultReceiver: chat
      receivers: [{name: chat, slack: {webhookUrl: ` + secure + `}}, {name: on-call, pagerduty: {routingKey: ` + secure + `}}]
      routes: [{receiver: on-call, severities: [critical]}]
`})
	cfg, err := config.Load(root, "prod")
	require.NoError(t, err)
	receivers := cfg.Monitoring.Alertmanager.Receivers
	assert.True(t, receivers[0].Slack.WebhookURL.IsSet())
	assert.False(t, receivers[0].Slack.WebhookURL.Known())
	assert.Equal(t, 443, receivers[0].Slack.Port)
	assert.True(t, receivers[1].PagerDuty.RoutingKey.IsSet())
	assert.True(t, cfg.Monitoring.Prometheus.RemoteWrite[0].BasicAuth.Password.IsSet())

	root = project(t, map[string]string{"Pulumi.prod.yaml": `config:
  controlplane:monitoring:
    alertmanager:
      defaultReceiver: chat
      receivers: [{name: chat, slack: {webhookUrl: 'https://hooks.example.com/T1/B2'}}]
`})
	_, err = config.Load(root, "prod")
	assert.EqualError(t, err, "Pulumi.prod.yaml:5: controlplane:monitoring.alertmanager.receivers[0].slack.webhookUrl: is a secret in plain text; must be encrypted: "+
		"pulumi config set --secret --path 'controlplane:monitoring.alertmanager.receivers[0].slack.webhookUrl'")
}
