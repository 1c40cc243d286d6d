package dashboards

import "github.com/telekom/controlplane-infrastructure/internal/mesh"

func serviceMesh(b *board, a Args) {
	if a.Mesh == mesh.Linkerd {
		linkerd(b)
		return
	}
	istio(b)
}

func istio(b *board) {
	const plane = `namespace="istio-system"`
	b.about("Whether Istio's control plane keeps the proxies up to date, and whether traffic between pods is encrypted and arrives.")
	b.row("Traffic")
	b.number(quarter, chart{
		title: "Encrypted", unit: ratio, limits: highIsGood(0.9, 0.99),
		says: "The share of new connections with mutual TLS, as the receiving side sees it. Good is near 100 %: the rest " +
			"comes from outside the mesh.",
		queries: []query{{expr: `sum(rate(istio_tcp_connections_opened_total{reporter="destination", connection_security_policy="mutual_tls"}` +
			`[$__rate_interval])) / ` +
			`(sum(rate(istio_tcp_connections_opened_total{reporter="destination"}[$__rate_interval])) > 0)`}},
	})
	b.number(quarter, chart{
		title: "Proxies connected", unit: count, limits: highIsGood(1),
		says:    "Proxies that get their configuration. Good is one for each node, and the gateways.",
		queries: []query{{expr: `sum(pilot_xds{` + plane + `})`}},
	})
	b.number(quarter, chart{
		title: "Rejected configuration", unit: count, limits: lowIsGood(1),
		says:    "What proxies refused within an hour. Good is 0.",
		queries: []query{{expr: `sum(increase(pilot_total_xds_rejects{` + plane + `}[1h])) or vector(0)`}},
	})
	b.number(quarter, chart{
		title: "Root certificate", unit: seconds, limits: highIsGood(30*day, 90*day),
		says:    "What is left of it. Good is more than three months.",
		queries: []query{{expr: `min(citadel_server_root_cert_expiry_timestamp{` + plane + `}) - time()`}},
	})
	b.lines(third, chart{
		title: "Connections", unit: perSecond,
		says: "New connections to workloads, by namespace. Good is what is usual for the hour.",
		queries: []query{{
			rateBy("destination_workload_namespace", "istio_tcp_connections_opened_total", `reporter="destination"`),
			"{{destination_workload_namespace}}",
		}},
	})
	b.lines(third, chart{
		title: "Failed connections", unit: perSecond, limits: lowIsGood(0.1),
		says: "Connections that ended with a flag, such as one that a policy denied. Good is none.",
		queries: []query{{rateBy("source_workload_namespace, destination_workload_namespace, response_flags", "istio_tcp_connections_closed_total",
			`reporter="source", response_flags!="-"`) + ` > 0`,
			"{{source_workload_namespace}} to {{destination_workload_namespace}}: {{response_flags}}"}},
	})
	b.lines(third, chart{
		title: "Traffic", unit: byteRate,
		says: "Bytes between pods, by the receiving namespace. Good is what is usual for the hour.",
		queries: []query{{`sum by (destination_workload_namespace) (rate(istio_tcp_sent_bytes_total{reporter="destination"}[$__rate_interval]) ` +
			`+ rate(istio_tcp_received_bytes_total{reporter="destination"}[$__rate_interval]))`,
			"{{destination_workload_namespace}}"}},
	})
	b.row("Control plane")
	b.lines(third, chart{
		title: "Until proxies know", unit: seconds, limits: lowIsGood(10),
		says: "From a change to its arrival at a proxy; 95 and 50 of 100 take less. Good is below a second.",
		queries: []query{{quantile(0.95, "pilot_proxy_convergence_time", plane, ""), "0.95"},
			{quantile(0.5, "pilot_proxy_convergence_time", plane, ""), "0.5"}},
	})
	b.lines(third, chart{
		title: "Pushes", unit: perSecond, says: "What istiod sends to proxies, by kind. Good is a low, even line.",
		queries: []query{{rateBy("type", "pilot_xds_pushes", plane), "{{type}}"}},
	})
	b.lines(third, chart{
		title: "Certificates of workloads", unit: perSecond,
		says: "Certificates asked for, and handed out. Good: both lines are one.",
		queries: []query{{`sum(rate(citadel_server_csr_count{` + plane + `}[$__rate_interval]))`, "asked for"},
			{`sum(rate(citadel_server_success_cert_issuance_count{` + plane + `}[$__rate_interval]))`, "handed out"}},
	})
	b.row("Nodes")
	b.lines(half, chart{
		title: "Workloads behind their proxy", unit: count,
		says: "Pods whose traffic a node's proxy carries, and those that still wait for it. Good: none waits.",
		queries: []query{
			{`sum by (pod) (workload_manager_active_proxy_count)`, "{{pod}}"},
			{`sum by (pod) (workload_manager_pending_proxy_count) > 0`, "{{pod}} waiting"},
		},
	})
	b.states(half, chart{
		title: "Agents ready", unit: count, limits: highIsGood(1), words: upDown("Ready", "Not ready"),
		says:    "Whether new pods on a node get into the mesh. Good is green everywhere.",
		queries: []query{{`min by (pod) (istio_cni_install_ready)`, "{{pod}}"}},
	})
}

