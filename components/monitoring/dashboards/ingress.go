package dashboards

const (
	inTraefik = `namespace="ingress"`
	// chosenServices are those that the reader has chosen. Prometheus keeps the label service for the Service that it found
	// Traefik by: the one that Traefik leads to is exported_service.
	chosenServices = inTraefik + `, exported_service=~"$service"`

	// What package rules records: requests a second by status, and by service with their errors and durations.
	ingressRate    = "code:ingress_requests:rate5m"
	serviceRate    = `exported_service:ingress_requests:rate5m{exported_service=~"$service"}`
	serviceErrors  = `exported_service:ingress_errors:ratio_rate5m{exported_service=~"$service"}`
	serviceSeconds = `exported_service:ingress_seconds:p95_5m{exported_service=~"$service"}`

	// ingressErrors is the share of all answers; 0 where there are answers, but no errors.
	ingressErrors = `(sum(` + ingressRate + `{code=~"5.."}) or vector(0)) / (sum(` + ingressRate + `) > 0)`
)

func ingress(b *board, _ Args) {
	b.about("What comes in from outside: how many requests, how many end in errors, how long they take, by service.")
	b.choice("service", "Service", `label_values(traefik_service_requests_total{namespace="ingress"}, exported_service)`)
	b.row("At a glance")
	b.number(sixth, chart{
		title: "Controllers that answer", unit: count, limits: highIsGood(1), says: "Good is all replicas.",
		queries: []query{{expr: `sum(up{namespace="ingress", job!~".*/linkerd-proxy"})`}},
	})
	b.number(sixth, chart{
		title: "Requests", unit: requests, says: "From outside, per second. Good is what is usual for the hour.",
		queries: []query{{expr: "sum(" + ingressRate + ")"}},
	})
	b.number(sixth, chart{
		title: "Answered with an error", unit: ratio, limits: lowIsGood(0.01, 0.05),
		says:    "Statuses of 500 and above. Good is below 1 %.",
		queries: []query{{expr: ingressErrors}},
	})
	b.number(sixth, chart{
		title: "Slow requests", unit: seconds, limits: lowIsGood(1, 2),
		says:    "95 of 100 requests take less. Good is below half a second.",
		queries: []query{{expr: quantile(0.95, "traefik_entrypoint_request_duration_seconds", inTraefik, "")}},
	})
	b.number(sixth, chart{
		title: "Connections", unit: count, says: "Open at the moment. Good is what is usual for the hour.",
		queries: []query{{expr: `sum(traefik_open_connections{` + inTraefik + `})`}},
	})
	b.number(sixth, chart{
		title: "Next certificate to expire", unit: seconds, limits: highIsGood(3*day, 14*day),
		says:    "Of those that Traefik shows to clients. Good is more than two weeks.",
		queries: []query{{expr: `min(traefik_tls_certs_not_after{` + inTraefik + `} - time())`}},
	})
	b.row("By service")
	b.lines(third, chart{
		title: "Requests", unit: requests, says: "Good is what is usual for the hour.",
		queries: []query{{serviceRate, "{{exported_service}}"}},
	})
	b.lines(third, chart{
		title: "Errors", unit: ratio, limits: lowIsGood(0.05),
		says:    "The share of statuses of 500 and above. Good is below 1 %.",
		queries: []query{{serviceErrors + " or " + serviceRate + " * 0", "{{exported_service}}"}},
	})
	b.lines(third, chart{
		title: "Duration", unit: seconds, limits: lowIsGood(2), says: "95 of 100 requests take less. Good is below half a second.",
		queries: []query{{serviceSeconds, "{{exported_service}}"}},
	})
	b.list(full, chart{
		title: "Answers by service and status", unit: requests,
		says: "Requests per second at the moment. Good are statuses of 200 to 399; 401 and 403 are clients without rights.",
		queries: []query{{
			expr: `sort_desc(sum by (exported_service, code, method) (rate(traefik_service_requests_total{` +
				chosenServices + `}[$__rate_interval])) > 0)`,
		}},
		columns: []column{{"exported_service", "Service"}, {"method", "Method"}, {"code", "Status"}, {value, "Rate"}},
	})
	b.row("The controller")
	b.lines(third, chart{
		title: "By entry point and status", unit: requests,
		says: "Everything that is answered, also what leads to no service: 404. Good: few of 400 and above.",
		queries: []query{{
			rateBy("entrypoint, code", "traefik_entrypoint_requests_total", inTraefik), "{{entrypoint}} {{code}}",
		}},
	})
	b.lines(third, chart{
		title: "Traffic", unit: byteRate, says: "Bodies of requests and of answers. Good is what is usual for the hour.",
		queries: []query{{`sum(rate(traefik_entrypoint_requests_bytes_total{` + inTraefik + `}[$__rate_interval]))`, "received"},
			{`sum(rate(traefik_entrypoint_responses_bytes_total{` + inTraefik + `}[$__rate_interval]))`, "sent"}},
	})
	b.lines(third, chart{
		title: "Configuration", unit: perSecond,
		says:    "How often routes change. Good is rarely: a steady line is somebody who changes an Ingress again and again.",
		queries: []query{{rateBy("pod", "traefik_config_reloads_total", inTraefik), "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Connections", unit: count,
		says: "Open connections by entry point. Good is far below what clients could open.",
		queries: []query{{
			`sum by (entrypoint, protocol) (traefik_open_connections{` + inTraefik + `})`, "{{entrypoint}} {{protocol}}",
		}},
	})
	b.lines(third, chart{
		title: "Memory", unit: bytesIEC, says: "Memory of each controller. Good is an even line.",
		queries: []query{{`max by (pod) (process_resident_memory_bytes{` + inTraefik + `})`, "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Processor", unit: count, says: "Processors in use, by controller. Good is well below its limit.",
		queries: []query{{rateBy("pod", "process_cpu_seconds_total", inTraefik), "{{pod}}"}},
	})
}
