package rules

import "slices"

// monitoring watches the monitoring itself. What it cannot see, the missing Watchdog tells to whoever waits for it.
func monitoring(a Args) Group {
	g := Group{Name: Monitoring, Namespace: "monitoring", Alerts: slices.Concat(prometheusAlerts(), alertmanagerAlerts(), collectorAlerts())}
	if a.RemoteWrite {
		g.Alerts = append(g.Alerts, remoteWriteAlerts()...)
	}
	return g
}

func prometheusAlerts() []Alert {
	return []Alert{
		{
			Name: "Watchdog", Severity: Info,
			Expr:        `vector(1)`,
			Summary:     `This alert always fires: it shows that alerts reach who should get them.`,
			Description: "Whoever receives it raises the alarm when it stops to come. It is no sign of a fault.",
		},
		targetDown("Monitoring", "this part of the monitoring", `namespace="monitoring"`, "monitoring"),
		{
			Name: "MonitoringConfigurationRejected", For: "10m", Severity: Warning,
			Expr: `max_over_time(prometheus_config_last_reload_successful{namespace="monitoring"}[5m]) == 0 or ` +
				`max_over_time(alertmanager_config_last_reload_successful{namespace="monitoring"}[5m]) == 0`,
			Summary:     `{{ $labels.pod }} refuses its new configuration.`,
			Description: "It goes on with the one of before: new targets, rules, receivers or routes have no effect. A new pod would not start.",
		},
		{
			Name: "MonitoringRulesFailing", For: "10m", Severity: Warning,
			Expr:        `increase(prometheus_rule_evaluation_failures_total{namespace="monitoring"}[10m]) > 0`,
			Summary:     `Prometheus {{ $labels.pod }} cannot evaluate rules of group {{ $labels.rule_group }}.`,
			Description: "Alerts of that group do not fire, and dashboards lack what it records.",
		},
		{
			Name: "MonitoringStorageNearLimit", For: "1h", Severity: Warning,
			Expr: `prometheus_tsdb_storage_blocks_bytes{namespace="monitoring"} / prometheus_tsdb_retention_limit_bytes{namespace="monitoring"} > 0.95 ` +
				`and prometheus_tsdb_retention_limit_bytes{namespace="monitoring"} > 0 ` +
				`and time() - prometheus_tsdb_lowest_timestamp_seconds{namespace="monitoring"} < 0.9 * prometheus_tsdb_retention_limit_seconds{namespace="monitoring"}`,
			Summary: `Prometheus {{ $labels.pod }} keeps {{ $value | humanizePercentage }} of the data that it may keep.`,
			Description: "It drops the oldest data by size, so there is less of the past than the retention time promises. " +
				"Something may have made many more series.",
		},
		{
			Name: "MonitoringStorageFailing", For: "15m", Severity: Warning,
			Expr: `increase(prometheus_tsdb_compactions_failed_total{namespace="monitoring"}[3h]) > 0 or ` +
				`increase(prometheus_tsdb_reloads_failures_total{namespace="monitoring"}[3h]) > 0`,
			Summary:     `Prometheus {{ $labels.pod }} cannot compact or read its own data.`,
			Description: "Data take more and more room, or are missing in answers. The volume may be full or broken.",
		},
		{
			Name: "MonitoringAlertsUndelivered", For: "5m", Severity: Critical,
			Expr: `prometheus_notifications_alertmanagers_discovered{namespace="monitoring"} < 1 or ` +
				`sum by (pod) (rate(prometheus_notifications_errors_total{namespace="monitoring"}[5m])) / ` +
				`sum by (pod) (rate(prometheus_notifications_sent_total{namespace="monitoring"}[5m])) > 0.5`,
			Summary:     `Prometheus {{ $labels.pod }} reaches no Alertmanager: no alert is told to anybody.`,
			Description: "From now on outages are seen by users first. If this one has reached you, another Prometheus has sent it.",
		},
	}
}

func alertmanagerAlerts() []Alert {
	return []Alert{
		{
			Name: "MonitoringNotificationsFailing", For: "10m", Severity: Critical,
			Expr: `sum by (integration) (rate(alertmanager_notifications_failed_total{namespace="monitoring"}[10m])) / ` +
				`sum by (integration) (rate(alertmanager_notifications_total{namespace="monitoring"}[10m])) > 0.1`,
			Summary:     `{{ $value | humanizePercentage }} of the notifications by {{ $labels.integration }} fail.`,
			Description: "Who should be told by that way is not. Its address, password or token may be wrong, or a policy or proxy is in the way.",
		},
		{
			Name: "MonitoringAlertmanagersSplit", For: "15m", Severity: Warning,
			Expr: `max_over_time(alertmanager_cluster_members{namespace="monitoring"}[5m]) < on () group_left () ` +
				`count(up{namespace="monitoring", job="alertmanager"} == 1)`,
			Summary:     `Alertmanager {{ $labels.pod }} knows only {{ $value }} members of its cluster.`,
			Description: "Alerts are told twice, and silences hold on one side only.",
		},
	}
}

// collectorAlerts are about what Prometheus gets its configuration and its knowledge of objects from.
func collectorAlerts() []Alert {
	return []Alert{
		{
			Name: "MonitoringOperatorFailing", For: "15m", Severity: Warning,
			Expr: `sum by (controller) (rate(prometheus_operator_reconcile_errors_total{namespace="monitoring"}[10m])) / ` +
				`sum by (controller) (rate(prometheus_operator_reconcile_operations_total{namespace="monitoring"}[10m])) > 0.1`,
			Summary:     `The Prometheus operator fails at {{ $value | humanizePercentage }} of what controller {{ $labels.controller }} does.`,
			Description: "Changes of monitors, rules, receivers or of the servers themselves have no effect.",
		},
		{
			Name: "MonitoringStateMetricsFailing", For: "15m", Severity: Warning,
			Expr: `sum by (resource) (rate(kube_state_metrics_list_total{result="error"}[5m])) / ` +
				`sum by (resource) (rate(kube_state_metrics_list_total[5m])) > 0.1 or ` +
				`sum by (resource) (rate(kube_state_metrics_watch_total{result="error"}[5m])) / ` +
				`sum by (resource) (rate(kube_state_metrics_watch_total[5m])) > 0.1`,
			Summary:     `kube-state-metrics cannot read {{ $labels.resource }} from the API server.`,
			Description: "Alerts about such objects go by what it knew before, or do not fire.",
		},
	}
}

func remoteWriteAlerts() []Alert {
	return []Alert{
		{
			Name: "MonitoringRemoteWriteLagging", For: "15m", Severity: Warning,
			Expr: `max_over_time(prometheus_remote_storage_queue_highest_timestamp_seconds{namespace="monitoring"}[5m]) - ` +
				`max_over_time(prometheus_remote_storage_queue_highest_sent_timestamp_seconds{namespace="monitoring"}[5m]) > 120`,
			Summary:     `Prometheus {{ $labels.pod }} is {{ $value | humanizeDuration }} late with what it writes to {{ $labels.remote_name }}.`,
			Description: "After two hours data are lost there. The receiver is slow, or cannot be reached.",
		},
		{
			Name: "MonitoringRemoteWriteFailing", For: "15m", Severity: Warning,
			Expr:        `rate(prometheus_remote_storage_samples_failed_total{namespace="monitoring"}[5m]) > 0`,
			Summary:     `{{ $labels.remote_name }} refuses {{ $value }} samples a second that Prometheus {{ $labels.pod }} writes there.`,
			Description: "These samples are lost there. Credentials may be wrong, or a limit of the receiver reached.",
		},
	}
}