func linkerd(b *board) {
	const inbound = `direction="inbound", namespace=~"$namespace"`
	b.about("Whether requests between pods of the mesh succeed, how long they take, and whether they are encrypted.")
	b.choice("namespace", "Namespace", `label_values(response_total, namespace)`)
	b.row("Traffic")
	b.number(quarter, chart{
		title: "Succeeded", unit: ratio, limits: highIsGood(0.95, 0.99),
		says: "The share of requests that succeeded, as the receiving side sees it. Good is above 99 %.",
		queries: []query{{
			expr: `sum(rate(response_total{` + inbound + `, classification="success"}[$__rate_interval])) ` +
				`/ (sum(rate(response_total{` + inbound + `}[$__rate_interval])) > 0)`,
		}},
	})
	b.number(quarter, chart{
		title: "Encrypted", unit: ratio, limits: highIsGood(0.9, 0.99),
		says: "The share of requests with mutual TLS. Good is near 100 %: the rest are probes and what comes from outside " +
			"the mesh.",
		queries: []query{{
			expr: `sum(rate(request_total{` + inbound + `, tls="true"}[$__rate_interval])) / (sum(rate(request_total{` +
				inbound + `}[$__rate_interval])) > 0)`,
		}},
	})
	b.number(quarter, chart{
		title: "Proxies", unit: count, limits: highIsGood(1),
		says:    "Proxies that answer. Good is one for each pod of the mesh.",
		queries: []query{{expr: `sum(up{job=~".*/linkerd-proxy"})`}},
	})
	b.number(quarter, chart{
		title: "Control plane", unit: count, limits: highIsGood(1),
		says:    "Parts of the control plane that answer. Good is all of them.",
		queries: []query{{expr: `sum(up{namespace="linkerd"})`}},
	})
	b.lines(third, chart{
		title: "Requests", unit: requests, says: "Requests by the receiving namespace. Good is what is usual for the hour.",
		queries: []query{{rateBy("namespace", "request_total", inbound), "{{namespace}}"}},
	})
	b.lines(third, chart{
		title: "Failed", unit: ratio, limits: lowIsGood(0.05),
		says: "The share of requests that failed, by the receiving namespace. Good is below 1 %.",
		queries: []query{{`sum by (namespace) (rate(response_total{` + inbound + `, classification="failure"}[$__rate_interval])) / ` +
			`(sum by (namespace) (rate(response_total{` + inbound + `}[$__rate_interval])) > 0)`, "{{namespace}}"}},
	})
	b.lines(third, chart{
		title: "Duration", unit: millis, limits: lowIsGood(1000),
		says:    "95 of 100 requests have an answer sooner, by the receiving namespace. Good is below a second.",
		queries: []query{{quantile(0.95, "response_latency_ms", inbound, "namespace"), "{{namespace}}"}},
	})
	b.lines(full, chart{
		title: "Connections", unit: count, says: "Open connections by namespace and direction. Good is an even line.",
		queries: []query{{
			`sum by (namespace, direction) (tcp_open_connections{namespace=~"$namespace"})`, "{{namespace}} {{direction}}",
		}},
	})
}
