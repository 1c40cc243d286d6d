package dashboards

// Selections of the monitoring's own parts, by the Services that Prometheus finds them by.
const (
	inPrometheus   = `namespace="monitoring", service="prometheus"`
	inAlertmanager = `namespace="monitoring", service="alertmanager"`
)

func prometheusItself(b *board, _ Args) {
	b.about("Whether Prometheus reads all that it should, has room for it, evaluates its rules, and whether alerts reach anybody.")
	b.row("At a glance")
	b.number(sixth, chart{
		title: "Targets that do not answer", unit: count, limits: lowIsGood(1), says: "Good is 0.",
		queries: []query{{expr: `count(up == 0) or vector(0)`}},
	})
	b.number(sixth, chart{
		title: "Configuration", unit: count, limits: highIsGood(1), words: upDown("Loaded", "Refused"),
		says: "Whether Prometheus and Alertmanager run with their latest configuration.",
		queries: []query{{expr: `min(prometheus_config_last_reload_successful{` + inPrometheus + `} or ` +
			`alertmanager_config_last_reload_successful{` + inAlertmanager + `})`}},
	})
	b.number(sixth, chart{
		title: "Storage in use", unit: ratio, limits: lowIsGood(1.01, 1.1),
		says: "Of the size up to which data is kept, without the log of the last hours. Full is no fault: the oldest goes " +
			"first.",
		queries: []query{{expr: `max(` + storageShare + `)`}},
	})
	b.number(sixth, chart{
		title: "Failed rules", unit: count, limits: lowIsGood(1), says: "Evaluations that failed within an hour. Good is 0.",
		queries: []query{{
			expr: `sum(increase(prometheus_rule_evaluation_failures_total{` + inPrometheus + `}[1h])) or vector(0)`,
		}},
	})
	b.number(sixth, chart{
		title: "Alertmanagers in the cluster", unit: count, limits: highIsGood(1),
		says:    "As the one that sees fewest sees it. Good is all replicas.",
		queries: []query{{expr: `min(alertmanager_cluster_members{` + inAlertmanager + `})`}},
	})
	b.number(sixth, chart{
		title: "Failed notifications", unit: count, limits: lowIsGood(1),
		says: "What could not be sent to a receiver within an hour. Good is 0.",
		queries: []query{{
			expr: `sum(increase(alertmanager_notifications_failed_total{` + inAlertmanager + `}[1h])) or vector(0)`,
		}},
	})
	b.row("Targets")
	b.list(half, chart{
		title: "Targets that do not answer", unit: count, empty: "All answer",
		says:    "What Prometheus cannot read. Good is an empty list.",
		queries: []query{{expr: `up == 0`}},
		columns: []column{{"namespace", "Namespace"}, {"job", "Job"}, {"pod", "Pod"}, {"instance", "Address"}},
	})
	b.lines(half, chart{
		title: "Targets", unit: count, stacked: true,
		says:    "Targets by namespace. Good is an even line: one that drops is a monitor or a Service that has gone.",
		queries: []query{{`count by (namespace) (up)`, "{{namespace}}"}},
	})
	b.prometheusStorage()
	b.alerting()
}

// storageShare is what blocks take of the size that they may have.
const storageShare = `prometheus_tsdb_storage_blocks_bytes{` + inPrometheus + `} ` +
	`/ (prometheus_tsdb_retention_limit_bytes{` + inPrometheus + `} > 0)`

func (b *board) prometheusStorage() {
	b.row("Ingestion and storage")
	b.lines(third, chart{
		title: "Samples", unit: perSecond, says: "What is written. Good is an even line.",
		queries: []query{{rateBy("pod", "prometheus_tsdb_head_samples_appended_total", inPrometheus), "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Series", unit: count,
		says:    "Series in memory, which decide how much memory Prometheus needs. Good is an even line.",
		queries: []query{{`max by (pod) (prometheus_tsdb_head_series{` + inPrometheus + `})`, "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Memory", unit: bytesIEC,
		says:    "Memory in use. Good is well below the limit, since a restart needs more for a while.",
		queries: []query{{`max by (pod) (process_resident_memory_bytes{` + inPrometheus + `})`, "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Storage", unit: bytesIEC,
		says: "Blocks, and the log of the last hours, against the size that is kept. Good: blocks and log stay below the " +
			"volume's size.",
		queries: []query{{`max by (pod) (prometheus_tsdb_storage_blocks_bytes{` + inPrometheus + `})`, "{{pod}} blocks"},
			{`max by (pod) (prometheus_tsdb_wal_storage_size_bytes{` + inPrometheus + `})`, "{{pod}} log"},
			{`max(prometheus_tsdb_retention_limit_bytes{` + inPrometheus + `} > 0)`, "kept at most"}},
	})
	b.lines(third, chart{
		title: "Dropped samples", unit: perSecond, limits: lowIsGood(1),
		says: "Samples that came twice with different values, or too late. Good is none: else two targets write the same " +
			"series.",
		queries: []query{{`sum(rate(prometheus_target_scrapes_sample_duplicate_timestamp_total{` + inPrometheus + `}[$__rate_interval]))`, "twice"},
			{`sum(rate(prometheus_target_scrapes_sample_out_of_order_total{` + inPrometheus + `}[$__rate_interval]))`, "too late"}},
	})
	b.lines(third, chart{
		title: "Rules", unit: ratio, limits: lowIsGood(0.8),
		says: "How long a group of rules takes, of its interval; the five slowest. Good is below 50 %: beyond 100 % " +
			"evaluations are left out.",
		queries: []query{{
			`topk(5, max by (rule_group) (prometheus_rule_group_last_duration_seconds{` + inPrometheus +
				`} / prometheus_rule_group_interval_seconds{` + inPrometheus + `}))`, "{{rule_group}}",
		}},
	})
}

func (b *board) alerting() {
	b.row("Alerting")
	b.lines(third, chart{
		title: "Alerts that fire", unit: count, says: "By severity. Good is none but Watchdog's.",
		queries: []query{{`count by (severity) (ALERTS{alertstate="firing"})`, "{{severity}}"}},
	})
	b.lines(third, chart{
		title: "From Prometheus to Alertmanager", unit: perSecond, limits: lowIsGood(0.1),
		says: "What did not arrive. Good is 0.",
		queries: []query{{rateBy("pod", "prometheus_notifications_errors_total", inPrometheus), "{{pod}} failed"},
			{rateBy("pod", "prometheus_notifications_dropped_total", inPrometheus), "{{pod}} dropped"}},
	})
	b.lines(third, chart{
		title: "Notifications", unit: perSecond,
		says: "What Alertmanager sends to receivers, and what fails. Good: nothing fails.",
		queries: []query{{rateBy("integration", "alertmanager_notifications_total", inAlertmanager) + ` > 0`, "{{integration}}"},
			{rateBy("integration", "alertmanager_notifications_failed_total", inAlertmanager) + ` > 0`, "{{integration}} failed"}},
	})
}
