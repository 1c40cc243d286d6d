package dashboards

const (
	day = 24 * 60 * 60

	// notAfter is when certificates expire. Prometheus keeps its own label namespace, that of cert-manager: the
	// certificate's is exported_namespace.
	notAfter = `certmanager_certificate_expiration_timestamp_seconds{namespace="cert-manager"}`
	// left is how long certificates are valid. Those that are renewed within their last week, such as the trust anchor,
	// which lives for a day, are always about to expire: whether they are renewed, others tell.
	left = notAfter + ` - time() and ` + notAfter +
		` - certmanager_certificate_renewal_timestamp_seconds{namespace="cert-manager"} > 7 * 86400`
	// notReady are certificates that cannot be used.
	notReady = `certmanager_certificate_ready_status{namespace="cert-manager", condition!="True"} == 1`
)

func certificates(b *board, _ Args) {
	b.about("Whether every certificate is valid, and renewed in time, and whether the trust bundles are up to date.")
	b.row("Certificates")
	b.number(quarter, chart{
		title: "Next to expire", unit: seconds, limits: highIsGood(3*day, 14*day),
		says:    "Of all that are renewed more than a week before they expire. Good is more than two weeks.",
		queries: []query{{expr: `min(` + left + `)`}},
	})
	b.number(quarter, chart{
		title: "Not ready", unit: count, limits: lowIsGood(1),
		says: "Certificates that have not been issued, or not again. Good is 0; a new one takes seconds, with ACME " +
			"minutes.",
		queries: []query{{expr: `count(` + notReady + `) or vector(0)`}},
	})
	b.number(quarter, chart{
		title: "Overdue for renewal", unit: count, limits: lowIsGood(1),
		says: "Certificates that should have been renewed an hour ago. Good is 0.",
		queries: []query{{expr: `count(time() - certmanager_certificate_renewal_timestamp_seconds{namespace="cert-manager"} > 3600 ` +
			`and certmanager_certificate_renewal_timestamp_seconds{namespace="cert-manager"} > 0) or vector(0)`}},
	})
	b.number(quarter, chart{
		title: "Certificates", unit: count,
		says: "All that cert-manager looks after.", queries: []query{{expr: `count(` + notAfter + `)`}},
	})
	b.list(half, chart{
		title: "Closest to expiry", unit: seconds, limits: highIsGood(3*day, 14*day), height: 10,
		says: "What is left of the 20 that expire first, of all that are renewed more than a week before. Good is more than two " +
			"weeks for each.",
		queries: []query{{
			expr: `sort(bottomk(20, min by (exported_namespace, name, issuer_name) (` + left + `)))`,
		}},
		columns: []column{{"exported_namespace", "Namespace"}, {"name", "Certificate"}, {"issuer_name", "Issuer"}, {value, "Left"}},
	})
	b.list(half, chart{
		title: "Not ready", unit: count, height: 10, empty: "All are ready",
		says:    "Certificates that cannot be used. Good is an empty list.",
		queries: []query{{expr: `max by (exported_namespace, name, issuer_name, condition) (` + notReady + `)`}},
		columns: []column{{"exported_namespace", "Namespace"}, {"name", "Certificate"}, {"issuer_name", "Issuer"}, {"condition", "Ready"}},
	})
	b.row("Issuance")
	b.lines(third, chart{
		title: "cert-manager's controllers", unit: perSecond,
		says: "How often each controller works. Good is a low, even line: a steep one is a controller that tries again " +
			"and again.",
		queries: []query{{
			rateBy("controller", "certmanager_controller_sync_call_count", `namespace="cert-manager"`) +
				` > 0`, "{{controller}}",
		}},
	})
	b.lines(third, chart{
		title: "cert-manager's errors", unit: perSecond, limits: lowIsGood(0.1),
		says: "Work that failed and is tried again. Good is none; single ones are conflicts, which solve themselves.",
		queries: []query{{
			rateBy("controller", "certmanager_controller_sync_error_count", `namespace="cert-manager"`), "{{controller}}",
		}},
	})
	b.lines(third, chart{
		title: "ACME requests", unit: perSecond, empty: "No ACME issuer is used",
		says: "What cert-manager asks of ACME servers, by status. Good are statuses below 400; 429 is their rate limit.",
		queries: []query{{rateBy("host, status", "certmanager_http_acme_client_request_count", `namespace="cert-manager"`),
			"{{host}} {{status}}"}},
	})
	b.row("Trust bundles")
	b.lines(half, chart{
		title: "trust-manager's work", unit: perSecond,
		says: "How often bundles are written into namespaces, by result. Good is success alone.",
		queries: []query{{
			rateBy("controller, result", "controller_runtime_reconcile_total", `namespace="cert-manager"`), "{{controller}} {{result}}",
		}},
	})
	b.lines(half, chart{
		title: "How long it takes", unit: seconds, limits: lowIsGood(10),
		says: "The time for one bundle, of which 95 of 100 take less. Good is below a second.",
		queries: []query{{quantile(0.95, "controller_runtime_reconcile_time_seconds", `namespace="cert-manager"`, "controller"),
			"{{controller}}"}},
	})
}
