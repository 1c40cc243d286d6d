package dashboards

const (
	// inIris selects the identity provider's servers.
	inIris = `namespace="identity", pod=~"$pod"`
	// tokenRate are the tokens a second that clients and users are given, however they ask, as package rules records them.
	tokenRate = `sum(outcome:iris_token_requests:rate5m{outcome="SUCCESS"}) or vector(0)`
)

func iris(b *board, _ Args) {
	b.about("Whether people and programs get their tokens from Iris, how fast, and what limits it: servers, memory, database.")
	b.choice("realm", "Realm", `label_values(keycloak_user_events_total{namespace="identity"}, realm)`)
	b.choice("pod", "Server", `label_values(vendor_cluster_size{namespace="identity"}, pod)`)
	b.row("At a glance")
	b.number(sixth, chart{
		title: "Servers that answer", unit: count, limits: highIsGood(1), says: "Good is all replicas.",
		queries: []query{{expr: `sum(up{namespace="identity", job!~".*/linkerd-proxy"})`}},
	})
	b.number(sixth, chart{
		title: "Cluster size", unit: count, limits: highIsGood(1),
		says: "The smallest cluster that a server sees. Good is the number of servers: if it is less, they have lost " +
			"each other, and with it each other's logins.",
		queries: []query{{expr: `min(vendor_cluster_size{namespace="identity"})`}},
	})
	b.number(sixth, chart{
		title: "Tokens", unit: perSecond, says: "Tokens handed out, per second. Good is what is usual for the hour.",
		queries: []query{{expr: tokenRate}},
	})
	b.number(sixth, chart{
		title: "Answered with an error", unit: ratio, limits: lowIsGood(0.01, 0.05),
		says: "The share of requests that Iris failed. Good is below 1 %.",
		queries: []query{{expr: `(sum(rate(http_server_requests_seconds_count{` + inIris + `, outcome="SERVER_ERROR"}[$__rate_interval])) ` +
			`or vector(0)) / ` +
			`(sum(rate(http_server_requests_seconds_count{` + inIris + `}[$__rate_interval])) > 0)`}},
	})
	b.number(sixth, chart{
		title: "Slow tokens", unit: seconds, limits: lowIsGood(0.5, 1),
		says:    "95 of 100 tokens take less. Good is below half a second.",
		queries: []query{{expr: `max(namespace:iris_token_seconds:p95_5m)`}},
	})
	b.number(sixth, chart{
		title: "Waiting for the database", unit: count, limits: lowIsGood(1, 5),
		says:    "Threads without a connection. Good is 0.",
		queries: []query{{expr: `max(agroal_awaiting_count{` + inIris + `})`}},
	})
	b.irisLogins()
	b.irisRequests()
	b.irisServers()
}

func (b *board) irisLogins() {
	b.row("Logins and tokens")
	b.lines(third, chart{
		title: "Logins and tokens", unit: perSecond,
		says:    "What succeeds, by kind: login is a person, client_login a program. Good is what is usual for the hour.",
		queries: []query{{`realm_event:iris_logins:rate5m{realm=~"$realm"}`, "{{realm}} {{event}}"}},
	})
	b.lines(third, chart{
		title: "Refused", unit: perSecond, limits: lowIsGood(5),
		says: "What fails, and why. Good is a few wrong passwords; a surge is somebody who guesses, or a client with an " +
			"old secret.",
		queries: []query{{`realm_event:iris_login_failures:rate5m{realm=~"$realm"} > 0`, "{{realm}} {{event}}: {{error}}"}},
	})
	b.lines(third, chart{
		title: "Passwords checked", unit: perSecond, says: "Each costs much processor time on purpose. Good: mostly valid.",
		queries: []query{{
			rateBy("realm, outcome", "keycloak_credentials_password_hashing_validations_total",
				`namespace="identity", realm=~"$realm"`), "{{realm}} {{outcome}}",
		}},
	})
}

