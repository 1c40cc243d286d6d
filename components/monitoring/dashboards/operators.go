package dashboards

// inOperators selects the Control Plane's operators that are chosen, by the Service that Prometheus finds them by.
const inOperators = `namespace="controlplane-system", job=~"$operator"`

func operators(b *board, _ Args) {
	b.about("Whether the Control Plane's operators keep up with what is asked of them, and what they wait for.")
	b.choice("operator", "Operator", `label_values(controller_runtime_reconcile_total{namespace="controlplane-system"}, job)`)
	b.row("At a glance")
	b.number(sixth, chart{
		title: "Operators that answer", unit: count, limits: highIsGood(1), says: "Good is all that are installed.",
		queries: []query{{expr: `sum(max by (job) (up{namespace="controlplane-system"}))`}},
	})
	b.number(sixth, chart{
		title: "Without a leader", unit: count, limits: lowIsGood(1),
		says: "Operators of which no pod leads, so that nothing is done. Good is 0.",
		queries: []query{{
			expr: `count(max by (job) (leader_election_master_status{` + inOperators + `}) == 0) or vector(0)`,
		}},
	})
	b.number(sixth, chart{
		title: "Failed", unit: ratio, limits: lowIsGood(0.05, 0.2),
		says: "The share of reconciliations that fail. Good is below 5 %: conflicts solve themselves.",
		queries: []query{{
			expr: `sum(rate(controller_runtime_reconcile_errors_total{` + inOperators + `}[$__rate_interval])) ` +
				`/ (sum(rate(controller_runtime_reconcile_total{` + inOperators + `}[$__rate_interval])) > 0)`,
		}},
	})
	b.number(sixth, chart{
		title: "Waiting", unit: count, limits: lowIsGood(50, 500),
		says:    "Objects that wait for their turn. Good is near 0 most of the time.",
		queries: []query{{expr: `sum(workqueue_depth{` + inOperators + `})`}},
	})
	b.number(sixth, chart{
		title: "Longest run", unit: seconds, limits: lowIsGood(60, 600),
		says:    "How long the oldest reconciliation under way has taken. Good is below a minute.",
		queries: []query{{expr: `max(workqueue_longest_running_processor_seconds{` + inOperators + `})`}},
	})
	b.number(sixth, chart{
		title: "Panics", unit: count, limits: lowIsGood(1),
		says: "Within an hour. Good is 0: each is a mistake in a program.",
		queries: []query{{
			expr: `sum(increase(controller_runtime_reconcile_panics_total{` + inOperators + `}[1h])) or vector(0)`,
		}},
	})
	b.row("Reconciliation")
	b.lines(third, chart{
		title: "Reconciliations", unit: perSecond, says: "By controller. Good is what is usual for the hour.",
		queries: []query{{rateBy("controller", "controller_runtime_reconcile_total", inOperators), "{{controller}}"}},
	})
	b.lines(third, chart{
		title: "Errors", unit: perSecond, limits: lowIsGood(1),
		says: "By controller. Good is single ones: a steady line is an object that cannot be reconciled.",
		queries: []query{{
			rateBy("controller", "controller_runtime_reconcile_errors_total", inOperators) + ` > 0`, "{{controller}}",
		}},
	})
	b.lines(third, chart{
		title: "Duration", unit: seconds, limits: lowIsGood(10),
		says: "95 of 100 reconciliations take less. Good is below a second.",
		queries: []query{{
			quantile(0.95, "controller_runtime_reconcile_time_seconds", inOperators, "controller"), "{{controller}}",
		}},
	})
	b.row("Queues")
	b.lines(third, chart{
		title: "Waiting", unit: count, says: "Objects that wait, by controller. Good: every line comes back to 0.",
		queries: []query{{`sum by (name) (workqueue_depth{` + inOperators + `})`, "{{name}}"}},
	})
	b.lines(third, chart{
		title: "Time in the queue", unit: seconds, limits: lowIsGood(30),
		says:    "95 of 100 objects wait less. Good is below a second.",
		queries: []query{{quantile(0.95, "workqueue_queue_duration_seconds", inOperators, "name"), "{{name}}"}},
	})
	b.lines(third, chart{
		title: "Workers busy", unit: ratio, upTo: 1, limits: lowIsGood(0.9),
		says: "The share of a controller's workers that work. Good is below 90 %: beyond, objects wait.",
		queries: []query{{
			`sum by (controller) (controller_runtime_active_workers{` + inOperators + `}) ` +
				`/ sum by (controller) (controller_runtime_max_concurrent_reconciles{` + inOperators +
				`} > 0)`, "{{controller}}",
		}},
	})
	b.row("API server and webhooks")
	b.lines(third, chart{
		title: "Requests to the API server", unit: requests,
		says:    "By status. Good: few of 400 and above; 409 are conflicts, 429 is the API server protecting itself.",
		queries: []query{{rateBy("code", "rest_client_requests_total", inOperators), "{{code}}"}},
	})
	b.lines(third, chart{
		title: "Webhooks: answers", unit: requests,
		says: "What the operators' webhooks answer, by status. Good is 200 alone.",
		queries: []query{{
			rateBy("webhook, code", "controller_runtime_webhook_requests_total", inOperators), "{{webhook}} {{code}}",
		}},
	})
	b.lines(third, chart{
		title: "Webhooks: duration", unit: seconds, limits: lowIsGood(1),
		says: "95 of 100 answers come sooner. Good is a few milliseconds: everybody who writes waits for it.",
		queries: []query{{
			quantile(0.95, "controller_runtime_webhook_latency_seconds", inOperators, "webhook"), "{{webhook}}",
		}},
	})
	b.row("Pods")
	b.lines(third, chart{
		title: "Memory", unit: bytesIEC, says: "Memory in use. Good is an even line, below the limit of the resource class.",
		queries: []query{{
			`sum by (pod) (container_memory_working_set_bytes{namespace="controlplane-system", container!=""})`, "{{pod}}",
		}},
	})
	b.lines(third, chart{
		title: "Processor", unit: count, says: "Processors in use. Good is well below the limit of the resource class.",
		queries: []query{{
			rateBy("pod", "container_cpu_usage_seconds_total", `namespace="controlplane-system", container!=""`), "{{pod}}",
		}},
	})
	b.lines(third, chart{
		title: "Restarts", unit: count, limits: lowIsGood(3), says: "Restarts of containers within an hour. Good is none.",
		queries: []query{{
			`sum by (pod) (increase(kube_pod_container_status_restarts_total{namespace="controlplane-system"}[1h])) > 0`, "{{pod}}",
		}},
	})
}