func (b *board) irisRequests() {
	b.row("Requests")
	b.lines(third, chart{
		title: "Requests", unit: requests, stacked: true, says: "Requests by outcome. Good: no SERVER_ERROR.",
		queries: []query{{rateBy("outcome", "http_server_requests_seconds_count", inIris), "{{outcome}}"}},
	})
	b.lines(third, chart{
		title: "How long a token takes", unit: seconds, limits: lowIsGood(1),
		says: "Of 100 tokens, 50, 95 and 99 take less. Good is below half a second for 95.",
		queries: []query{
			{"namespace:iris_token_seconds:p50_5m", "0.5"},
			{"namespace:iris_token_seconds:p95_5m", "0.95"},
			{"namespace:iris_token_seconds:p99_5m", "0.99"},
		},
	})
	b.lines(third, chart{
		title: "Slowest paths", unit: seconds,
		says: "95 of 100 requests take less, of the ten slowest paths. Good is below a second for all.",
		queries: []query{{
			`topk(10, histogram_quantile(0.95, sum by (le, uri) (rate(http_server_requests_seconds_bucket{` + inIris +
				`}[$__rate_interval]))))`, "{{uri}}",
		}},
	})
	b.lines(half, chart{
		title: "Errors by path", unit: requests, says: "Requests that Iris failed. Good is none.",
		queries: []query{{
			rateBy("uri, status", "http_server_requests_seconds_count", inIris+`, outcome="SERVER_ERROR"`) +
				` > 0`, "{{status}} {{uri}}",
		}},
	})
	b.lines(half, chart{
		title: "Under way", unit: count,
		says:    "Requests in work, by server. Good is an even line: one that climbs is a server that cannot keep up.",
		queries: []query{{`sum by (pod) (http_server_active_requests{` + inIris + `})`, "{{pod}}"}},
	})
}

func (b *board) irisServers() {
	b.row("Servers")
	b.lines(third, chart{
		title: "Cluster size", unit: count,
		says:    "The cluster as each server sees it. Good is the same number for all, but for the minutes of an update.",
		queries: []query{{`max by (pod) (vendor_cluster_size{` + inIris + `})`, "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Database connections", unit: count,
		says: "What each server has in use and in reserve. Good: some are in reserve.",
		queries: []query{
			{`sum by (pod) (agroal_active_count{` + inIris + `})`, "{{pod}} in use"},
			{`sum by (pod) (agroal_available_count{` + inIris + `})`, "{{pod}} in reserve"},
		},
	})
	b.lines(third, chart{
		title: "Waiting for the database", unit: millis, limits: lowIsGood(100),
		says: "How long a thread waits for a connection on average, since the server started. Good is a few " +
			"milliseconds.",
		queries: []query{{`max by (pod) (agroal_blocking_time_average_milliseconds{` + inIris + `})`, "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Heap", unit: bytesIEC,
		says: "Memory of the Java virtual machine, and the most there can be. Good is a saw that comes down well below " +
			"the limit.",
		queries: []query{{`sum by (pod) (jvm_memory_used_bytes{` + inIris + `, area="heap"})`, "{{pod}}"},
			{`max(sum by (pod) (jvm_memory_max_bytes{` + inIris + `, area="heap"} > 0))`, "limit"}},
	})
	b.lines(third, chart{
		title: "Time spent on cleaning memory", unit: ratio, limits: lowIsGood(0.1),
		says:    "The share of time in which a server stands still for it. Good is below 5 %.",
		queries: []query{{rateBy("pod", "jvm_gc_pause_seconds_sum", inIris), "{{pod}}"}},
	})
	b.lines(third, chart{
		title: "Processor", unit: ratio,
		says:    "The share of what a server may use. Good is below 80 %: logins are slow beyond.",
		queries: []query{{`max by (pod) (process_cpu_usage{` + inIris + `})`, "{{pod}}"}},
	})
}
